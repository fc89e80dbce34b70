"""Rows of nuScenes' tables that are well-formed and lead somewhere, and chains that hold together."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from formats.errors import FormatError
from formats.nuscenes.tables import rows
from formats.validate.fault import Faults
from formats.validate.nuscenes_rules import CHAIN, ENDS, FIELD, FIELDS, FOREIGN, ORDER, TABLE, TOKEN, TURN

UNIT_WITHIN = 1e-3

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Link:
    """A row in a chain: what it says comes before and after, which chain it is in, and when."""

    prev: str
    next: str
    chain: str
    timestamp_us: int


@dataclass(slots=True)
class Tables:
    """Tokens of the tables that were read so far, and what is wrong with them."""

    folder: Path
    faults: Faults
    tokens: dict[str, set[str]] = field(default_factory=dict)

    def sound(self, table: str) -> Iterator[Fields]:
        """The rows of a table that are as they must be; what is wrong with the others is noted."""
        file, known = f"{table}.json", self.tokens.setdefault(table, set())
        if not (self.folder / file).is_file():
            self.faults.add(TABLE, file, "", "there is no such file")
            return
        try:
            for _, row in rows(self.folder / file):
                token = row.fields.get("token")
                if not isinstance(token, str) or not token:
                    self.faults.add(
                        FIELD, file, "", f"a row without a token: {str(row.fields)[:80]}", "token"
                    )
                elif token in known:
                    self.faults.add(TOKEN, file, f"token {token!r}", "is the token of an earlier row too")
                else:
                    known.add(token)
                    if self._sound(file, table, row.fields):
                        yield row.fields
        except FormatError as error:
            self.faults.add(FIELD, file, error.where, error.message)

    def _sound(self, file: str, table: str, fields: Fields) -> bool:
        whole = True
        for name, kind in FIELDS[table].items():
            value = fields.get(name)
            place = f"token {fields['token']!r}"
            if not _fits(value, kind):
                self.faults.add(FIELD, file, place, f"{name} is {str(value)[:60]!r}, not {_must(kind)}", name)
                whole = False
                continue
            for token in _tokens(value, kind):
                if token not in self.tokens[_target(kind)]:
                    words = f"{name} {token!r} is in no row of {_target(kind)}.json"
                    self.faults.add(FOREIGN, file, place, words, name)
                    whole = False
            if name == "rotation":
                length = math.sqrt(sum(part * part for part in value or []))
                if abs(length - 1) > UNIT_WITHIN:
                    self.faults.add(TURN, file, place, f"a rotation of length {length:.4g}")
        return whole

    def check_chains(self, table: str, links: dict[str, Link]) -> dict[str, list[str]]:
        """The tokens of each chain from first to last, where it holds together."""
        file = f"{table}.json"
        chains: dict[str, list[str]] = {}
        for token, link in links.items():
            for name, other in (("prev", link.prev), ("next", link.next)):
                if other:
                    self._check_link(file, token, link, name, links.get(other), other)
            if not link.prev:
                chains.setdefault(link.chain, []).append(token)
        return {chain: self._followed(links, firsts) for chain, firsts in chains.items()}

    def _check_link(
        self, file: str, token: str, link: Link, name: str, other: Link | None, other_token: str
    ) -> None:
        place = f"token {token!r}"
        if other is None:
            self.faults.add(CHAIN, file, place, f"{name} {other_token!r} is no row", name)
            return
        if (other.next if name == "prev" else other.prev) != token:
            words = f"{name} is {other_token!r}, which does not lead back"
            self.faults.add(CHAIN, file, place, words, name)
        if other.chain != link.chain:
            self.faults.add(ORDER, file, place, f"{name} leads into another chain: {other.chain!r}", name)
        later_us = other.timestamp_us - link.timestamp_us
        if (later_us <= 0) if name == "next" else (later_us >= 0):
            words = f"{name} lies {abs(later_us)} us {'before' if later_us < 0 else 'after'} it"
            self.faults.add(ORDER, file, place, words, f"{name} time")

    def _followed(self, links: dict[str, Link], firsts: list[str]) -> list[str]:
        found: list[str] = []
        seen: set[str] = set()
        for first in firsts:
            token = first
            while token in links and token not in seen:
                seen.add(token)
                found.append(token)
                token = links[token].next
        return found

    def check_ends(
        self, table: str, token: str, told: tuple[str, str, int], members: list[str], count: int, what: str
    ) -> None:
        """That a row names the ends of its chain and how long it is."""
        file, place = f"{table}.json", f"token {token!r}"
        first, last, number = told
        if number != count:
            self.faults.add(ENDS, file, place, f"says {number} {what}, there are {count}", "number")
        for name, said, true in (("first", first, members[:1]), ("last", last, members[-1:])):
            if [said] != true:
                words = f"its {name} is {said!r}, the chain says {true[0] if true else 'none'!r}"
                self.faults.add(ENDS, file, place, words, name)


def _fits(value: Any, kind: str | int) -> bool:
    if isinstance(kind, int):
        return (
            isinstance(value, list)
            and len(value) == kind
            and all(type(part) in (int, float) and math.isfinite(part) for part in value)
        )
    if kind == "whole":
        return type(value) is int
    if kind == "flag":
        return type(value) is bool
    if kind.startswith("tokens:"):
        return isinstance(value, list) and all(isinstance(part, str) for part in value)
    return isinstance(value, str)


def _must(kind: str | int) -> str:
    if isinstance(kind, int):
        return f"{kind} finite numbers"
    words = {"whole": "a whole number", "flag": "true or false", "text": "a text"}
    return words.get(kind, "a list of tokens" if kind.startswith("tokens:") else "a token")


def _tokens(value: Any, kind: str | int) -> list[str]:
    if isinstance(kind, int) or ":" not in kind:
        return []
    if kind.startswith("tokens:"):
        return list(value)
    return [value] if value or kind.startswith("token:") else []


def _target(kind: str | int) -> str:
    return str(kind).partition(":")[2]
