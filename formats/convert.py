"""From one format into another, and what was lost on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from formats.errors import FormatError
from formats.files import atomic_folder, named_as
from formats.format import Format
from formats.losses import Loss, losses
from fusion.labels import LabelSet, Track
from fusion.log import DriveLog
from fusion.progress import Progress

Pairs = Callable[[], Iterator[tuple[DriveLog, LabelSet]]]


@dataclass(frozen=True, slots=True)
class Converted:
    """What became of a log.

    Attributes:
        log: its name.
        tracks: number of objects that were given.
        boxes: number of their boxes.
        losses: what did not come back when the result was read; None where nothing here reads the format.
    """

    log: str
    tracks: int
    boxes: int
    losses: tuple[Loss, ...] | None


def convert(
    target: Format,
    out: Path,
    pairs: Pairs,
    *,
    sensors: bool = True,
    lossy: bool = False,
    progress: Progress | None = None,
    options: dict[str, object] | None = None,
) -> list[Converted]:
    """Writes logs with their labels, reads the labels back, and compares.

    Nothing stands at `out`, and what is there stays as it is, before both are done. Memory does not grow with
    the number of logs.

    Args:
        target: the format to write.
        out: a folder that is new or empty, or a new file where the format keeps labels in one; the data set
            itself where the format puts labels alone into one that is there.
        pairs: gives the logs and their labels; called twice.
        sensors: write clouds and images too; else labels alone.
        lossy: let go of what the format does not declare to lose.
        progress: called with a log's name, steps done and steps in all.
        options: for the writer, by name.

    Raises:
        FormatError: it cannot be written or read back, or loses what it does not declare.
    """
    if (target.write if sensors else target.write_labels) is None:
        what = "whole" if sensors else "labels alone"
        raise FormatError(out, "", f"{target.title} cannot be written {what}")
    if not sensors and target.labels_into is not None:
        with target.labels_into(out, pairs()) as part:
            return _checked(target, out, list(_read_back(target, part, pairs(), sensors=True)), lossy)
    with _place(out, sensors) as part:
        if sensors:
            assert target.write is not None
            target.write(part, pairs(), progress=progress, **(options or {}))
        else:
            _write_labels(target, part, pairs(), one_file=part.parent != out.parent)
        return _checked(target, out, list(_read_back(target, part, pairs(), sensors)), lossy)


@contextmanager
def _place(out: Path, sensors: bool) -> Iterator[Path]:
    """A new folder, or a file in one, that takes its place at the end; errors name the place."""
    one_file = bool(out.suffix) and not sensors
    if one_file and out.exists():
        raise FormatError(out, "", "is there already; name a file that is new")
    with atomic_folder(out.with_name(f".{out.name}.new") if one_file else out) as folder:
        part = folder / out.name if one_file else folder
        with named_as(part, out):
            yield part
        if one_file:
            part.replace(out)
    if one_file:
        out.with_name(f".{out.name}.new").rmdir()


def _write_labels(
    target: Format, part: Path, pairs: Iterator[tuple[DriveLog, LabelSet]], one_file: bool
) -> None:
    assert target.write_labels is not None
    for number, (log, labels) in enumerate(pairs):
        if number and one_file:
            raise FormatError(part, "", "one file takes one log: name a folder for several")
        target.write_labels(part, log, labels)


def _read_back(
    target: Format, part: Path, pairs: Iterator[tuple[DriveLog, LabelSet]], sensors: bool
) -> Iterator[Converted]:
    names = target.log_ids(part) if sensors and target.read_labels and target.open_log else []
    for number, (log, labels) in enumerate(pairs):
        found: tuple[Loss, ...] | None = None
        if target.read_labels is not None:
            name = log.name if log.name in names else names[number] if number < len(names) else log.name
            again = target.open_log(part, name) if sensors and target.open_log else log
            given = labels if again is log else _at_the_frames_of(again, log, labels)
            found = tuple(losses(given, target.read_labels(part, again), target.within_m))
        yield Converted(log.name, len(labels.tracks), labels.annotation_count, found)


def _at_the_frames_of(again: DriveLog, log: DriveLog, labels: LabelSet) -> LabelSet:
    """The labels at the instants that the frames have in a format with a clock of its own."""
    if len(again) != len(log) or (again.timestamps_ns == log.timestamps_ns).all():
        return labels
    times = dict(zip(log.timestamps_ns.tolist(), again.timestamps_ns.tolist(), strict=True))

    def moved(track: Track) -> Track:
        boxes = (replace(a, timestamp_ns=times.get(t, t)) for t, a in track.annotations.items())
        return replace(track, annotations={a.timestamp_ns: a for a in boxes})

    return replace(labels, tracks={id: moved(track) for id, track in labels.tracks.items()})


def _checked(target: Format, out: Path, converted: list[Converted], lossy: bool) -> list[Converted]:
    """The same, unless something is lost that the format does not declare."""
    for one in converted if not lossy else ():
        for loss in one.losses or ():
            if loss.part not in target.drops:
                said = f"would lose {loss.part}: {loss.count} of {loss.of}, such as {loss.first}"
                raise FormatError(
                    out, one.log, f"{said}; {target.title} does not declare that (--lossy lets it)"
                )
    return converted
