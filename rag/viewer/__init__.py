"""The files that documents were read from, and how their pages look."""
