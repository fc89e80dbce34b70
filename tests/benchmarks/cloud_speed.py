"""How fast clouds are read: `python -m tests.benchmarks.cloud_speed`; `--write` for docs/recordings.md."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from formats.recording import RECORDING
from formats.recording.channels import Coding
from formats.recording.clouds import CloudRule, sweep_of
from formats.recording.decode import decoded
from formats.recording.times import TimeRule
from tests.benchmarks.ratios import ONE_THREAD, Comparison, machine, measure
from tests.formats.recording import bags

PAGE = Path(__file__).parents[2] / "docs" / "recordings.md"
BEGIN, END = "<!-- measured -->", "<!-- end of what was measured -->"
POINTS, STAMP_NS = 131_072, 1_700_000_000_000_000_000
FIELDS = ("x", "y", "z", "intensity", "t", "ring")
CODING = Coding("sensor_msgs/msg/PointCloud2", "cdr")
RULE = CloudRule("top", CODING, "start", TimeRule("t", "ns", False))


def cloud(seed: int = 0) -> np.ndarray:
    """A revolution of 128 lasers as an Ouster's driver sends it, 32 bytes a point."""
    random = np.random.default_rng(seed)
    points = np.zeros(POINTS, dtype=bags.OUSTER)
    for axis in "xyz":
        points[axis] = random.normal(0, 30, POINTS)
    points["intensity"], points["ring"] = random.uniform(0, 255, POINTS), np.arange(POINTS) % 128
    points["t"] = np.linspace(0, 99_000_000, POINTS)
    return points


def message() -> bytes:
    """One PointCloud2 in CDR."""
    writing = bags.Writing("mcap")
    writing.cloud("/points", STAMP_NS, "top", cloud())
    return bytes(bags.ROS2.serialize_cdr(writing.notes[0].message, writing.notes[0].type))


def ours(content: bytes) -> object:
    """A sweep of a message, its points checked, its columns in one type each and read-only."""
    return sweep_of(decoded(CODING, content, PAGE, ""), RULE, STAMP_NS, PAGE, "")


def copied(content: bytes | memoryview) -> list[np.ndarray]:
    """The six fields copied out of the bytes of the points, as they are."""
    points = np.frombuffer(content, dtype=bags.OUSTER)
    return [points[name].copy() for name in FIELDS]


def stacked(content: bytes) -> list[np.ndarray]:
    """What a sweep holds, as people write it with numpy: stacked, checked, in the types of a sweep."""
    points = np.frombuffer(content, dtype=bags.OUSTER)
    xyz = np.column_stack([points[axis] for axis in "xyz"]).astype(np.float32)
    known = np.isfinite(xyz).all(axis=1) & (xyz != 0).any(axis=1)
    columns = [points["intensity"].astype(np.float32), points["ring"].astype(np.int32)]
    columns.append(points["t"].astype(np.int64).astype(np.int32))
    return [xyz[known], *(column[known] for column in columns)]


def from_file(path: Path, offset: int) -> list[np.ndarray]:
    """The six fields of points whose place in a file is known."""
    with path.open("rb", buffering=0) as stream:
        stream.seek(offset)
        return copied(stream.read(POINTS * bags.OUSTER.itemsize))


def comparisons(folder: Path) -> Iterator[Comparison]:
    """Ours in memory and from files, against numpy without any check."""
    content, points = message(), cloud().tobytes()
    what = f"{POINTS:,} points of 32 bytes"
    decode: Callable[[], object] = partial(ours, content)
    bare = "`frombuffer` and six copies"
    yield Comparison(f"{what}, in memory", bare, decode, lambda _: copied(points), 0.4)
    yield Comparison(f"{what}, in memory", "numpy as people write it", decode, lambda _: stacked(points), 1.0)
    plain = folder / "points.bin"
    plain.write_bytes(points)
    for kind, name in (("bag", "a ROS 1 bag"), ("mcap", "an MCAP file"), ("db3", "a rosbag2 database")):
        writing = bags.Writing(kind)
        for k in range(3):
            writing.cloud("/top/points", STAMP_NS + k * 100_000_000, "top", cloud(k))
        path = writing.write(folder / kind)
        assert RECORDING.open_log is not None
        ref = RECORDING.open_log(path, RECORDING.log_ids(path)[0]).sweeps["top"][1]
        yield Comparison(
            f"{what}, from {name}", f"a plain file, {bare}", ref.read, lambda _: from_file(plain, 0), 0.1
        )


def table() -> str:
    """All of it in Markdown."""
    lines = ["| what | ours | against | theirs | speed |", "|---|--:|---|--:|--:|"]
    with tempfile.TemporaryDirectory() as folder:
        for one in comparisons(Path(folder)):
            ours_ms, theirs_ms = measure(one)
            ratio = f"**{theirs_ms / ours_ms:.2f}**"
            lines.append(f"| {one.what} | {ours_ms:.2f} ms | {one.whose} | {theirs_ms:.2f} ms | {ratio} |")
            print(lines[-1])
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measures, prints, and writes the page if asked."""
    told = table() + machine()
    if "--write" in sys.argv:
        head, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        tail = rest.partition(END)[2]
        PAGE.write_text(f"{head}{BEGIN}\n{told}{END}{tail}", encoding="utf-8")


if __name__ == "__main__":
    if any(os.environ.get(name) != "1" for name in ONE_THREAD):
        line = [sys.executable, "-m", "tests.benchmarks.cloud_speed", *sys.argv[1:]]
        os.execve(sys.executable, line, {**os.environ, **ONE_THREAD})
    main()
