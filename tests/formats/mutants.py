"""Thousands of damaged copies of small data sets, each of which a reader must refuse in one line or read.

`python -m tests.formats.mutants nuscenes --count 5000` damages one file at a time, reads everything there
is, and prints what went wrong: another error than `CrosslabelError`, more than ten seconds, more than two
gigabytes, or a file outside of its folder that was touched. The same seed gives the same damage.
"""

from __future__ import annotations

import argparse
import gzip
import random
import re
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from calib.errors import CrosslabelError
from formats.format import Format
from formats.registry import FORMATS
from tests.formats.samples import SAMPLES, drive

MOST_S, MOST_BYTES = 10, 2 << 30
NUMBER = re.compile(rb"-?\d+\.?\d*(?:[eE][-+]?\d+)?")
ODD_NUMBERS = (
    b"NaN",
    b"1e999",
    b"-1",
    b"0",
    b"99999999999999999999",
    b"4294967296",
    b'"x"',
    b"null",
    b"[]",
    b"1e308",
)
ODD_TEXTS = (
    b"../../../../etc/passwd",
    b"/etc/passwd",
    b"C:\\windows",
    b"",
    b"\x00",
    b"a" * 5000,
    b"\xff\xfe",
)
XML_BOMB = b'<!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;&b;">]>'


def cut(content: bytes, rng: random.Random) -> bytes:
    """The beginning."""
    return content[: rng.randrange(len(content) + 1)]


def flipped(content: bytes, rng: random.Random) -> bytes:
    """A few bits turned, mostly where headers are."""
    spoilt = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 8, 64))):
        if spoilt:
            at = rng.randrange(min(len(spoilt), 512) if rng.random() < 0.5 else len(spoilt))
            spoilt[at] ^= 1 << rng.randrange(8)
    return bytes(spoilt)


def overwritten(content: bytes, rng: random.Random) -> bytes:
    """Four or eight bytes of a number of an absurd size."""
    if len(content) < 8:
        return b""
    at = rng.randrange(len(content) - 7)
    new = rng.choice((b"\xff" * 4, b"\x7f" + b"\xff" * 7, b"\0" * 8, b"\xff" * 8, b"\x7f\xff\xff\xff"))
    return content[:at] + new + content[at + len(new) :]


def repeated(content: bytes, rng: random.Random) -> bytes:
    """A piece twice."""
    first, last = sorted(rng.randrange(len(content) + 1) for _ in range(2))
    return content[:last] + content[first:]


def removed(content: bytes, rng: random.Random) -> bytes:
    """Without a piece."""
    first, last = sorted(rng.randrange(len(content) + 1) for _ in range(2))
    return content[:first] + content[last:]


def renumbered(content: bytes, rng: random.Random) -> bytes:
    """One number of a text becomes an odd one."""
    found = list(NUMBER.finditer(content[:200_000]))
    if not found:
        return flipped(content, rng)
    where = rng.choice(found)
    return content[: where.start()] + rng.choice(ODD_NUMBERS) + content[where.end() :]


def retold(content: bytes, rng: random.Random) -> bytes:
    """One quoted text becomes an odd one."""
    found = list(re.finditer(rb'"([^"\n]{0,200})"', content[:200_000]))
    if not found:
        return flipped(content, rng)
    where = rng.choice(found)
    return content[: where.start(1)] + rng.choice(ODD_TEXTS) + content[where.end(1) :]


def relined(content: bytes, rng: random.Random) -> bytes:
    """A line is gone, twice there, or elsewhere."""
    lines = content.split(b"\n")
    at = rng.randrange(len(lines))
    line = lines.pop(at)
    for _ in range(rng.randrange(3)):
        lines.insert(rng.randrange(len(lines) + 1), line)
    return b"\n".join(lines)


def nonsense(content: bytes, rng: random.Random) -> bytes:
    """Something else altogether."""
    bombs = (b"", b"\0" * 1000, b"[" * 100_000, b"{}", b"[]", XML_BOMB + content, b"PK\x03\x04" + content)
    return rng.choice((*bombs, rng.randbytes(300), b"cos\nsystem\n(S'touch pwned'\ntR."))


DAMAGES = (
    cut,
    flipped,
    flipped,
    overwritten,
    repeated,
    removed,
    renumbered,
    renumbered,
    retold,
    relined,
    nonsense,
)


def damaged(file: Path, whole: bytes, rng: random.Random) -> bytes:
    """What is packed is mostly damaged within, so that it can be unpacked."""
    damage = rng.choice(DAMAGES)
    if file.suffix == ".gz" and rng.random() < 0.8:
        return gzip.compress(damage(gzip.decompress(whole), rng), 1)
    return damage(whole, rng)


def read_everything(source: Format, path: Path) -> None:
    """What a careful user reads: every log, its labels, its first sweeps and images of each sensor."""
    for log_id in source.log_ids(path):
        if source.open_log is None:
            assert source.read_labels is not None
            source.read_labels(path, drive()[0])
            continue
        log = source.open_log(path, log_id)
        if source.read_labels is not None:
            source.read_labels(path, log)
        for by_sensor in (log.sweeps, log.images):
            for refs in by_sensor.values():
                for ref in refs[:2]:
                    ref.read()


class _TooLongError(Exception):
    """A reader does not come to an end."""


@contextmanager
def within_limits() -> Iterator[None]:
    """Ten seconds, and two gigabytes beyond what is in use."""

    def ring(*_: object) -> None:
        raise _TooLongError(f"more than {MOST_S} s")

    used = int(Path("/proc/self/status").read_text().split("VmData:")[1].split()[0]) << 10
    before = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (used + MOST_BYTES, before[1]))
    signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, MOST_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        resource.setrlimit(resource.RLIMIT_DATA, before)


def attempt(source: Format, path: Path, read: Callable[[Format, Path], None] = read_everything) -> str:
    """What went wrong, in words; nothing where it was read or refused."""
    try:
        with within_limits(), warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", DeprecationWarning)  # Python's own, of odd escapes
            if source.recognises(path):
                read(source, path)
    except CrosslabelError as error:
        message = str(error)
        return "" if "\n" not in message and len(message) < 1000 else f"a long message: {message[:300]!r}"
    except BaseException as error:  # whatever else it is, it is a fault of ours
        if isinstance(error, KeyboardInterrupt):
            raise
        place = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__}: {str(error)[:200]} ({Path(place.filename).name}:{place.lineno})"
    return ""


def mutants(name: str, count: int, seed: int, folder: Path) -> Iterator[tuple[int, str, str]]:
    """Number, file and what went wrong of each damaged copy that was neither read nor refused."""
    source = next(format for format in FORMATS if format.name == name.split()[0])
    data = folder / "data"
    SAMPLES[name](data)
    files = sorted(path for path in data.rglob("*") if path.is_file())
    found = attempt(source, data)
    assert not found and source.recognises(data), f"the sample itself: {found or 'is not recognised'}"
    outside = {path for path in folder.rglob("*") if not path.is_relative_to(data)}
    for number in range(count):
        rng = random.Random(f"{name} {seed} {number}")
        file = rng.choice(files)
        whole = file.read_bytes()
        file.write_bytes(damaged(file, whole, rng))
        wrong = attempt(source, data)
        touched = {path for path in folder.rglob("*") if not path.is_relative_to(data)} - outside
        if touched:
            wrong = wrong or f"touched {touched}"
        if wrong:
            yield number, str(file.relative_to(data)), wrong
        file.write_bytes(whole)


def main() -> None:
    """Damages, reads, prints."""
    asked = argparse.ArgumentParser()
    asked.add_argument("formats", nargs="*", default=sorted(SAMPLES))
    asked.add_argument("--count", type=int, default=5000)
    asked.add_argument("--seed", type=int, default=0)
    given = asked.parse_args()
    failed = 0
    for name in given.formats:
        start = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            for number, file, wrong in mutants(name, given.count, given.seed, Path(folder)):
                failed += 1
                print(f"{name} {number} {file}: {wrong}", flush=True)
        print(f"{name}: {given.count} damaged copies, {time.monotonic() - start:.0f} s", flush=True)
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
