"""Data frames out of pickles: what pandas reads, without running anything."""

import gzip
import os
import pickle
import resource
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formats.errors import FormatError
from formats.pickles import read_frame

FRAMES = ("lidar/00.pkl.gz", "annotations/cuboids/00.pkl.gz", "annotations/semseg/00.pkl.gz")


@pytest.fixture(scope="module")
def cuboids(shared_data: Path) -> bytes:
    return gzip.decompress((shared_data / "pandaset" / "002" / FRAMES[1]).read_bytes())


@pytest.fixture
def read(tmp_path: Path) -> Callable[[bytes], dict[str, Any]]:
    def read_bytes(content: bytes) -> dict[str, Any]:
        file = tmp_path / "07.pkl.gz"
        file.write_bytes(gzip.compress(content, compresslevel=1))
        return read_frame(file)

    return read_bytes


@pytest.mark.parametrize("name", FRAMES)
def test_columns_are_those_that_pandas_reads(shared_data: Path, name: str) -> None:
    import pandas

    file = shared_data / "pandaset" / "002" / name
    theirs, ours = pandas.read_pickle(file), read_frame(file)
    assert list(ours) == list(theirs.columns)
    for column, values in ours.items():
        expected = theirs[column].to_numpy()
        assert values.dtype == expected.dtype
        same = values == expected
        assert np.all(same | (values != values) & (expected != expected))


class Calls:
    """Pickles as a call of something with arguments."""

    def __init__(self, function: Callable[..., Any], *args: Any) -> None:
        self.call = (function, args)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.call


FRAME_HEAD = b"\x80\x03cpandas.core.frame\nDataFrame\n)\x81"


def text(value: str) -> bytes:
    """The instruction that pushes a string."""
    return b"X" + struct.pack("<I", len(value)) + value.encode()


HOSTILE: dict[str, Callable[[Path], bytes]] = {
    "posix.system": lambda marker: pickle.dumps(Calls(os.system, f"touch {marker}"), 3),
    "builtins.eval": lambda marker: pickle.dumps(Calls(eval, f"open({str(marker)!r}, 'w').close()"), 4),
    "builtins.exec": lambda marker: pickle.dumps(
        [{"a": Calls(exec, f"open({str(marker)!r}, 'w').close()")}], 5
    ),
    # the function is kept in the memo, dropped, and fetched again
    "posix.mkdir": lambda marker: b"\x80\x03cposix\nmkdir\nq\x00]h\x00" + text(str(marker)) + b"\x85Ra.",
    # the call hides in the state of an honest data frame
    "posix.mknod": lambda marker: (
        FRAME_HEAD + b"}X\x05\x00\x00\x00_datacposix\nmknod\n" + text(str(marker)) + b"\x85Rsb."
    ),
    # the name of the function is put together on the stack
    "posix.open": lambda marker: (
        b"\x80\x04\x8c\x05posix\x8c\x04open\x93" + text(str(marker)) + b"K\x42K\x42\x87R."
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_runs(tmp_path: Path, read: Callable[[bytes], Any], name: str) -> None:
    content = HOSTILE[name](tmp_path / "marker")
    with pytest.raises(FormatError, match=rf"07\.pkl\.gz: byte \d+ unpacked: .*{name}"):
        read(content)
    assert not (tmp_path / "marker").exists()


@pytest.mark.parametrize("name", HOSTILE)
def test_python_itself_would_have_run_it(tmp_path: Path, name: str) -> None:
    content = HOSTILE[name](tmp_path / "marker").replace(
        b"cpandas.core.frame\nDataFrame\n", b"cargparse\nNamespace\n"
    )
    pickle.loads(content)
    assert (tmp_path / "marker").exists()


DOUBLED = (
    b")q\x00" + b"h\x00\x86q\x00" * 60
)  # a tuple of twice itself, sixty times over: walking it takes for ever


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b".",
        b"\x80\x03",
        b"not a pickle",
        b"\x80\x03}.",
        b"\x80\x03h\x07.",  # out of an empty memo
        b"\x80\x03r\xff\xff\xff\x7f.",  # into the last place of a memo of 32 GiB
        b"\x80\x03Nr\xff\xff\xff\x7f.",
        b"\x80\x05\x96\xff\xff\xff\xff\xff\x00\x00\x00.",  # a byte array of a terabyte
        b"\x80\x04\x8e\xff\xff\xff\xff\xff\x00\x00\x00.",
        b"\x80\x03\x82\x01.",  # the extension registry
        b"\x80\x03Pid\n.",  # a persistent id
        b"\x80\x03}(" + DOUBLED + b"Nu.",  # as a key, it would be hashed
        b"\x80\x04" + DOUBLED + DOUBLED + b"\x93.",  # as a name, it would be printed
        b"\x80\x03(((((t.",
        b"\x80\x03cnumpy\nndarray\n)R(KKt\x85b.",
        b"\x80\x03cbuiltins\nslice\nNb.",  # a state for a type
        b"(" * 100_000 + b".",
        b"]" + b"(]" * 50_000 + b".",
        FRAME_HEAD + b"Nb.",
        FRAME_HEAD + b"}b.",
        FRAME_HEAD + b"]b.",
        FRAME_HEAD + b"}X\x05\x00\x00\x00_dataK\x07sb.",
    ],
)
def test_what_is_no_data_frame_is_refused(read: Callable[[bytes], Any], content: bytes) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(FormatError, match=r"07\.pkl\.gz"):
        read(content)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB


def test_too_many_instructions_are_refused(
    read: Callable[[bytes], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("formats.pickles.MOST_STEPS", 1000)
    with pytest.raises(FormatError, match="more than 1000 instructions"):
        read(b"N" * 1001 + b".")


def swapped(content: bytes, old: bytes, new: bytes) -> bytes:
    assert content.count(old) >= 1 and len(old) == len(new)
    return content.replace(old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"X\x02\x00\x00\x00f8", b"X\x02\x00\x00\x00O8"),  # bytes taken for objects
        (b"X\x02\x00\x00\x00f8", b"X\x02\x00\x00\x00V8"),
        (b"X\x02\x00\x00\x00f8", b"X\x02\x00\x00\x00f4"),  # half the size
        (b"K\x07Ku\x86", b"K\xffKu\x86"),  # more rows than bytes
        (b"K\x07Ku\x86", b"K\x00Ku\x86"),
        (b"position.x", b"position.y"),  # two columns of one name
        (b"0.14.1", b"0.14.2"),
    ],
)
def test_tables_that_do_not_add_up_are_refused(
    read: Callable[[bytes], Any], cuboids: bytes, old: bytes, new: bytes
) -> None:
    read(cuboids)
    with pytest.raises(FormatError, match=r"07\.pkl\.gz"):
        read(swapped(cuboids, old, new))


@settings(max_examples=150)
@given(st.data())
def test_any_damage_gives_a_table_or_a_refusal(
    shared_data: Path, cuboids: bytes, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    damaged = bytearray(cuboids)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    file = tmp_path_factory.getbasetemp() / "damaged.pkl.gz"
    file.write_bytes(
        gzip.compress(bytes(damaged[: data.draw(st.integers(0, len(damaged)))]), compresslevel=1)
    )
    try:
        table = read_frame(file)
    except FormatError as error:
        assert str(error).startswith(str(file))
    else:
        assert len({len(column) for column in table.values()}) == 1
