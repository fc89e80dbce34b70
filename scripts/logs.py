"""Finding the logs behind a path, and the labels that go with a log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from calib.rig import Rig
from formats.errors import FormatError
from formats.format import Format
from formats.registry import find_format
from fusion.labels import LabelSet
from fusion.log import DriveLog
from scripts.console import note_missing


def chosen_ids(source: Format, path: Path, wanted: list[str] | None) -> list[str]:
    """The ids of the logs under a path, all of them or the wanted ones.

    Raises:
        FormatError: a wanted log is not there, or there is none at all.
    """
    ids = source.log_ids(path)
    if not ids:
        raise FormatError(path, "", f"no logs of format {source.title} here")
    for name in wanted or []:
        if name not in ids:
            raise FormatError(path, "", f"no log {name!r} here; there are {_some_of(ids)}")
    return [name for name in ids if not wanted or name in wanted]


def _some_of(ids: list[str]) -> str:
    return ", ".join(ids[:12]) + (", ..." if len(ids) > 12 else "")


@dataclass(frozen=True, slots=True)
class LogAt:
    """A log that is to be opened.

    Attributes:
        source: its format.
        path: of the log or of its data set.
        log_id: which one there.
    """

    source: Format
    path: Path
    log_id: str

    def open(self, poses: Path | None = None, rig: Path | None = None) -> DriveLog:
        """Opens it and says what it lacks; arguments as of `open_logs`.

        Raises:
            FormatError: what is there is no log.
        """
        if self.source.open_log is None:
            raise FormatError(
                self.path, "", f"{self.source.title} holds labels only: name the log they belong to"
            )
        log = self.source.open_log(self.path, self.log_id)
        if poses is not None:
            if self.source.read_poses is None:
                raise FormatError(poses, "", f"{self.source.title} keeps no poses in a folder of their own")
            log = replace(log, trajectory=self.source.read_poses(poses, log))
        if rig is not None:
            log = with_rig(log, rig)
        note_missing(log)
        return log


def logs_at(
    paths: Sequence[Path], format_name: str | None = None, wanted: list[str] | None = None
) -> list[LogAt]:
    """The logs under some paths, in the order of the paths; all of them, or the wanted ones.

    Raises:
        FormatError: there is no log, a wanted one is not there, or two have the same name.
    """
    sources = [(find_format(path, format_name), path) for path in paths]
    if len(paths) == 1:
        source, path = sources[0]
        return [LogAt(source, path, log_id) for log_id in chosen_ids(source, path, wanted)]
    listed = [
        LogAt(source, path, log_id) for source, path in sources for log_id in chosen_ids(source, path, None)
    ]
    names = {at.log_id: at for at in reversed(listed)}
    for at in listed:
        if names[at.log_id] is not at:
            other = names[at.log_id].path
            raise FormatError(at.path, "", f"its log {at.log_id!r} has the name of another one, in {other}")
    for name in wanted or []:
        if name not in names:
            raise FormatError(paths[0], "", f"no log {name!r} here; there are {_some_of(list(names))}")
    return [at for at in listed if not wanted or at.log_id in wanted]


def open_logs(
    path: Path,
    format_name: str | None = None,
    wanted: list[str] | None = None,
    poses: Path | None = None,
    rig: Path | None = None,
) -> Iterator[tuple[Format, DriveLog]]:
    """Opens logs one after the other and says what each lacks.

    Args:
        path: of a log or a data set.
        format_name: its format, where recognising it is not wanted.
        wanted: ids of logs; all where empty or None.
        poses: a folder of trajectories in place of the data set's own.
        rig: a calibration file whose sensors take the place of the log's own of the same names.

    Raises:
        FormatError: what is there is no log, or not the wanted one.
    """
    for at in logs_at([path], format_name, wanted):
        yield at.source, at.open(poses, rig)


def open_log(
    path: Path, format_name: str | None = None, wanted: str | None = None, rig: Path | None = None
) -> DriveLog:
    """Opens one log: the wanted one, or the only one; arguments as of `open_logs`.

    Raises:
        FormatError: there are several and none is wanted, or as of `open_logs`.
    """
    source = find_format(path, format_name)
    if wanted is None and source.open_log is not None:
        ids = chosen_ids(source, path, None)
        if len(ids) > 1:
            raise FormatError(path, "", f"holds {len(ids)} logs, name one with --log: {_some_of(ids)}")
    return next(open_logs(path, format_name, [wanted] if wanted else None, rig=rig))[1]


def cameras_of(log: DriveLog, path: Path, wanted: list[str] | None) -> list[str]:
    """Names of the cameras of a log, all or the wanted ones.

    Raises:
        FormatError: a wanted camera is not there, or there is none at all.
    """
    for name in wanted or []:
        if name not in log.rig.cameras:
            raise FormatError(path, log.name, f"has no camera {name!r}; it has {', '.join(log.rig.cameras)}")
    if not log.rig.cameras:
        raise FormatError(path, log.name, "has no cameras")
    return wanted or list(log.rig.cameras)


def with_rig(log: DriveLog, path: Path) -> DriveLog:
    """The same log seen through another calibration; sensors that the file does not name stay as they are.

    Raises:
        FormatError: it is no calibration file, or none of its sensors is in the log.
    """
    from formats.rigs.find import find_rig

    given = find_rig(path)
    lidars = {name: given.lidars.get(name, lidar) for name, lidar in log.rig.lidars.items()}
    cameras = {name: given.cameras.get(name, camera) for name, camera in log.rig.cameras.items()}
    if not {*given.lidars, *given.cameras} & {*lidars, *cameras}:
        named = ", ".join([*given.lidars, *given.cameras])
        raise FormatError(path, "", f"has {named}, none of which is a sensor of {log.name}")
    return replace(log, rig=Rig.of(tuple(lidars.values()), tuple(cameras.values())))


def labels_of(path: Path, log: DriveLog) -> LabelSet:
    """The labels of one log from any file or data set that holds some.

    Raises:
        FormatError: no labels there, or of another log.
    """
    source = find_format(path)
    if source.read_labels is None:
        raise FormatError(path, "", f"{source.title} holds no labels that can be read")
    return source.read_labels(path, log)
