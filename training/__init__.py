"""Training of the reader: data, model, training loop, evaluation and export.

Nothing in `rag/` imports this package, and it needs torch and transformers, which asking does not.
"""
