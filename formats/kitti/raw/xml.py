"""XML read with suspicion: no entities, nothing from elsewhere, nothing deep."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from formats.errors import FormatError
from formats.files import read_bytes

DEEPEST = 32
MOST_BYTES = 1 << 29


def read_xml(path: Path) -> Element:
    """The root of an XML file.

    Raises:
        FormatError: it cannot be read, is no XML, too long or too deep, or declares entities.
    """
    content = read_bytes(path)
    if len(content) > MOST_BYTES:
        raise FormatError(path, "", "too long")
    builder, parser = TreeBuilder(), expat.ParserCreate()
    depth = 0

    def where() -> str:
        return f"line {parser.CurrentLineNumber}"

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > DEEPEST:
            raise FormatError(path, where(), f"nested more than {DEEPEST} deep")
        builder.start(name, attributes)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(name)

    def refuse(*_: Any) -> None:
        raise FormatError(path, where(), "refused: it declares or names entities")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = builder.data
    parser.EntityDeclHandler = parser.SkippedEntityHandler = refuse
    parser.ExternalEntityRefHandler = parser.UnparsedEntityDeclHandler = refuse  # type: ignore[assignment]
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise FormatError(path, where(), f"not XML that can be read: {error}") from None
    return builder.close()
