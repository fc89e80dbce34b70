"""What lies where in a tree of the object benchmark, and which of its frames make a log."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from formats.errors import FormatError
from formats.files import inside, read_bytes, read_text
from formats.images import PNG_SIGNATURE, image_size_px
from formats.kitti.metadata import USUAL_SIZE_PX
from formats.kitti.pictures import ENDINGS

PARTS = ("training", "testing")
CALIBRATION, SCANS, LABELS, SETS = "calib", "velodyne", "label_2", "ImageSets"
IMAGES = {"image_02": "image_2", "image_03": "image_3"}
FRAME = re.compile(r"[0-9]{6}")


@dataclass(frozen=True, slots=True)
class Frames:
    """Frames of one calibration and one size of images: what can be one log.

    Attributes:
        folder: with the folders of their files.
        numbers: rising.
        size_px: of the images.
    """

    folder: Path
    numbers: tuple[int, ...]
    size_px: tuple[int, int]

    def file(self, part: str, number: int, *endings: str) -> Path | None:
        """The file of a frame, None if there is none."""
        files = (self.folder / part / f"{number:06d}{ending}" for ending in endings)
        return next((file for file in files if file.is_file()), None)


def is_tree(path: Path) -> bool:
    """Whether a path looks like a tree of the object benchmark; never raises."""
    try:
        return any(_is_part(folder) for folder in _folders(path).values())
    except OSError:
        return False


def _is_part(folder: Path) -> bool:
    """Files of frames stand in its folders at once, not in a folder a sequence."""
    kinds = {SCANS: (".bin",), LABELS: (".txt",), **dict.fromkeys(IMAGES.values(), ENDINGS)}
    return any(next(_numbers(folder / part, endings), None) is not None for part, endings in kinds.items())


def _folders(path: Path) -> dict[str, Path]:
    below = {part: path / part for part in PARTS if (path / part).is_dir()}
    return below or ({path.resolve().name: path} if path.is_dir() else {})


def _numbers(folder: Path, endings: Iterable[str]) -> Iterator[int]:
    for file in folder.iterdir() if folder.is_dir() else ():
        if FRAME.fullmatch(file.stem) and file.suffix.lower() in endings:
            yield int(file.stem)


def log_ids(path: Path) -> list[str]:
    """Names of the logs of all frames: `training` and `testing`, or several where calibrations differ.

    Raises:
        FormatError: a frame has no calibration.
    """
    parts = [(name, folder) for name, folder in _folders(path).items() if _is_part(folder)]
    return [id for name, folder in parts for id in _logs(name, folder, _every(folder))]


def frames_of_log(path: Path, log_id: str) -> Frames:
    """The frames of a log; of those in `ImageSets/<set>.txt` where the set's name is asked for.

    Where the calibration or the size of images differs within, a name goes with the number of the first
    frame that is alike: `training-000003`.

    Raises:
        FormatError: there is no such log, a frame has no calibration, or the set's file is malformed.
    """
    known: list[str] = []
    parts = {name: folder for name, folder in _folders(path).items() if _is_part(folder)}
    for name, folder in parts.items():
        if name in (log_id, log_id[:-7]):
            logs = _logs(name, folder, _every(folder))
            known += logs
            if log_id in logs:
                return logs[log_id]
    for name in (log_id, log_id[:-7]):
        file = path / SETS / f"{name}.txt"
        if name and "\0" not in name and inside(path, f"{SETS}/{name}.txt", path).is_file():
            numbers = _listed(file)
            for folder in parts.values():
                logs = _logs(name, folder, sorted(numbers & {*_every(folder)}))
                known += logs
                if log_id in logs:
                    return logs[log_id]
    said = ", ".join((known or [*parts])[:5]) or "none"
    raise FormatError(path, "", f"holds no frames of KITTI's called {log_id!r}, but: {said}")


def _listed(file: Path) -> set[int]:
    """Numbers of frames, a line each."""
    lines = [line.strip() for line in read_text(file).splitlines()]
    for number, line in enumerate(lines, start=1):
        if line and not FRAME.fullmatch(line):
            raise FormatError(file, f"line {number}", f"{line[:40]!r} is no number of a frame")
    return {int(line) for line in lines if line}


def _every(folder: Path) -> list[int]:
    found = {*_numbers(folder / CALIBRATION, (".txt",)), *_numbers(folder / SCANS, (".bin",))}
    found |= {*_numbers(folder / LABELS, (".txt",))}
    return sorted(found.union(*(_numbers(folder / part, ENDINGS) for part in IMAGES.values())))


def _logs(name: str, folder: Path, numbers: list[int]) -> dict[str, Frames]:
    """Frames by the names of the logs that they make."""
    alike: dict[bytes, dict[tuple[int, int] | None, list[int]]] = {}
    for number in numbers:
        calibration = read_bytes(folder / CALIBRATION / f"{number:06d}.txt")
        alike.setdefault(calibration, {}).setdefault(_size_px(folder, number), []).append(number)
    found: list[Frames] = []
    for by_size in alike.values():
        sizes = [size for size in by_size if size is not None] or [USUAL_SIZE_PX]
        unseen = by_size.pop(None, [])
        by_size.setdefault(sizes[0], []).extend(unseen)
        found += [Frames(folder, tuple(sorted(some)), size) for size, some in by_size.items() if size]
    found.sort(key=lambda frames: frames.numbers)
    if len(found) == 1:
        return {name: found[0]}
    return {f"{name}-{frames.numbers[0]:06d}": frames for frames in found}


def _size_px(folder: Path, number: int) -> tuple[int, int] | None:
    """The size of a frame's image, from its first bytes where it is a PNG."""
    for ending in ENDINGS:
        file = folder / IMAGES["image_02"] / f"{number:06d}{ending}"
        if not file.is_file():
            continue
        with file.open("rb") as stream:
            head = stream.read(24)
        if head.startswith(PNG_SIGNATURE) and len(head) == 24:
            return int.from_bytes(head[16:20]), int.from_bytes(head[20:24])
        return image_size_px(file)
    return None
