"""Proving, copying and bringing up to date what a store holds."""
