"""Whether a release is still what it was: every byte, every count, every split."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from formats.errors import FormatError
from formats.fields import Field, read_json_fields
from formats.files import inside, read_text
from formats.jsonl.read import read_file
from formats.release.write import MANIFEST, SCHEMA, SUMS, counts, file_sha256
from fusion.progress import Progress

SUM_LINE = re.compile(r"([0-9a-f]{64})  (.+)")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is not as the release says.

    Attributes:
        id: REL1 a file is missing, REL2 a file was changed, REL3 a file is too much, REL4 the sums do not
            tell of the same files, REL5 a count does not hold, REL6 a drive is in two splits, REL7 labels
            cannot be read.
        path: of the file within the release.
        words: what is wrong.
    """

    id: str
    path: str
    words: str


def verify(folder: Path, progress: Progress | None = None) -> list[Problem]:
    """Reads every file of a release and compares it with what release.json and SHA256SUMS say.

    Raises:
        FormatError: there is no release, or release.json is malformed or names a path that leads out.
    """
    root = read_json_fields(folder / MANIFEST)
    if root["schema"].whole() != SCHEMA:
        raise root["schema"].error(f"made by another version: {SCHEMA} is what is known here")
    files = {entry["path"].text(): entry for entry in root["files"].entries()}
    for path, entry in files.items():
        inside(folder, path, folder / MANIFEST, entry.where)
    return [
        *_changed(folder, files, progress),
        *_too_much(folder, files),
        *_sums(folder, files),
        *_miscounted(folder, root, files),
        *_leaks(root),
    ]


def _changed(folder: Path, files: dict[str, Field], progress: Progress | None) -> Iterator[Problem]:
    for done, (path, entry) in enumerate(files.items()):
        file = folder / path
        if not file.is_file() or file.is_symlink():
            yield Problem("REL1", path, "is missing")
        elif file.stat().st_size != entry["bytes"].whole():
            size = f"has {file.stat().st_size:,} bytes, not {entry['bytes'].whole():,}"
            yield Problem("REL2", path, size)
        elif file_sha256(file) != entry["sha256"].text():
            yield Problem("REL2", path, "holds other bytes than were released")
        if progress is not None:
            progress("files", done + 1, len(files))


def _too_much(folder: Path, files: dict[str, Field]) -> Iterator[Problem]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if (path.is_file() or path.is_symlink()) and name not in files and name not in (MANIFEST, SUMS):
            yield Problem("REL3", name, "is no part of the release")


def _sums(folder: Path, files: dict[str, Field]) -> Iterator[Problem]:
    try:
        lines = read_text(folder / SUMS).splitlines()
    except FormatError as error:
        yield Problem("REL4", SUMS, error.message)
        return
    told: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        found = SUM_LINE.fullmatch(line)
        if found is None:
            yield Problem("REL4", SUMS, f"line {number} is no sum and path")
        else:
            told[found[2]] = found[1]
    expected = {path: entry["sha256"].text() for path, entry in files.items()}
    expected[MANIFEST] = file_sha256(folder / MANIFEST)
    for path in sorted(told.keys() | expected.keys()):
        if told.get(path) != expected.get(path):
            what = "tells" if path in told else "does not tell"
            yield Problem("REL4", path, f"{SUMS} {what} of it otherwise than {MANIFEST}")


def _miscounted(folder: Path, root: Field, files: dict[str, Field]) -> Iterator[Problem]:
    boxes = tracks = 0
    for entry in root["logs"].entries():
        path = entry["labels"].text()
        if path not in files or not (folder / path).is_file():
            yield Problem("REL5", path, f"the labels of {entry['name'].text()!r} are no file of the release")
            continue
        try:
            found = counts(read_file(folder / path))
        except FormatError as error:
            yield Problem("REL7", path, ": ".join(part for part in (error.where, error.message) if part))
            continue
        boxes, tracks = boxes + found["boxes"], tracks + found["tracks"]
        for key, value in found.items():
            if key not in entry or entry[key].value != value:
                yield Problem("REL5", path, f"holds {key}: {value}, and {MANIFEST} says otherwise")
    for key, value in (("boxes", boxes), ("tracks", tracks)):
        if root[key].value != value:
            yield Problem("REL5", MANIFEST, f"says {root[key].value} {key}, its logs hold {value}")


def _leaks(root: Field) -> Iterator[Problem]:
    of: dict[str, tuple[str, str]] = {}
    listed = [(name, log.text()) for name, logs in root["splits"].items() for log in logs.entries()]
    for entry in root["logs"].entries():
        name, log, drive = entry["split"].text(), entry["name"].text(), entry["drive"].text()
        first, other = of.setdefault(drive, (log, name))
        if other != name:
            words = f"{log!r} is in {name}, {first!r} of the same drive in {other}"
            yield Problem("REL6", MANIFEST, words)
        if [split for split, each in listed if each == log] != [name]:
            yield Problem("REL6", MANIFEST, f"{log!r} is not listed once, in {name}")
