"""What lies where in a KITTI tracking tree, and which frames a sequence has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

import numpy as np

from calib.types import I64
from formats.errors import FormatError
from formats.files import read_text
from formats.kitti.pictures import ENDINGS
from formats.kitti.rows import MOST_FRAMES

CAMERAS = ("image_02", "image_03", "image_00", "image_01")
FRAME_NS = 100_000_000
FRAME_FILE = re.compile(r"\d{1,6}")


def training_folder(path: Path) -> Path:
    """The folder that holds velodyne, calib and label_02: the path itself or its `training`."""
    below = path / "training"
    return below if below.is_dir() else path


def sequences(path: Path) -> list[str]:
    """Names of the sequences: what has a calibration, scans, images or labels."""
    training = training_folder(path)
    texts = [file.stem for part in ("calib", "label_02") for file in training.glob(f"{part}/*.txt")]
    folders = [
        folder.name
        for part in ("velodyne", *CAMERAS)
        for folder in training.glob(f"{part}/*/")
        if folder.is_dir()
    ]
    return sorted({*texts, *folders})


def is_tree(path: Path) -> bool:
    """Whether a path looks like a KITTI tracking tree; never raises."""
    try:
        training = training_folder(path)
        parts = ("velodyne", "image_02", "label_02")
        return any(training.glob("calib/*.txt")) or any(any(training.glob(f"{part}/*")) for part in parts)
    except OSError:
        return False


@dataclass(frozen=True, slots=True)
class Sequence:
    """One sequence of a tree."""

    training: Path
    name: str

    @property
    def calibration(self) -> Path:
        """Its calibration file."""
        return self.training / "calib" / f"{self.name}.txt"

    @property
    def labels(self) -> Path:
        """Its labels."""
        return self.training / "label_02" / f"{self.name}.txt"

    @property
    def oxts(self) -> Path:
        """Its poses of the inertial unit."""
        return self.training / "oxts" / f"{self.name}.txt"

    @property
    def times(self) -> Path:
        """Its times in seconds, a line a frame: an addition of ours, as in KITTI's odometry benchmark."""
        return self.training / "times" / f"{self.name}.txt"

    def scans(self) -> dict[int, Path]:
        """Files of the LiDAR by frame."""
        return self._files("velodyne", (".bin",))

    def images(self, camera: str) -> dict[int, Path]:
        """Files of a camera by frame."""
        return self._files(camera, ENDINGS)

    def _files(self, part: str, endings: tuple[str, ...]) -> dict[int, Path]:
        folder = self.training / part / self.name
        found = sorted(folder.iterdir()) if folder.is_dir() else []
        return {
            int(file.stem): file
            for file in found
            if file.suffix.lower() in endings and FRAME_FILE.fullmatch(file.stem)
        }

    def frames(self) -> range:
        """All frames from the first to the last that anything is known of.

        Scans, images, labels and poses count, and where a tree has neither (a test split), so do
        detections and poses in folders beside `training`.

        Raises:
            FormatError: nothing is known of the sequence.
        """
        known = {*self.scans(), *(frame for camera in CAMERAS for frame in self.images(camera))}
        known.update(_first_columns(self.labels))
        known.update(_line_numbers(self.oxts), _line_numbers(self.times))
        for beside in (self.training.parent, self.training):
            for file in beside.glob(f"poses*/{self.name}.txt"):
                known.update(_line_numbers(file))
            for file in beside.glob(f"detections*/*/{self.name}.txt"):
                known.update(_first_columns(file))
        if not known:
            raise FormatError(self.training, self.name, "holds no scans, images, labels or poses")
        if max(known) >= MOST_FRAMES:
            raise FormatError(self.training, self.name, f"frame {max(known)} is too far")
        return range(min(known), max(known) + 1)

    def timestamps_ns(self, frames: range) -> I64:
        """(F,) int64: KITTI tracking has no clock, so frame i is taken at i tenths of a second.

        Raises:
            FormatError: there is a file of times, and it is malformed.
        """
        if not self.times.is_file():
            return np.array(frames, dtype=np.int64) * FRAME_NS
        times_ns = [_time_ns(self.times, n, line) for n, line in enumerate(_text_lines(self.times), start=1)]
        if len(times_ns) < frames.stop:
            raise FormatError(self.times, "", f"{len(times_ns)} times, but frame {frames.stop - 1} exists")
        wanted = np.array(times_ns, dtype=np.int64)[frames.start : frames.stop]
        if (np.diff(wanted) <= 0).any():
            raise FormatError(self.times, "", "the times must rise")
        return wanted


def _time_ns(path: Path, line: int, text: str) -> int:
    try:
        time_ns = Decimal(text.strip()) * 1_000_000_000
        if abs(time_ns) < 2**62:
            return round(time_ns)
    except InvalidOperation:
        pass
    raise FormatError(path, f"line {line}", f"{text.strip()[:40]!r} is no time in seconds")


def _text_lines(path: Path) -> list[str]:
    return [line for line in read_text(path).splitlines() if line.strip()]


def _line_numbers(path: Path) -> range:
    return range(len(_text_lines(path))) if path.is_file() else range(0)


def _first_columns(path: Path) -> Iterator[int]:
    """Frame numbers of a file whose lines may still prove malformed: that is told when it is read."""
    for line in _text_lines(path) if path.is_file() else []:
        match = re.match(r"\s*(\d{1,9})[\s,]", line)
        if match:
            yield int(match[1])
