"""Stores: documents, chunks, vectors and words on disk, and their search."""
