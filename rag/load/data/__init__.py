"""Plain text, source code, JSON and notebooks."""
