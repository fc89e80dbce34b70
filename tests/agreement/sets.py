"""Small label sets to compare."""

from collections.abc import Iterable, Sequence

import numpy as np

from calib import SE3
from fusion import Annotation, Box3D, LabelSet, Source, Track

CAR, PERSON = (4.0, 2.0, 1.5), (0.8, 0.8, 1.8)


def box(x: float, y: float = 0.0, yaw_rad: float = 0.0, size: Sequence[float] = CAR, z: float = 0.8) -> Box3D:
    return Box3D.upright((x, y, z), size, yaw_rad)


def track(id: str, category: str, boxes: Iterable[Box3D], first: int = 0) -> Track:
    """One box a frame, from a frame on."""
    return Track.of(id, category, [Annotation(t, one) for t, one in enumerate(boxes, start=first)])


def parked(id: str, x: float, y: float = 0.0, frames: int = 4, category: str = "car") -> Track:
    size = CAR if category in ("car", "truck", "bus", "van") else PERSON
    return track(id, category, [box(x, y, size=size)] * frames)


def moved(one: Box3D, by_m: Sequence[float], yaw_rad: float = 0.0) -> Box3D:
    """Moved along its own axes and turned about its own middle."""
    ego_from_box = one.ego_from_box @ SE3.from_yaw(yaw_rad, by_m)
    return Box3D(ego_from_box, one.length_m, one.width_m, one.height_m)


def crowd(seed: int, tracks: int, frames: int, noise_m: float = 0.0, prefix: str = "") -> LabelSet:
    """Objects all over the place, each where the same seed has it but for some noise."""
    rng = np.random.default_rng(seed)
    noise = np.random.default_rng((seed, round(noise_m * 1e6)))
    made = []
    for number in range(tracks):
        category = ("car", "pedestrian", "truck")[number % 3]
        x, y, yaw_rad = rng.uniform(-90, 90), rng.uniform(-90, 90), rng.uniform(-3, 3)
        size = PERSON if category == "pedestrian" else CAR
        steps = noise.normal(0, noise_m, (frames, 3))
        boxes = [box(x + dx, y + dy, yaw_rad, size, 0.8 + dz) for dx, dy, dz in steps]
        made.append(track(f"{prefix}{number}", category, boxes))
    return LabelSet.of(made)


def locked(one: Annotation, by: Source = Source.HUMAN) -> Annotation:
    return Annotation(one.timestamp_ns, one.box, by, one.score, True, one.attributes)
