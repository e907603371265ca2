"""Sheets and tables."""
