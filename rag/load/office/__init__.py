"""Word processing and slides."""
