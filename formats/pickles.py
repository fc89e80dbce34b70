"""Data frames out of pickles that nobody vouches for.

A pickle is a program. Python's own unpickler would run it; here a small machine knows the dozen
instructions that data need, and a global is a name and nothing else: none is imported, none is called.
What the program would have made stays behind as a tree of `Made`, and `read_frame` takes the columns
of the one data frame out of it. Layout: pandas 0.14 to 1.2, as in the files of PandaSet.
"""

from __future__ import annotations

import math
import pickletools
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np

from formats.errors import FormatError
from formats.files import read_gzip

MOST_BYTES = 1 << 30
MOST_STEPS = 2_000_000
CORE = "numpy.core.multiarray"
ADMITTED = frozenset(
    {
        f"{CORE}._reconstruct",
        "numpy._core.multiarray._reconstruct",
        "numpy.dtype",
        "numpy.ndarray",
        "pandas.core.frame.DataFrame",
        "pandas.core.internals.managers.BlockManager",
        "pandas.core.indexes.base.Index",
        "pandas.core.indexes.base._new_Index",
        "pandas.core.indexes.range.RangeIndex",
        "builtins.slice",
    }
)
NUMBERS = {f"{kind}{size}" for kind in "iu" for size in (1, 2, 4, 8)} | {"f2", "f4", "f8", "b1"}
Column = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class Global:
    """The name of something in a Python module."""

    name: str


@dataclass(slots=True)
class Made:
    """What calling a global would have made, and the state it would have been given."""

    by: Global
    args: tuple[Any, ...]
    state: Any = field(default=None)


class _Refused(Exception):
    """An instruction that cannot be followed."""


def read_frame(path: Path) -> dict[str, Column]:
    """The columns of a gzipped pickle of one pandas data frame, all of one length, in order.

    Raises:
        FormatError: damaged, larger than 1 GiB, or anything but a data frame of numbers and strings.
    """
    content = read_gzip(path, MOST_BYTES)
    root = _follow(path, content)
    try:
        return _columns(root)
    except (_Refused, LookupError, OverflowError, TypeError, ValueError) as error:
        raise FormatError(path, "", f"not a data frame that can be read: {error}") from None


def _follow(path: Path, content: bytes) -> Any:
    machine = _Machine()
    position = 0
    try:
        for step, (opcode, argument, at) in enumerate(pickletools.genops(content)):
            position = at or 0
            if step >= MOST_STEPS:
                raise _Refused(f"more than {MOST_STEPS} instructions")
            machine.follow(opcode.name, argument)
        return machine.pop()
    except (_Refused, LookupError, OverflowError, TypeError, ValueError) as error:
        raise FormatError(path, f"byte {position} unpacked", f"refused pickle: {error}") from None


class _Machine:
    """A stack, its marks and a memo (Python's pickle protocols 2 to 5, data only)."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}

    def follow(self, name: str, argument: Any) -> None:
        """Obeys one instruction."""
        if name in _PUSHES:
            self.stack.append(_PUSHES[name](argument))
        elif name in _STEPS:
            _STEPS[name](self, argument)
        else:
            raise _Refused(f"the instruction {name} has no place in a data frame")

    def pop(self) -> Any:
        """Takes the topmost value, which no mark may guard."""
        if len(self.stack) <= (self.marks[-1] if self.marks else 0):
            raise _Refused("a value is missing")
        return self.stack.pop()

    def pop_to_mark(self) -> list[Any]:
        """Takes all values above the last mark."""
        if not self.marks:
            raise _Refused("a mark is missing")
        mark = self.marks.pop()
        values = self.stack[mark:]
        del self.stack[mark:]
        return values

    def top(self, kind: type) -> Any:
        """The topmost value, which must be of a kind."""
        if not self.stack or type(self.stack[-1]) is not kind:
            raise _Refused(f"a {kind.__name__} is missing")
        return self.stack[-1]

    def push_tuple(self, count: int) -> None:
        """Gathers the topmost values."""
        values = [self.pop() for _ in range(count)]
        self.stack.append(tuple(reversed(values)))

    def set_items(self, flat: list[Any]) -> None:
        """Puts key and value after key and value into the topmost dict."""
        target = self.top(dict)
        for key, value in zip(flat[::2], flat[1::2], strict=True):
            if type(key) is not str:
                raise _Refused("a key that is no string")
            target[key] = value

    def push_global(self, module: Any, name: Any) -> None:
        """Names a global, if it is one that data need."""
        full = f"{module}.{name}" if type(module) is type(name) is str else "a global without a name"
        if full not in ADMITTED:
            raise _Refused(f"it names {full}, which no data frame needs")
        self.stack.append(Global(full))

    def make(self) -> None:
        """Notes a call."""
        args, by = self.pop(), self.pop()
        if type(by) is not Global or type(args) is not tuple:
            raise _Refused("it calls what is no global")
        self.stack.append(Made(by, args))

    def build(self) -> None:
        """Notes the state of what was made."""
        state = self.pop()
        self.top(Made).state = state

    def extend(self, values: list[Any]) -> None:
        """Appends to the topmost list."""
        self.top(list).extend(values)

    def memoize(self, key: int) -> None:
        """Keeps the topmost value for later."""
        if not self.stack:
            raise _Refused("a value is missing")
        self.memo[key] = self.stack[-1]


def _same(argument: Any) -> Any:
    return argument


_PUSHES: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT"), _same),
    **dict.fromkeys(("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"), _same),
    **dict.fromkeys(("BINBYTES", "SHORT_BINBYTES", "BINBYTES8"), _same),
    "NONE": lambda _: None,
    "NEWTRUE": lambda _: True,
    "NEWFALSE": lambda _: False,
    "EMPTY_TUPLE": lambda _: (),
    "EMPTY_LIST": lambda _: [],
    "EMPTY_DICT": lambda _: {},
}
_STEPS: dict[str, Callable[[_Machine, Any], None]] = {
    **dict.fromkeys(("PROTO", "FRAME", "STOP"), lambda machine, _: None),
    "MARK": lambda machine, _: machine.marks.append(len(machine.stack)),
    "TUPLE": lambda machine, _: machine.stack.append(tuple(machine.pop_to_mark())),
    "TUPLE1": lambda machine, _: machine.push_tuple(1),
    "TUPLE2": lambda machine, _: machine.push_tuple(2),
    "TUPLE3": lambda machine, _: machine.push_tuple(3),
    "APPEND": lambda machine, _: machine.extend([machine.pop()]),
    "APPENDS": lambda machine, _: machine.extend(machine.pop_to_mark()),
    "SETITEM": lambda machine, _: machine.set_items([machine.pop(), machine.pop()][::-1]),
    "SETITEMS": lambda machine, _: machine.set_items(machine.pop_to_mark()),
    **dict.fromkeys(("BINPUT", "LONG_BINPUT"), lambda machine, key: machine.memoize(key)),
    "MEMOIZE": lambda machine, _: machine.memoize(len(machine.memo)),
    **dict.fromkeys(("BINGET", "LONG_BINGET"), lambda machine, key: machine.stack.append(machine.memo[key])),
    "GLOBAL": lambda machine, names: machine.push_global(*names.split(" ", 1)),
    "STACK_GLOBAL": lambda machine, _: machine.push_global(*[machine.pop(), machine.pop()][::-1]),
    **dict.fromkeys(("REDUCE", "NEWOBJ"), lambda machine, _: machine.make()),
    "BUILD": lambda machine, _: machine.build(),
}


def _made_by(value: Any, *names: str) -> Made:
    if type(value) is not Made or value.by.name.rpartition(".")[2] not in names:
        raise _Refused(f"a {names[0]} is missing")
    return value


def _columns(root: Any) -> dict[str, Column]:
    frame = _made_by(root, "DataFrame").state
    content = _made_by(frame["_data"], "BlockManager").state[3]["0.14.1"]
    names = _array(_made_by(content["axes"][0], "_new_Index").args[1]["data"])
    if names.dtype != object or not all(type(n) is str for n in names) or len(set(names)) < len(names):
        raise _Refused("its columns need names that differ")
    found: dict[int, Column] = {}
    size = 0
    for block in content["blocks"]:
        values = _array(block["values"])
        size += values.nbytes
        if size > MOST_BYTES:
            raise _Refused("its columns are too long")
        places = _places(block["mgr_locs"], len(names))
        if values.ndim != 2 or len(values) != len(places) or not found.keys().isdisjoint(places):
            raise _Refused("its blocks do not fit its columns")
        found.update(zip(places, values, strict=True))
    if len(found) != len(names) or len({len(column) for column in found.values()}) > 1:
        raise _Refused("its blocks do not fit its columns")
    return {name: found[place] for place, name in enumerate(names)}


def _places(value: Any, count: int) -> list[int]:
    if type(value) is Made and value.by.name == "builtins.slice":
        return list(range(count)[slice(*value.args)])
    places = _array(value)
    if places.size > count:
        raise _Refused("its blocks do not fit its columns")
    return [range(count)[place] for place in places.tolist()]


def _array(value: Any) -> Column:
    """A numpy array as numpy would have unpickled it, sizes checked first."""
    _, shape, type_made, fortran, raw = _made_by(value, "_reconstruct").state
    dtype = _dtype(type_made)
    if type(shape) is not tuple or len(shape) > 2 or not all(type(n) is int and n >= 0 for n in shape):
        raise _Refused("an array of impossible shape")
    count = math.prod(shape)
    wanted = count if dtype is None else count * dtype.itemsize
    if type(raw) is not (list if dtype is None else bytes) or len(raw) != wanted:
        raise _Refused("an array whose shape does not fit its values")
    order: Literal["F", "C"] = "F" if fortran else "C"
    if dtype is not None:
        return np.ndarray(shape, dtype, buffer=cast(bytes, raw), order=order)
    if not all(item is None or type(item) in (str, int, float, bool) for item in raw):
        raise _Refused("a column holds what is neither number nor string")
    column = np.empty(count, dtype=object)
    column[:] = raw
    return column.reshape(shape, order=order)


def _dtype(made: Any) -> np.dtype[Any] | None:
    """None for a column of Python objects."""
    code = _made_by(made, "dtype").args[0]
    if code in ("O8", "O4", "O"):
        return None
    if type(code) is not str or code not in NUMBERS:
        raise _Refused("an array of a type that is neither number nor object")
    byte_order = made.state[1]
    return np.dtype(code).newbyteorder(byte_order if byte_order in ("<", ">") else "=")
