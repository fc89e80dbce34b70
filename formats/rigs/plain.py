"""Flat dataclasses as tables of plain values and back: a field that a type gains needs no new code here."""

from __future__ import annotations

import types
from collections.abc import Iterable
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from formats.fields import Field, short

PLAIN = (bool, int, float, str)


def to_plain(value: Any, leave_out: Iterable[str] = ()) -> dict[str, Any]:
    """The fields of a dataclass that hold numbers, texts and tuples of these, by name."""
    kept = [name for name in _stored_types(type(value)) if name not in set(leave_out)]
    return {name: _listed(getattr(value, name)) for name in kept}


def from_plain(field: Field, kind: type, given: dict[str, Any]) -> dict[str, Any]:
    """The arguments that make a dataclass out of a table, beside those given.

    Raises:
        FormatError: a field is missing, of another type, or unknown.
    """
    wanted = {name: hint for name, hint in _stored_types(kind).items() if name not in given}
    arguments = dict(given)
    for name, part in field.items():
        if name not in wanted:
            raise part.error(f"there is no such field; known are {', '.join(wanted)}")
        arguments[name] = _checked(part, wanted[name])
    for declared in fields(kind):
        has_default = declared.default is not MISSING or declared.default_factory is not MISSING
        if declared.name in wanted and declared.name not in arguments and not has_default:
            raise field.error(f"without the key {declared.name!r}")
    return arguments


def _stored_types(kind: type) -> dict[str, Any]:
    """Type by name of the fields that a dataclass is made with."""
    assert is_dataclass(kind)
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind) if field.init}


def _listed(value: Any) -> Any:
    return [_listed(part) for part in value] if isinstance(value, tuple) else value


def _checked(field: Field, hint: Any) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _checked_union(field, arguments)
    if origin is Literal:
        if field.value not in arguments or type(field.value) not in map(type, arguments):
            raise field.error(f"must be one of {', '.join(map(repr, arguments))}, not {short(field.value)}")
        return field.value
    if origin is tuple:
        return _checked_tuple(field, arguments)
    if hint is bool:
        return field.flag()
    if hint is int:
        return _whole(field)
    if hint is float:
        return field.number()
    if hint is str:
        return field.text()
    raise field.error(f"a field of type {hint} is not kept in a file")


def _whole(field: Field) -> int:
    if type(field.value) is not int or abs(field.value) >= 1 << 63:
        raise field.error(f"must be a whole number, not {short(field.value)}")
    return field.value


def _checked_union(field: Field, hints: tuple[Any, ...]) -> Any:
    if field.value is None and type(None) in hints:
        return None
    (hint,) = [hint for hint in hints if hint is not type(None)]
    return _checked(field, hint)


def _checked_tuple(field: Field, hints: tuple[Any, ...]) -> tuple[Any, ...]:
    entries = field.entries()
    if len(hints) == 2 and hints[1] is Ellipsis:
        return tuple(_checked(entry, hints[0]) for entry in entries)
    if len(entries) != len(hints):
        raise field.error(f"needs {len(hints)} values, not {len(entries)}")
    return tuple(_checked(entry, hint) for entry, hint in zip(entries, hints, strict=True))
