"""Serve the chat page alone: ``python ui.py [--index DIR] [--host ADDRESS] [--port N]``."""

import sys

from rag.web.app import main

if __name__ == "__main__":
    sys.exit(main())
