"""What a file is, and in which encoding, by its bytes."""
