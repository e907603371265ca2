"""The folders that a knowledge base follows: names for their files, and changes of their files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rag.atomic_files import move_whole
from rag.errors import KnowledgeBaseError
from rag.indexing.scan import FoundFile, Listing, list_folder

REMOVED = ".removed"
"""Folder, hidden from sync, where removed documents are put."""


@dataclass(frozen=True, slots=True)
class Seen:
    """How a folder was found last: the device it is on, if known, and how many files it had."""

    device: int | None
    files: int


@dataclass(frozen=True, slots=True)
class Folders:
    """One folder or several; make it with :meth:`of`.

    The sources of a single folder's files are relative to it; those of several begin with the
    folder's own name.
    """

    paths: tuple[Path, ...]

    @classmethod
    def of(cls, folders: str | Path | Sequence[str | Path]) -> Folders:
        """Return the folders of these paths; one that is named twice counts once.

        Raises :class:`KnowledgeBaseError` for one that is missing, and where two have one name.
        """
        listed = [folders] if isinstance(folders, str | Path) else list(folders)
        if not listed:
            raise KnowledgeBaseError("no folder is named: name at least one")
        found: dict[Path, Path] = {}
        for folder in listed:
            if not Path(folder).is_dir():
                raise KnowledgeBaseError(f"no folder {str(folder)!r}: name an existing folder")
            # The name as it was given, not that of a link's target, is the one to tell it by.
            path = Path(os.path.abspath(folder))  # noqa: PTH100
            found.setdefault(path.resolve(), path)
        paths = tuple(found.values())
        names: dict[str, Path] = {}
        for path in paths if len(paths) > 1 else ():
            if not path.name:
                raise KnowledgeBaseError(f"{str(path)!r} has no name: it cannot be one of several")
            if (other := names.setdefault(path.name, path)) != path:
                raise KnowledgeBaseError(
                    f"two folders are named {path.name!r}: {str(other)!r} and {str(path)!r}; their "
                    "documents could not be told apart: rename one, or name a link to it"
                )
        return cls(paths)

    def listing(self, index: Path, before: Mapping[Path, Seen]) -> tuple[Listing, list[Seen]]:
        """Return the files of all folders, and how each folder was found.

        A file that stands in two of them, since one is inside the other, counts for the first
        that has it. The folder of the index is left out. Raises :class:`KnowledgeBaseError` where
        a folder cannot be trusted to be what it was (``before``): nothing is to be changed then.
        """
        index = index.resolve()
        files: dict[Path, FoundFile] = {}
        unlisted: dict[str, str] = {}
        left_out: dict[str, str] = {}
        seen: list[Seen] = []
        for path in self.paths:
            root, listing = self._list(path, index)
            device = root.stat().st_dev
            _require_mounted(path, device, len(listing.files), before.get(path))
            seen.append(Seen(device, len(listing.files)))
            for file in listing.files:
                named = replace(file, source=self._source(path, file.source))
                files.setdefault(root / file.path.relative_to(path), named)
            unlisted |= {self._source(path, source): why for source, why in listing.unlisted}
            left_out |= {self._source(path, source): why for source, why in listing.left_out}
        ordered = sorted(files.values(), key=lambda file: file.source)
        return Listing(tuple(ordered), tuple(unlisted.items()), tuple(left_out.items())), seen

    def put(self, file: Path, name: str) -> None:
        """Copy a file into the first folder as ``name``; no half-written one is ever seen."""
        folder = self.paths[0]
        target = folder / name
        if target.exists() and target.samefile(file):
            return
        partial = folder / f".{name}.partial"
        try:
            shutil.copyfile(file, partial)
            _set_aside(folder, target)
            move_whole(partial, target)
        finally:
            partial.unlink(missing_ok=True)

    def find(self, source: str) -> Path | None:
        """Return the path of a file.

        None if it is not there, or a link that leads out of its folder.
        """
        for path in self.paths:
            prefix = self._source(path, "")
            if not source.startswith(prefix):
                continue
            try:
                root = path.resolve(strict=True)
                file = (root / source.removeprefix(prefix)).resolve(strict=True)
            except (OSError, ValueError):  # a name with zeros is none
                continue
            if file.is_relative_to(root) and file.is_file():
                return file
        return None

    def set_aside(self, source: str) -> None:
        """Move a file to ``.removed`` in its folder; nothing that stands there is lost."""
        for path in self.paths:
            prefix = self._source(path, "")
            if source.startswith(prefix):
                inside = {file.source: file.path for file in list_folder(path).files}
                if (file := inside.get(source.removeprefix(prefix))) is not None:
                    _set_aside(path, file)

    def source_in_first(self, name: str) -> str:
        """The source of a file of this name in the first folder."""
        return self._source(self.paths[0], name)

    def _source(self, path: Path, source: str) -> str:
        return source if len(self.paths) == 1 else f"{path.name}/{source}"

    def _list(self, path: Path, index: Path) -> tuple[Path, Listing]:
        try:
            root = path.resolve(strict=True)
            if index == root:
                raise KnowledgeBaseError(
                    f"{str(path)!r} is the folder of the index: keep documents in another"
                )
            return root, list_folder(path, leave_out=index)
        except OSError as error:  # gone since it was named
            raise KnowledgeBaseError(
                f"no folder {str(path)!r}: {error.strerror}; nothing was changed"
            ) from error


def _require_mounted(path: Path, device: int, files: int, before: Seen | None) -> None:
    """An empty folder on another device than before is where a drive was mounted."""
    if before and before.files and not files and before.device not in (None, device):
        raise KnowledgeBaseError(
            f"{str(path)!r} is empty and on another device than before, when it held "
            f"{before.files:,} files: is its drive mounted? Nothing was changed; to go on without "
            "them, run 'rag index FOLDER --rebuild'"
        )


def _set_aside(folder: Path, file: Path) -> None:
    if not os.path.lexists(file):
        return
    target = folder / REMOVED / file.relative_to(folder)
    target.parent.mkdir(parents=True, exist_ok=True)
    for free in _numbered(target):
        if not os.path.lexists(free):
            file.rename(free)
            return


def _numbered(path: Path) -> Iterator[Path]:
    yield path
    number = 2
    while True:
        yield path.with_name(f"{path.stem} ({number}){path.suffix}")
        number += 1
