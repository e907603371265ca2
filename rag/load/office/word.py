"""DOCX -> text in document order, by python-docx.

python-docx opens the package and knows its styles and properties; its parser resolves no entities
and fetches nothing. The body is walked as XML, since its ``paragraphs`` leave out text boxes,
content controls and inserted text.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

from rag.errors import LoadError
from rag.load.builder import TextBuilder, sensible_title
from rag.load.office.numbering import WordNumbering, numbering_from_xml
from rag.load.office.word_walk import Styles, Walker
from rag.load.package import open_package, transitional
from rag.types import Document

if TYPE_CHECKING:
    from docx.opc.part import Part

_WHAT = "a Word document"
# Text that stands beside the body: read after it, each kind in this order.
_EXTRA_PARTS = ("footnotes", "endnotes", "header", "footer")
_MAIN_TYPE = re.compile(r"(document|template)(\.macroEnabled\w*)?\.main\+xml$")


def load(data: bytes, source: str) -> Document:
    """Raises :class:`LoadError` for a package that is damaged or not a Word document."""
    package_part, properties_title = _open(data)
    builder = TextBuilder()
    walker = Walker(builder, Styles(_style_elements(package_part)), _numbering(package_part))
    walker.walk(_element(package_part))
    _add_extra_parts(package_part, walker)
    text = builder.text()
    title = properties_title or walker.title
    if not title:
        title = next((text[h.start : h.end] for h in builder.headings if h.level == 1), "")
    return Document(source, text, title=title, headings=tuple(builder.headings))


def _open(data: bytes) -> tuple[Part, str]:
    """The main part, and the title from the core properties."""
    from docx.package import Package

    damaged = "is damaged or not a Word document; open it in Word and save it again as .docx"
    archive = open_package(data, _WHAT, as_trees=True)
    try:
        usual = transitional(data, archive, "word/document.xml")
        package: Any = Package.open(io.BytesIO(usual))
        main = package.main_document_part
    except Exception as error:  # python-docx lets KeyError, BadZipFile, XMLSyntaxError ... through
        raise LoadError(damaged) from error
    if not _MAIN_TYPE.search(main.content_type):
        raise LoadError(damaged)
    try:
        title = sensible_title(package.core_properties.title)
    except Exception:  # a title is no reason to lose the document
        title = ""
    return main, title


def _element(part: Part) -> Any:
    """The part's XML; parts that python-docx does not know are parsed by its own safe parser."""
    from docx.oxml.parser import parse_xml

    element = getattr(part, "element", None)
    return element if element is not None else parse_xml(part.blob)


def _related(part: Part, kind: str) -> list[Part]:
    related = [
        relation.target_part
        for relation in part.rels.values()
        if not relation.is_external and relation.reltype.endswith(f"/{kind}")
    ]
    return sorted(related, key=lambda found: str(found.partname))


def _style_elements(part: Part) -> list[Any]:
    return [_element(styles) for styles in _related(part, "styles")]


def _numbering(part: Part) -> WordNumbering:
    for numbering in _related(part, "numbering"):
        try:
            return numbering_from_xml(_element(numbering))
        except Exception:  # lists without their numbers are better than no document
            break
    return WordNumbering()


def _add_extra_parts(part: Part, walker: Walker) -> None:
    """Footnotes, endnotes, headers and footers; what several headers repeat is written once."""
    for kind in _EXTRA_PARTS:
        for extra in _related(part, kind):
            try:
                element = _element(extra)
            except Exception:
                continue
            walker.walk(element, once=kind in ("header", "footer"))
