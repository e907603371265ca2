"""Pictures of words, read by OCR."""
