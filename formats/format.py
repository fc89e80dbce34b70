"""What a format is, and finding the one that a path is in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from formats.errors import FormatError
from formats.losses import Part
from fusion.labels import LabelSet
from fusion.log import DriveLog
from fusion.trajectory import Trajectory

Pairs = Iterable[tuple[DriveLog, LabelSet]]


@dataclass(frozen=True, slots=True)
class Format:
    """One data-set format; every field but the name and `recognises` may be absent.

    Attributes:
        name: as `--format` takes it.
        title: as people call it.
        recognises: whether a path looks like this format; cheap, never raises.
        log_ids: names of the logs under a path, in order.
        open_log: opens one log lazily.
        read_labels: the labels of one log; `None` for the log where the format's labels need none.
        write: `write(path, pairs, *, progress=None, **options)` writes logs with their labels as a data set
            into a folder that does not exist yet.
        write_labels: writes the labels of one log alone.
        labels_into: where labels alone go into a data set that is there: `with labels_into(path, pairs) as
            part` writes them, gives where they are read back from, and puts that in place at the end.
        read_detections: unconnected per-frame boxes: every track holds one annotation.
        read_poses: a trajectory kept in a folder of its own.
        loses: what does not survive writing and reading again, one sentence each.
        drops: the parts of labels of which these sentences tell; any other part comes back whole.
        within_m: how far the corners of a box may come back from where they were.
        options: names and meanings of the keyword arguments that `write` takes.
    """

    name: str
    title: str
    recognises: Callable[[Path], bool]
    log_ids: Callable[[Path], list[str]]
    open_log: Callable[[Path, str], DriveLog] | None = None
    read_labels: Callable[[Path, DriveLog], LabelSet] | None = None
    write: Callable[..., None] | None = None
    write_labels: Callable[[Path, DriveLog, LabelSet], None] | None = None
    labels_into: Callable[[Path, Pairs], AbstractContextManager[Path]] | None = None
    read_detections: Callable[[Path, DriveLog], LabelSet] | None = None
    read_poses: Callable[[Path, DriveLog], Trajectory] | None = None
    loses: tuple[str, ...] = ()
    drops: frozenset[Part] = frozenset()
    within_m: float = 1e-9
    options: dict[str, str] = field(default_factory=dict)


def recognise(path: Path, formats: tuple[Format, ...], name: str | None = None) -> Format:
    """The format of a path: the one that is named, or the first that recognises it.

    Raises:
        FormatError: nothing there, no such format, or none fits.
    """
    if name is not None:
        for candidate in formats:
            if candidate.name == name:
                return candidate
        known = ", ".join(candidate.name for candidate in formats)
        raise FormatError(path, "", f"there is no format {name!r}; known are {known}")
    if not path.exists():
        raise FormatError(path, "", "no such file or folder")
    for candidate in formats:
        if candidate.recognises(path):
            return candidate
    tried = ", ".join(candidate.title for candidate in formats)
    raise FormatError(path, "", f"not a format that is known here ({tried}); name one with --format")
