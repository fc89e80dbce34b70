"""What lies where for labelCloud, and which cloud is of which instant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from formats.errors import FormatError
from formats.files import inside
from formats.pointcloud import point_file_stem
from formats.rigs.kind import head_of
from fusion.log import DriveLog

LABELS, CLOUDS, CLASSES, BESIDE = "labels", "pointclouds", "_classes.json", "crosslabel.json"
MOST_LOOKED_AT = 20
BEGINNING = re.compile(r'\s*\{\s*"folder"\s*:\s*"[^"]*"\s*,\s*"filename"\s*:')
INSTANT = re.compile(r"ns(-?[0-9]{1,19})", re.ASCII)
PLAIN = re.compile(r"[^/\\\0._][^/\\\0]*")


def recognises(path: Path) -> bool:
    """Whether it is a folder of labels, one with such a folder, or a folder of these; never raises."""
    try:
        return bool(_label_folders(path))
    except OSError:
        return False


def log_ids(path: Path) -> list[str]:
    """Names of the folders that hold the labels of one log each, in order."""
    return sorted(_label_folders(path))


def label_folder(path: Path, log_name: str) -> Path:
    """The folder with the labels of a log: under its name, or the only one there.

    Raises:
        FormatError: there is none.
    """
    found = _label_folders(path)
    if log_name in found:
        return found[log_name]
    own = [folder for folder in (path / LABELS, path) if folder in found.values()]
    if not own:
        raise FormatError(path, "", f"holds no labels of labelCloud's for the log {log_name!r}")
    return own[0]


def _label_folders(path: Path) -> dict[str, Path]:
    """Folders of labels by the name of the log that they may be of."""
    if not path.is_dir():
        return {}
    name = path.resolve().name
    for folder in (path / LABELS, path):
        if _holds_labels(folder):
            return {path.resolve().parent.name if name == LABELS else name: folder}
    below = [child for child in sorted(path.iterdir()) if child.is_dir()]
    return {child.name: child / LABELS for child in below if _holds_labels(child / LABELS)}


def _holds_labels(folder: Path) -> bool:
    ours = (folder.parent / BESIDE).is_file() and (folder / CLASSES).is_file()
    return ours or any(BEGINNING.match(head_of(file)) for file in islice(_jsons(folder), MOST_LOOKED_AT))


def _jsons(folder: Path) -> Iterator[Path]:
    return (file for file in folder.glob("*.json") if not file.name.startswith("_"))


def label_files(folder: Path) -> list[Path]:
    """The files of labels, a cloud each, in order."""
    return sorted(_jsons(folder))


def log_folder(root: Path, name: str) -> Path:
    """The folder of a log.

    Raises:
        FormatError: the name is not that of a folder.
    """
    folder = inside(root, name, root, "name of the log")
    if folder.parent != root:
        raise FormatError(root, "", f"the name of a log must be that of a folder, not {name!r}")
    return folder


def cloud_names(log: DriveLog) -> dict[int, str]:
    """Names of the clouds by instant of the log's frames: those of the sweeps' files, where they can be."""
    names: dict[int, str] = {}
    for timestamp_ns in log.timestamps_ns.tolist():
        ref = log.sweep_at(timestamp_ns)
        stem = point_file_stem(ref.path) if ref and ref.path else ""
        names[timestamp_ns] = stem
    given = [name for name in names.values() if name]
    usable = all(PLAIN.fullmatch(name) and not INSTANT.fullmatch(name) for name in given)
    if not usable or len(set(given)) < len(given):
        return {timestamp_ns: name_of_instant(timestamp_ns) for timestamp_ns in names}
    return {timestamp_ns: name or name_of_instant(timestamp_ns) for timestamp_ns, name in names.items()}


def name_of_instant(timestamp_ns: int) -> str:
    """The name of a cloud that no file of a sweep gives one."""
    return f"ns{timestamp_ns}"


def instant_of(file: Path, names: dict[str, int]) -> int:
    """The instant of a file of labels.

    Raises:
        FormatError: no cloud of the log has its name.
    """
    match = INSTANT.fullmatch(file.stem)
    if file.stem not in names and match is None:
        known = ", ".join(list(names)[:3])
        raise FormatError(file, "", f"no cloud of the log has this name; they are called {known} and so on")
    return names[file.stem] if file.stem in names else int(match[1]) if match else 0
