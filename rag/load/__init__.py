"""Bytes of a file -> documents. ``registry`` knows the formats; each folder is a family of them."""
