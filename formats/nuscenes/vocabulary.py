"""The words that labels refer to: rows of category, attribute and visibility."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from formats.nuscenes.categories import (
    ATTRIBUTES,
    CATEGORIES,
    VISIBILITIES,
    nuscenes_attribute,
    nuscenes_category,
)
from formats.nuscenes.tables import Row, TableWriter
from formats.nuscenes.tokens import token_of
from fusion.labels import Annotation, Track

WORDS = {"category": "name", "attribute": "name", "visibility": "level"}
OURS = {"category": CATEGORIES, "attribute": ATTRIBUTES, "visibility": VISIBILITIES}


class Vocabulary:
    """All words of nuScenes; or those of a data set, and of nuScenes' those that are asked for.

    Attributes:
        rows: by table.
    """

    def __init__(self, there: Mapping[str, Iterable[Row]] | None = None) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {table: [] for table in WORDS}
        self._row_of: dict[tuple[str, str], dict[str, Any]] = {}
        self._class_of: dict[int, str] = {}
        for table, rows in (there or {}).items():
            for row in rows:
                self._add(table, row.text(WORDS[table]), dict(row.fields))
        for table, words in OURS.items() if there is None else ():
            for word in words:
                self.token(table, word)

    def token(self, table: str, word: str) -> str:
        """The token of a word, which is added where it is new."""
        if (table, word) not in self._row_of:
            fields = {"token": token_of(table, word), WORDS[table]: word, "description": ""}
            if table == "visibility":
                number, (low, high) = str(VISIBILITIES.index(word) + 1), word[1:].split("-")
                taken = any(row["token"] == number for row in self.rows[table])
                fields |= {} if taken else {"token": number}
                fields["description"] = f"estimated share of the object in all images is {low} to {high} %"
            self._add(table, word, fields)
        return str(self._row_of[table, word]["token"])

    def category(self, track: Track) -> str:
        """The token of an object's class: its own where that is known, else the nearest of nuScenes'."""
        known = ("category", track.category) in self._row_of
        return self.token("category", track.category if known else nuscenes_category(track.category))

    def attributes(self, track: Track, annotation: Annotation) -> list[str]:
        """The token of what nuScenes calls an object's state, if it has a word for it."""
        said = annotation.attributes.get("attribute")
        if said not in ATTRIBUTES and ("attribute", said) in self._row_of:
            return [self.token("attribute", str(said))]
        word = nuscenes_attribute(track.category, {**track.attributes, **annotation.attributes})
        return [self.token("attribute", word)] if word else []

    def number_classes(self, rows: Iterable[Row]) -> None:
        """Takes over the numbers of classes by which single points are labelled.

        Raises:
            FormatError: another data set has given a number or a class away already.
        """
        for row in rows:
            number, name = row.fields.get("index"), row.text("name")
            if type(number) is int:
                self.token("category", name)
                mine = self._row_of["category", name]
                if mine.setdefault("index", number) != number:
                    raise row.error(f"{name!r} is class {number} here and {mine['index']} elsewhere")
                if self._class_of.setdefault(number, name) != name:
                    raise row.error(f"class {number} is {self._class_of[number]!r} elsewhere")
                mine["description"] = mine["description"] or row.fields.get("description", "")

    def write(self, tables: TableWriter) -> None:
        """Writes all rows; where some classes have a number, the others get the numbers that follow."""
        numbers = [row["index"] for row in self.rows["category"] if type(row.get("index")) is int]
        for row in self.rows["category"] if numbers else ():
            if type(row.get("index")) is not int:
                numbers.append(max(numbers) + 1)
                row["index"] = numbers[-1]
        for table, rows in self.rows.items():
            for row in rows:
                tables.add_row(table, row)

    def _add(self, table: str, word: str, fields: dict[str, Any]) -> None:
        self.rows[table].append(fields)
        self._row_of.setdefault((table, word), fields)
