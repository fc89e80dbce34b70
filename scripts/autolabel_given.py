"""What `crosslabel autolabel` is given, as the library takes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from autolabel import Config, Given
    from autolabel.detect import Detector
    from autolabel.detect.lidar_network import LidarNetwork
    from autolabel.detect.yolox import Yolox
    from autolabel.runs import Work
    from fusion.labels import LabelSet
    from fusion.log import DriveLog
    from scripts.logs import LogAt


@dataclass(frozen=True, slots=True)
class Sources:
    """Where what is known of logs comes from.

    Attributes:
        labels: files and data sets of labels; of the first that knows a log its key frames are taken.
        every: every n-th frame is one.
        frames: or these are; all that are labelled where neither is given.
        detections: a folder of per-frame boxes.
        detector: an .onnx file that searches scans.
        camera_detector: an .onnx file that looks at images.
        trips: whether some logs may be known and others not.
    """

    labels: Sequence[Path] = ()
    every: int | None = None
    frames: Sequence[int] | None = None
    detections: Path | None = None
    detector: Path | None = None
    camera_detector: Path | None = None
    trips: bool = False

    def __post_init__(self) -> None:
        chosen = self.every is not None or self.frames is not None
        if chosen and not self.labels:
            raise typer.BadParameter("--seed-every and --seed-frames go with --seed-labels")
        if self.every is not None and self.frames is not None:
            raise typer.BadParameter("give --seed-every or --seed-frames, one of the two")
        given = self.detections is not None or (self.labels and not self.trips)
        if given and (self.detector is not None or self.camera_detector is not None):
            raise typer.BadParameter(
                "detectors search logs of which nothing is given: no labels, no detections"
            )


class Givens:
    """Makes what is given of each log; networks are loaded once."""

    def __init__(self, sources: Sources, config: Config) -> None:
        from formats.registry import find_format

        self.sources, self.config = sources, config
        self.networks: dict[str, str] = {}
        self.lidar: LidarNetwork | None = None
        self.images: Yolox | None = None
        for path in sources.labels:
            find_format(path)  # what is missing for every log is said once
        if sources.detector is not None:
            from autolabel.detect.lidar_network import LidarNetwork

            _must_exist(sources.detector)
            self.lidar = LidarNetwork.open(sources.detector)
            self.networks["detector"] = _marked(sources.detector, sources.detector.with_suffix(".json"))
        if sources.camera_detector is not None:
            from autolabel.detect.yolox import Yolox

            self.images = Yolox.open(sources.camera_detector)
            self.networks["camera_detector"] = _marked(sources.camera_detector)

    def work(self, at: LogAt, log: DriveLog, out: Path) -> Work:
        """One log with all that is given of it."""
        from autolabel.runs import Work
        from formats.files import inside

        folder = inside(out, log.name, at.path, "name of the log")
        given = self.of(at, log)
        return Work(log, given, folder, self.networks if given.detector is not None else {})

    def of(self, at: LogAt, log: DriveLog) -> Given:
        """Key frames, detections, or who is to search."""
        from autolabel import Given
        from scripts.console import note

        keyframes = self._keyframes(log) if self.sources.labels else None
        found = None
        if self.sources.detections is not None:
            found = _detections(at.source.name, self.sources.detections, log)
        searched = keyframes is None and found is None
        if searched and self.images is not None and not log.images:
            note(f"{log.name}: has no images for the camera detector")
        return Given(keyframes, found, self._detector() if searched else None)

    def _detector(self) -> Detector | None:
        """Made anew for each log: detectors remember what they have seen."""
        if self.images is None:
            return self.lidar
        from autolabel.detect import PlainDetector
        from autolabel.detect.camera import CameraDetector

        return CameraDetector(self.lidar or PlainDetector(self.config.detect), self.images)

    def _keyframes(self, log: DriveLog) -> LabelSet | None:
        """Labels at the chosen frames; None for a trip of which no labels are known."""
        from formats.registry import find_format
        from scripts.logs import labels_of

        paths = self.sources.labels
        holding = [path for path in paths if log.name in find_format(path).log_ids(path)]
        if not holding and self.sources.trips:
            return None
        path = (holding or paths)[0]
        labels = labels_of(path, log)
        if not labels.tracks and self.sources.trips:
            return None
        return _only_at(labels, self._frames_ns(log, path))

    def _frames_ns(self, log: DriveLog, path: Path) -> set[int]:
        """The instants of the frames that were chosen."""
        from formats.errors import FormatError

        every, frames = self.sources.every or 1, self.sources.frames
        numbers = range(0, len(log), every) if frames is None else frames
        beyond = [number for number in numbers if not 0 <= number < len(log)]
        if beyond:
            raise FormatError(
                path, log.name, f"there is no frame {beyond[0]}; the log has 0 to {len(log) - 1}"
            )
        return {int(log.timestamps_ns[number]) for number in numbers}


def _only_at(labels: LabelSet, kept_ns: set[int]) -> LabelSet:
    from fusion.labels import LabelSet

    thinned = (
        track.without(t for t in track.annotations if t not in kept_ns) for track in labels.tracks.values()
    )
    return LabelSet.of(track for track in thinned if track.annotations)


def frame_numbers(text: str) -> list[int]:
    """Numbers with commas between them."""
    try:
        return sorted({int(part) for part in text.split(",")})
    except ValueError:
        raise typer.BadParameter(f"--seed-frames takes whole numbers with commas, not {text!r}") from None


def settings(path: Path | None, *, trust_poses: bool, points: bool, rectangles: bool) -> Config:
    """The defaults, with what a file and the command line say otherwise."""
    from autolabel import Config
    from formats.files import read_settings

    found = Config() if path is None else read_settings(path, Config)
    off = {"mend_poses": trust_poses, "use_points": not points, "rectangles": not rectangles}
    return found.model_copy(update={name: False for name, is_off in off.items() if is_off})


def _must_exist(path: Path) -> None:
    from formats.errors import FormatError

    if not path.is_file():
        raise FormatError(path, "", "no such file")


def _marked(*files: Path) -> str:
    """The name of the first file, and a hash of all of them."""
    import hashlib

    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return f"{files[0].name} {digest.hexdigest()[:16]}"


def _detections(format_name: str, path: Path, log: DriveLog) -> LabelSet:
    from formats.errors import FormatError
    from formats.registry import find_format

    source = find_format(path, format_name)
    if source.read_detections is None:
        raise FormatError(path, "", f"{source.title} has no reader of detections")
    return source.read_detections(path, log)
