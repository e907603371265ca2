"""XML -> its elements, by lxml; nothing is fetched and no entity is expanded."""

from __future__ import annotations

import re
from html import unescape
from html.entities import html5
from typing import TYPE_CHECKING, Any

from rag.errors import LoadError
from rag.load.detect.encoded_binary import is_encoded_binary

if TYPE_CHECKING:
    from lxml import etree

_MAX_SIZE = 50_000_000
_MAX_TAGS = 3_000_000  # an element takes some 250 bytes
_DECLARATION = re.compile(r"\s*<\?xml\b[^>]*>")
_DECLARED = re.compile(rb"<\?xml\s[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9_.:+-]+)")
_REFERENCE = re.compile(r"&(?:(?P<known>(?:#\w+|lt|gt|amp|quot|apos);)|(?P<name>\w+);)?")
_TAG = re.compile(r"<[^<>]*>")
_FEW = 2  # characters that a repaired document may lack
_ATTACKS = frozenset(("ERR_ENTITY_LOOP", "ERR_ENTITY_IS_EXTERNAL", "ERR_ENTITY_PROCESSING"))
_ENTITIES = (
    "declares entities of its own ({}), which are not expanded; save it with their text in place"
)


def parse(text: str) -> etree._Element | None:
    """Return the root element; None where ``text`` is not well-formed.

    Raises :class:`LoadError` where entities are declared that a parser could be attacked with,
    or used that only a DTD explains.
    """
    if len(text) > _MAX_SIZE or text.count("<") > _MAX_TAGS:
        raise LoadError(
            f"is XML of {len(text) / 1e6:,.0f} MB with {text.count('<'):,} tags; up to "
            f"{_MAX_SIZE // 1_000_000} MB and {_MAX_TAGS:,} are read: split it"
        )
    text = _DECLARATION.sub("", text, count=1)
    root, errors = _tree(text, recover=False)
    if errors:
        root, errors = _tree(_REFERENCE.sub(_mended, text), recover=True)
    if errors & _ATTACKS or ("ERR_RESOURCE_LIMIT" in errors and "<!ENTITY" in text):
        raise LoadError(_ENTITIES.format("that grow when expanded"))
    if "ERR_RESOURCE_LIMIT" in errors:
        raise LoadError("is XML that is nested too deep, or holds a text beyond 10 MB; split it")
    if root is None:
        return None
    _refuse_entities(root)
    return root if not errors or _is_whole(root, text) else None


def _tree(text: str, *, recover: bool) -> tuple[etree._Element | None, set[str]]:
    """The root element, and the names of the errors that a strict parser stops at."""
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=recover,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError:
        root = None
    errors = {error.type_name for error in parser.error_log if error.level_name == "FATAL"}
    return root, errors or ({"ERR_DOCUMENT_EMPTY"} if root is None else set())


def _mended(found: re.Match[str]) -> str:
    """A reference that XML has not, as HTML means it: ``&nbsp;`` and the lone ``&``."""
    if found.group("known"):
        return found.group()
    name = found.group("name")
    if not name:
        return "&amp;"
    characters = html5.get(f"{name};")
    return "".join(f"&#{ord(c)};" for c in characters) if characters else found.group()


def _is_whole(root: etree._Element, text: str) -> bool:
    """Whether nearly all words of a document with errors came into the tree."""
    kept = len("".join("".join(root.itertext()).split()))  # type: ignore[arg-type]
    written = len("".join(unescape(_TAG.sub("", text)).split()))
    return kept >= written - max(_FEW, written / 20)


def _refuse_entities(root: etree._Element) -> None:
    """Replace the named characters of HTML; refuse entities that stand for anything else."""
    from lxml import etree

    declared: Any = root.getroottree().docinfo.internalDTD
    external = set()
    for entity in declared.iterentities() if declared is not None else ():
        if "&" in (entity.content or ""):
            raise LoadError(_ENTITIES.format(f"&{entity.name};"))
        if entity.content is None:
            external.add(str(entity.name))
    nodes: list[Any] = list(root.iter(etree.Entity))
    for node in nodes:
        name = str(node.name)
        if f"{name};" not in html5 or name in external:
            raise LoadError(_ENTITIES.format(f"&{name};"))
        node.tail = html5[f"{name};"] + (node.tail or "")
    etree.strip_tags(root, etree.Entity)


def words(element: etree._Element) -> str:
    """Return all text in the element on one line; "" where it is binary data written as text."""
    line = " ".join("".join(element.itertext()).split())  # type: ignore[arg-type]
    return "" if is_encoded_binary(line) else line


def declared_encoding(data: bytes) -> str | None:
    """Return the encoding that the XML declaration names; None if none does."""
    found = _DECLARED.search(data, 0, 1024)
    return found.group(1).decode("ascii") if found else None
