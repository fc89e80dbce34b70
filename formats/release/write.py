"""Freezing the labels of many logs into a release."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from formats.errors import FormatError
from formats.files import atomic_folder, inside, write_bytes, write_json, write_text
from formats.jsonl.write import SUFFIX, write_labels
from formats.release.splits import Span, groups, split
from formats.release.tables import box_tables
from fusion.labels import LabelSet
from fusion.log import DriveLog
from fusion.progress import Progress

SCHEMA, MANIFEST, SUMS, LABELS = 1, "release.json", "SHA256SUMS", "labels"
CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Notice:
    """What a release says of itself.

    Attributes:
        name: of the data set.
        version: of this release of it.
        licence: under which it may be used.
        source: where the recordings come from.
        date: of the release, if it is to say one.
        notes: anything else.
    """

    name: str
    version: str = "1.0.0"
    licence: str = ""
    source: str = ""
    date: str = ""
    notes: str = ""


@dataclass(frozen=True, slots=True)
class Member:
    """One log of a release.

    Attributes:
        log: what was measured.
        labels: reads what is claimed about it.
        run: how automatic labels came about (`run.json`), where that is known.
    """

    log: DriveLog
    labels: Callable[[], LabelSet]
    run: Mapping[str, Any] = field(default_factory=dict)


def write_release(
    out: Path,
    members: Callable[[], Iterator[Member]],
    notice: Notice,
    *,
    shares: Mapping[str, float],
    seed: int = 0,
    known: Mapping[str, str] | None = None,
    schema: bytes | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Writes a release into a folder that is new or empty; gives what release.json says.

    Args:
        out: the folder.
        members: gives the logs; called twice, and one log is held at a time.
        notice: what it says of itself.
        shares: of frames by split, such as `{"train": 80, "val": 10, "test": 10}`.
        seed: of the splits.
        known: splits of logs that an earlier release has fixed.
        schema: the project's classes as a YAML file.
        progress: called with what goes on, logs done and logs in all.

    Raises:
        FormatError: it cannot be written, there is no log, or two have one name.
        CrosslabelError: the splits cannot be made.
    """
    spans = [_span(member.log) for member in members()]
    _require_names(out, [span.log for span in spans])
    splits, of = split(spans, shares, seed, known), groups(spans)
    logs: list[dict[str, Any]] = []
    runs: dict[str, Any] = {}
    with atomic_folder(out) as folder:
        with box_tables(folder) as tables:
            for done, member in enumerate(members()):
                labels, made_by = member.labels(), _run_id(member.run)
                tables.add(splits[member.log.name], member.log, labels, made_by)
                file = inside(folder / LABELS, member.log.name + SUFFIX, out, "name of the log")
                write_labels(file, member.log, labels)
                runs |= {made_by: _run(member.run)} if made_by else {}
                said = {"split": splits[member.log.name], "drive": of[member.log.name], "made_by": made_by}
                logs.append(_log(member.log, labels, said, f"{LABELS}/{file.name}"))
                if progress is not None:
                    progress("logs", done + 1, len(spans))
        if schema is not None:
            write_bytes(folder / "schema.yaml", schema)
        manifest = _manifest(folder, notice, logs, runs, {"shares": dict(shares), "seed": seed})
        write_json(folder / MANIFEST, manifest, indent=1)
        sums = {entry["path"]: entry["sha256"] for entry in manifest["files"]}
        sums[MANIFEST] = file_sha256(folder / MANIFEST)
        write_text(folder / SUMS, "".join(f"{sums[path]}  {path}\n" for path in sorted(sums)))
    return manifest


def file_sha256(file: Path) -> str:
    """The SHA-256 of a file, read in pieces.

    Raises:
        FormatError: it cannot be read.
    """
    digest = sha256()
    try:
        with file.open("rb") as stream:
            while chunk := stream.read(CHUNK_BYTES):
                digest.update(chunk)
    except OSError as error:
        raise FormatError(file, "", f"cannot be read: {error.strerror}") from None
    return digest.hexdigest()


def _span(log: DriveLog) -> Span:
    if not len(log):
        raise FormatError(log.name, "", "a log without frames cannot be released")
    start_ns, end_ns = int(log.timestamps_ns[0]), int(log.timestamps_ns[-1])
    return Span(log.name, start_ns, end_ns, len(log), log.metadata.get("vehicle", ""))


def _require_names(out: Path, names: list[str]) -> None:
    if not names:
        raise FormatError(out, "", "there is no log to release")
    name, count = Counter(name.casefold() for name in names).most_common(1)[0]
    if count > 1:
        raise FormatError(out, "", f"{count} logs are called {name!r}, upper and lower case being alike")


def counts(labels: LabelSet) -> dict[str, Any]:
    """What a label set holds, in numbers; `verify` counts the same again."""
    boxes: Counter[str] = Counter()
    sources: Counter[str] = Counter()
    for track in labels.tracks.values():
        boxes[track.category] += len(track.annotations)
        sources.update(str(one.source) for one in track.annotations.values())
    return {
        "tracks": len(labels.tracks),
        "boxes": labels.annotation_count,
        "locked": sum(one.locked for track in labels.tracks.values() for one in track.annotations.values()),
        "image_boxes": sum(len(track.image_boxes) for track in labels.tracks.values()),
        "boxes_by_source": dict(sorted(sources.items())),
        "boxes_by_class": dict(sorted(boxes.items())),
    }


def _log(log: DriveLog, labels: LabelSet, said: Mapping[str, str], file: str) -> dict[str, Any]:
    span = {"frames": len(log), "start_ns": int(log.timestamps_ns[0]), "end_ns": int(log.timestamps_ns[-1])}
    return {"name": log.name, **said, **span, "labels": file, **counts(labels)}


def _run_id(run: Mapping[str, Any]) -> str:
    """Twelve digits that stand for the settings, networks and versions that made labels."""
    return sha256(json.dumps(_run(run), sort_keys=True).encode()).hexdigest()[:12] if run else ""


def _run(run: Mapping[str, Any]) -> dict[str, Any]:
    return {key: run[key] for key in ("config_hash", "config", "networks", "versions") if key in run}


def _manifest(
    folder: Path,
    notice: Notice,
    logs: list[dict[str, Any]],
    runs: Mapping[str, Any],
    made: Mapping[str, Any],
) -> dict[str, Any]:
    totals: dict[str, Counter[str]] = {"boxes_by_source": Counter(), "boxes_by_class": Counter()}
    splits: dict[str, list[str]] = {name: [] for name in made["shares"]}
    for entry in logs:
        splits.setdefault(entry["split"], []).append(entry["name"])
        for key, total in totals.items():
            total.update(entry[key])
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        "schema": SCHEMA,
        **asdict(notice),
        "made_with": {"crosslabel": _version()},
        "splits": splits,
        "splits_made": dict(made),
        "boxes": sum(entry["boxes"] for entry in logs),
        "tracks": sum(entry["tracks"] for entry in logs),
        **{key: dict(sorted(total.items())) for key, total in totals.items()},
        "runs": {key: runs[key] for key in sorted(runs)},
        "logs": sorted(logs, key=lambda entry: str(entry["name"])),
        "files": [
            {
                "path": path.relative_to(folder).as_posix(),
                "bytes": path.stat().st_size,
                "sha256": file_sha256(path),
            }
            for path in files
        ],
    }


def _version() -> str:
    try:
        return version("crosslabel")
    except PackageNotFoundError:
        return "source"
