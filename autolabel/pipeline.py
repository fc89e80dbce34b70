"""From what little is known about a drive to labels for all of it; reads like the method."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from autolabel.confidence import with_confidence
from autolabel.config import Config
from autolabel.detect import Detector, PlainDetector
from autolabel.detections import Detections, detections_by_kind
from autolabel.ego import EgoReport, check, repair
from autolabel.images import image_boxes
from autolabel.reconstruct.complete import complete
from autolabel.scans import Scans
from autolabel.traced import Traced
from autolabel.track.tracks import tracks_of
from autolabel.world import LocalWorld
from calib.errors import CrosslabelError
from fusion.categories import Kind, kind_of
from fusion.edits import Edit, PutImageBoxes
from fusion.ground import Ground
from fusion.labels import ImageBox, LabelSet
from fusion.log import DriveLog
from fusion.progress import Progress
from fusion.stages import stage


@dataclass(frozen=True, slots=True)
class Given:
    """What a person or a detector has said of a log; with neither it is searched for objects.

    Attributes:
        keyframes: labels at some frames, to be carried to all others.
        detections: unconnected boxes a frame, to be made into tracks, or to help between key frames.
        detector: what searches the scans; the built-in one unless given.
    """

    keyframes: LabelSet | None = None
    detections: LabelSet | None = None
    detector: Detector | None = None

    @property
    def chances(self) -> bool:
        """Whether the scores of what is found are chances that there is an object."""
        return self.detections is None and (self.detector is None or self.detector.calibrated)


@dataclass(frozen=True, eq=False, slots=True)
class Proposal:
    """Labels of a log, as edits, and how they came about.

    Attributes:
        edits: apply to the key frames, or to an empty label set where there are none.
        traced: the objects behind them.
        log: as given, with the trajectory that the labels were made with.
        ego: what the scans say of the trajectory; None where nobody asked.
        grounds: by instant, of every frame that was read; spares a check the search for them.
    """

    edits: tuple[Edit, ...]
    traced: tuple[Traced, ...]
    log: DriveLog
    ego: EgoReport | None
    grounds: Mapping[int, Ground] = field(default_factory=dict)


def label(
    log: DriveLog, given: Given, config: Config | None = None, progress: Progress | None = None
) -> Proposal:
    """Labels all frames of a log. The same input and settings give the same edits.

    What was given, and whatever is locked, stays as it is.
    """
    config = config or Config()
    with stage("ego check"):
        log, ego = mended(log, config)
    scans = Scans(LocalWorld.of(log))
    with stage("reconstruct"):
        traced = traced_of(scans, given, config, progress)
    with stage("confidence"):
        traced = with_confidence(traced, scans, config.confidence)
    edits = tuple(edit for one in traced for edit in one.edits())
    if config.rectangles and log.images:
        with stage("rectangles"):
            labels = applied(given.keyframes or LabelSet(), edits)
            edits += image_boxes(log, labels, scans, progress)
    return Proposal(edits, tuple(traced), log, ego, scans.grounds)


def propose(
    log: DriveLog,
    *,
    keyframes: LabelSet | None = None,
    detections: LabelSet | None = None,
    config: Config | None = None,
    progress: Progress | None = None,
) -> tuple[Edit, ...]:
    """Edits that label all frames of a log, from key frames, from detections, from both or from nothing."""
    return label(log, Given(keyframes, detections), config, progress).edits


def mended(log: DriveLog, config: Config) -> tuple[DriveLog, EgoReport | None]:
    """The log with a trajectory that its scans agree with."""
    if not config.mend_poses:
        return log, None
    report = check(log, config.ego)
    trajectory = repair(log, report, config.ego)
    return (log if trajectory is log.trajectory else replace(log, trajectory=trajectory)), report


def traced_of(scans: Scans, given: Given, config: Config, progress: Progress | None = None) -> list[Traced]:
    """The objects of a log at all frames, before anything is said of how sure they are."""
    if given.keyframes is not None:
        return complete(scans, given.keyframes, given.detections, config, progress)
    with stage("detect"):
        found = found_in(scans, given, config, progress)
    if given.chances:
        config = config.model_copy(update={"track": config.track.by_chance()})
    return tracks_of(found, scans, config, progress)


def found_in(
    scans: Scans, given: Given, config: Config, progress: Progress | None = None
) -> dict[Kind, Detections]:
    """Detections by kind: those that were given, or what the detector finds in the scans.

    Raises:
        CrosslabelError: nothing was given, and there is nothing to search.
    """
    if given.detections is not None:
        return detections_by_kind(given.detections, scans.world)
    if scans.share == 0:
        name = scans.world.log.name
        raise CrosslabelError(f"{name}: no sweeps to find objects in: give key frames or detections")
    detector = given.detector or PlainDetector(config.detect)
    frames: list[Detections] = []
    for frame in range(len(scans)):
        if progress:
            progress("detect", frame, len(scans))
        frames.append(detector.detect(scans, frame))
    if progress:
        progress("detect", len(scans), len(scans))
    found = Detections.joined(frames)
    kinds = np.array([kind_of(category) for category in found.categories])
    return {kind: found.take(np.flatnonzero(kinds == kind)) for kind in Kind if (kinds == kind).any()}


def image_boxes_of(proposal: Proposal, track_id: str) -> dict[tuple[str, int], ImageBox]:
    """The rectangles of one track by camera and instant."""
    found: dict[tuple[str, int], ImageBox] = {}
    for edit in proposal.edits:
        if isinstance(edit, PutImageBoxes) and edit.track_id == track_id:
            found |= edit.image_boxes
    return found


def applied(labels: LabelSet, edits: Iterable[Edit]) -> LabelSet:
    """Labels after edits."""
    for edit in edits:
        labels = edit.apply(labels)
    return labels
