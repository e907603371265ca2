"""The page and the HTTP API, behind one guard."""
