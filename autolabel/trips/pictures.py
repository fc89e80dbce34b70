"""Trips from above: before and after they were laid on each other, and what stands on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autolabel.trips.above import Above
from autolabel.trips.alignment import Alignment
from autolabel.trips.config import AlignConfig
from autolabel.trips.looks import Verdict
from autolabel.trips.passage import Passage
from autolabel.trips.share import FROM_TRIP, Finding
from autolabel.trips.told import Change
from autolabel.world import LocalWorld
from calib.se3 import SE3, SE3Batch
from calib.types import F64, U8
from fusion.boxes import Boxes
from fusion.labels import LabelSet, Track
from fusion.log import DriveLog
from fusion.trajectory import Trajectory

INKS = np.array([[0.85, 0.1, 0.1], [0.1, 0.35, 0.9], [0.1, 0.6, 0.2], [0.8, 0.5, 0.0]])
CELL_M, AROUND_M, SIZE_PX = 0.15, 35.0, 1100
COLORS = {
    "alone": (120, 120, 120),
    "agreed": (30, 90, 220),
    "carried": (20, 150, 60),
    "gone": (210, 20, 40),
    "new": (240, 130, 0),
    "replaced": (150, 40, 190),
}


@dataclass(frozen=True, eq=False, slots=True)
class FromAbove:
    """Trips in the local world of the first of them, from above.

    Attributes:
        passages: their thin scans.
        alignment: how they lie on each other.
        local_from_world: of the first trip.
        corner: (2,) lowest x and y of pictures.
        far_corner: (2,) highest.
    """

    passages: tuple[Passage, ...]
    alignment: Alignment
    local_from_world: SE3
    corner: F64
    far_corner: F64

    @classmethod
    def of(
        cls, logs: Sequence[DriveLog], alignment: Alignment, config: AlignConfig | None = None
    ) -> FromAbove:
        """Reads some of the scans of each trip."""
        config = config or AlignConfig()
        local_from_world = LocalWorld.of(logs[0]).local_from_world
        passages = tuple(Passage.of(log, local_from_world, config) for log in logs)
        places = [
            passage.given_from_ego.translations[:, :2]
            for passage, trip in zip(passages, alignment.trips, strict=True)
            if trip.meets
        ]
        every = np.concatenate(places or [passages[0].given_from_ego.translations[:, :2], np.zeros((1, 2))])
        return cls(
            passages, alignment, local_from_world, every.min(axis=0) - AROUND_M, every.max(axis=0) + AROUND_M
        )

    def trips(self, found: bool, config: AlignConfig | None = None) -> U8:
        """(H, W, 3) what stands around each trip that meets another, in its colour, as given or as found."""
        import cv2

        poses = {k: self._poses(k, found) for k, trip in enumerate(self.alignment.trips) if trip.meets}
        picture = np.ones((1, 1, 1))
        for k, some in poses.items():
            ink = self._standing(k, some, config or AlignConfig())[:, :, None]
            picture = np.clip(picture - ink * (1 - INKS[k % len(INKS)]) * 0.75, 0, 1)
        canvas = self._scaled(np.round(255 * picture).astype(np.uint8))
        for k, some in poses.items():
            way = self._pixels(some.translations[:, :2])
            color = tuple(int(v) for v in 255 * INKS[k % len(INKS)])
            cv2.polylines(canvas, _fixed(way[None]), False, color, 2, cv2.LINE_AA, shift=4)
        return canvas

    def things(
        self, labels: Sequence[LabelSet], findings: Sequence[Finding], changed: Sequence[Change]
    ) -> U8:
        """(H, W, 3) what stands on the trips, over all their scans, in the colours of `COLORS`."""
        import cv2

        meeting = [k for k, trip in enumerate(self.alignment.trips) if trip.meets]
        ink = np.zeros(())
        for k in meeting:
            ink = np.maximum(ink, self._standing(k, self._poses(k, True), AlignConfig()))
        grey = np.round(255 - 90 * ink).astype(np.uint8)
        canvas = self._scaled(np.repeat(grey[:, :, None], 3, axis=2))
        kinds = _kinds([trip.log for trip in self.alignment.trips], labels, findings, changed)
        for name in COLORS:
            outlines = [
                self._outline(labels[k].tracks[track_id], self.alignment.trips[k].trajectory)
                for (k, track_id), kind in kinds.items()
                if kind == name and k in meeting
            ]
            width = 1 if name == "alone" else 2
            cv2.polylines(canvas, _fixed(np.array(outlines)), True, COLORS[name], width, cv2.LINE_AA, shift=4)
        return canvas

    def _poses(self, k: int, found: bool) -> SE3Batch:
        """Of the stations of one trip."""
        passage = self.passages[k]
        if not found:
            return passage.given_from_ego
        world_from_ego = self.alignment.trips[k].trajectory.at_many(passage.frames_ns)
        return self.local_from_world @ world_from_ego

    def _standing(self, k: int, poses: SE3Batch, config: AlignConfig) -> F64:
        """(Y, X) 1 where something stands around one trip."""
        plan = Above.around(self.corner, self.far_corner, self._cell_m)
        ground = Above.around(self.corner, self.far_corner, config.search.cell_m)
        for station, pose in zip(self.passages[k].stations, poses, strict=True):
            points = pose @ station.points_ego
            ground.add(points)
            plan.add(points[ground.at(ground.standing_m(config.search) > 0, points)])
        return plan.seen.T[::-1].astype(np.float64)

    @property
    def _cell_m(self) -> float:
        return max(CELL_M, float((self.far_corner - self.corner).max()) / SIZE_PX)

    def _scaled(self, picture: U8) -> U8:
        import cv2

        times = max(1, SIZE_PX // max(picture.shape[:2]))
        size = (picture.shape[1] * times, picture.shape[0] * times)
        return np.ascontiguousarray(cv2.resize(picture, size, interpolation=cv2.INTER_NEAREST))

    def _pixels(self, places: F64) -> F64:
        """(..., 2) of places in the local world."""
        shape = np.ceil((self.far_corner - self.corner) / self._cell_m).astype(int) + 1
        times = max(1, SIZE_PX // int(shape.max()))
        across = (places - self.corner) / self._cell_m
        return np.asarray(np.stack([across[..., 0], shape[1] - across[..., 1]], axis=-1) * times - 0.5)

    def _outline(self, track: Track, trajectory: Trajectory) -> F64:
        """(4, 2) pixels of the box of what stands, where it was seen best: nearest."""
        known = [a for t, a in track.annotations.items() if trajectory.covers(t)]
        best = min(known, key=lambda a: (float(np.linalg.norm(a.box.center)), a.timestamp_ns))
        world_from_ego = trajectory.at(best.timestamp_ns)
        local_from_ego = self.local_from_world @ world_from_ego
        corners = Boxes.stack([best.box]).moved(local_from_ego).corners()[0, [2, 3, 7, 6], :2]
        return self._pixels(corners)


def _kinds(
    names: list[str], labels: Sequence[LabelSet], findings: Sequence[Finding], changed: Sequence[Change]
) -> dict[tuple[int, str], str]:
    """By trip and track, what became of everything that stands."""
    numbers = {name: k for k, name in enumerate(names)}
    kinds: dict[tuple[int, str], str] = {}
    for finding in findings:
        same = finding.other_id is not None and finding.verdict is Verdict.SAME
        key = numbers[finding.trip], finding.track_id
        if same or key not in kinds:
            kinds[key] = "agreed" if same else "alone"
    for k, known in enumerate(labels):
        kinds |= {(k, t.id): "carried" for t in known.tracks.values() if FROM_TRIP in t.attributes}
    kinds |= {(numbers[change.trip], change.track_id): change.kind for change in changed}
    return {key: kind for key, kind in kinds.items() if key[1] in labels[key[0]].tracks}


def _fixed(places_px: F64) -> list[np.ndarray]:
    return [np.round(line * 16).astype(np.int32)[:, None] for line in places_px]
