"""OpenDocument (ODT, ODS, ODP and their templates, packed or as one XML file) -> text.

What a package holds is decided by its body, not by its name. Comments, deleted text that is kept
as a tracked change, and hidden text are left out.
"""

from __future__ import annotations

import zipfile
from typing import Any

from rag.errors import LoadError
from rag.load.builder import sensible_title
from rag.load.office.odf_walk import Styles, write_presentation, write_text
from rag.load.package import local_name, open_package, parse_xml, read_part
from rag.types import Document

_WHAT = "an OpenDocument file"
_DC_TITLE = "{http://purl.org/dc/elements/1.1/}title"
_BODIES = frozenset(("text", "spreadsheet", "presentation", "drawing"))


def load(data: bytes, source: str) -> Document:
    """Raises :class:`LoadError` for a file that is damaged, encrypted or of another kind."""
    if data.startswith(b"PK"):
        archive = open_package(data, _WHAT)
        _refuse_encrypted(archive)
        if _is_spreadsheet(archive):
            from rag.load.sheets import ods

            with _content(archive) as stream:
                return ods.load_stream(stream, source, _title(_optional(archive, "meta.xml")))
        root = parse_xml(read_part(archive, "content.xml") or b"")
        roots = [root, _optional(archive, "styles.xml")]
        title = _title(_optional(archive, "meta.xml"))
    else:
        root = _flat(data)
        roots, title = [root], _title(root)
    return _load(root, [r for r in roots if r is not None], source, title)


def _load(root: Any, roots: list[Any], source: str, title: str) -> Document:
    body = _body(root)
    if body is None:
        raise LoadError("is an OpenDocument file without text; save it as .odt or PDF")
    styles = Styles(roots)
    kind = local_name(body)
    if kind == "spreadsheet":
        import io

        from lxml import etree

        from rag.load.sheets import ods

        return ods.load_stream(io.BytesIO(etree.tostring(root)), source, title)
    if kind in ("presentation", "drawing"):
        return write_presentation(body, styles, source, title, are_slides=kind == "presentation")
    return write_text(body, styles, source, title)


def _refuse_encrypted(archive: zipfile.ZipFile) -> None:
    if b"encryption-data" in (read_part(archive, "META-INF/manifest.xml") or b""):
        raise LoadError("is encrypted; remove its password and save it again")


def _content(archive: zipfile.ZipFile) -> Any:
    try:
        return archive.open("content.xml")
    except KeyError as error:
        raise LoadError(
            f"is damaged or not {_WHAT}; open it in LibreOffice and save it again"
        ) from error


def _is_spreadsheet(archive: zipfile.ZipFile) -> bool:
    """Told by the beginning of the content: that of a large sheet must not become a tree."""
    from lxml import etree

    with _content(archive) as stream:
        for _, element in etree.iterparse(
            stream, ("start",), resolve_entities=False, load_dtd=False, no_network=True
        ):
            if local_name(element.getparent() if element.getparent() is not None else element) == (
                "body"
            ):
                return local_name(element) == "spreadsheet"
    return False


def _flat(data: bytes) -> Any:
    from lxml import etree

    try:
        return parse_xml(data)
    except etree.XMLSyntaxError as error:
        raise LoadError(
            f"is damaged or not {_WHAT}; open it in LibreOffice and save it again"
        ) from error


def _body(root: Any) -> Any:
    for body in (e for e in root if local_name(e) == "body"):
        return next((e for e in body if local_name(e) in _BODIES), None)
    return None


def _optional(archive: zipfile.ZipFile, name: str) -> Any:
    """The root of a part that the text can do without."""
    try:
        return parse_xml(read_part(archive, name) or b"")
    except Exception:  # styles or properties that are damaged are no reason to lose the text
        return None


def _title(meta: Any) -> str:
    if meta is None:
        return ""
    found = next(meta.iter(_DC_TITLE), None)
    return sensible_title(found.text) if found is not None else ""
