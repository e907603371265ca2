"""What words and sentences are, for all that reads text."""
