"""A street with three cameras, and what people would draw into their images, exactly."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np

from calib.rig import Rig
from fusion.checks import Finding
from fusion.checks.blame import views_of
from fusion.checks.check import asked
from fusion.checks.evidence import Evidence
from fusion.checks.facts import Facts
from fusion.checks.facts.pictured import Pictured
from fusion.labels import ImageBox, LabelSet, Source
from fusion.log import DriveLog, ImageRef
from tests.blame.conftest import Scene, camera, exact, unread
from tests.checks.made_streets import CAR, PERSON, Thing, labels_of, log_of, only, standing, straight

FRAMES = 20
CAMERAS = (
    camera("cam_front", 0.0, 0.0),
    camera("cam_left", 60.0, 0.5),
    camera("cam_right", -60.0, -0.5),
)
PARKED = tuple(
    Thing(f"{side} {x}", "car", CAR, standing(x + shift, y))
    for side, y, shift in (("left", 6.0, 0.0), ("right", -5.5, 4.0))
    for x in range(4, 50, 9)
)
STREET = (
    *PARKED,
    Thing("truck", "truck", (8.0, 2.5, 2.8), straight(45.0, 1.8, 6.0, np.pi)),
    Thing("walker", "pedestrian", PERSON, straight(12.0, 9.0, 1.3, 1.5)),
    Thing("waiting", "pedestrian", PERSON, standing(16.0, -9.0, 1.0)),
)


def with_cameras(log: DriveLog, late_ns: int = 0) -> DriveLog:
    """With an image of each camera at each frame, or so much later; none of them must be read."""
    images = {
        one.name: tuple(ImageRef(one.name, int(t) + late_ns, unread) for t in log.timestamps_ns)
        for one in CAMERAS
    }
    return replace(log, rig=Rig.of(tuple(log.rig.lidars.values()), CAMERAS), images=images)


@cache
def scene_of(frames: int = FRAMES, sweeps: bool = False) -> Scene:
    log, labels = with_cameras(log_of(STREET, frames, sweeps=sweeps)), labels_of(STREET, frames)
    return Scene(log, labels, exact(log, labels))


def pictured(log: DriveLog, labels: LabelSet, evidence: Sequence[Evidence]) -> Facts:
    """What rules see of boxes and images."""
    return replace(Facts.of(log, labels), pictured=Pictured.of(log, labels, evidence))


def says(facts: Facts, rule: str, **changes: object) -> list[Finding]:
    return asked(facts, only(rule, **changes))[0]


def drawn(scene: Scene, source: Source, right_px: float = 0.0) -> LabelSet:
    """The labels with the rectangles of their own images, drawn so far beside the objects."""
    views, labels = views_of(scene.log, scene.labels, scene.evidence), scene.labels
    boxes: dict[str, dict[tuple[str, int], ImageBox]] = {id: {} for id in labels.tracks}
    ids = list(labels.tracks)
    for image, track, ltrb_px in zip(views.images, views.tracks, views.ltrb_px, strict=True):
        told = scene.evidence[image]
        shifted = (ltrb_px + np.array([right_px, 0.0, right_px, 0.0])).tolist()
        boxes[ids[track]][told.camera, told.timestamp_ns] = ImageBox(*shifted, source=source)
    for id, mine in boxes.items():
        labels = labels.with_track(replace(labels.tracks[id], image_boxes=mine))
    return labels
