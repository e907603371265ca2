"""Texts read from the database's file anew, past every cache: what a proof has to look at."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from rag.store.schema import DATABASE, connect
from rag.store.troubles import explained


class StoredTexts:
    """The canonical texts of the index in the folder ``path``, as they stand on disk now."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with explained(path):
            self._connection = connect(path / DATABASE)

    def text(self, source: str) -> str | None:
        """The text of a document; None if the index holds none of that name."""
        with explained(self._path):
            row = self._connection.execute(
                "SELECT c.text FROM documents d JOIN contents c ON c.id = d.content_id "
                "WHERE d.source = ?",
                (source,),
            ).fetchone()
        return None if row is None else str(row[0])

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
