"""Which finding is new, and which error it leads to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np

from calib.types import F64
from fusion.boxes import Box3D
from fusion.checks import Finding
from fusion.labels import LabelSet
from fusion.seeded.kinds import SENSOR_KINDS
from fusion.seeded.rules import fits
from fusion.seeded.seeded import Seeded, SeededError

NEAR_M = 2.0
SLACK = 1  # frames
Key = tuple[str, str | None, frozenset[str]]


@dataclass(eq=False)
class Judge:
    """Compares what a check says of labels with errors to what it said of them before.

    Attributes:
        seeded: the errors.
        before: findings in the undisturbed labels.
    """

    seeded: Seeded
    before: Sequence[Finding]
    _numbers: dict[int, int] = field(init=False)
    _tracked: dict[Key, set[int]] = field(init=False, default_factory=dict)
    _untracked: dict[str, list[Finding]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        seeded = self.seeded
        labelled = {*seeded.labels.timestamps_ns(), *seeded.undisturbed.timestamps_ns()}
        instants = sorted({*seeded.log.timestamps_ns.tolist(), *labelled})
        self._numbers = {t: k for k, t in enumerate(instants)}
        for finding in self.before:
            if finding.track_id is None:
                self._untracked.setdefault(finding.rule, []).append(finding)
            else:
                key = (finding.rule, finding.camera, _ids(finding))
                frames = self._frames(finding, seeded.undisturbed)
                self._tracked.setdefault(key, set()).update(frames)

    def new_frames(self, finding: Finding) -> set[int]:
        """Numbers of the frames at which a finding says something that was not said before.

        What was said of a track before is looked for under all tracks that its boxes come from.
        """
        frames = self._frames(finding, self.seeded.labels)
        if finding.track_id is None:
            known = self._untracked.get(finding.rule, ())
            return set() if any(self._same(finding, old, frames) for old in known) else frames
        for ids in self._origins(finding):
            known_frames = self._tracked.get((finding.rule, finding.camera, ids), set())
            frames = frames - _widened(known_frames)
        return frames

    def touched(self, finding: Finding, frames: set[int]) -> list[int]:
        """Which errors a finding is about, at these frames: their numbers."""
        wide = _widened(frames)
        return [k for k, e in enumerate(self.seeded.errors) if self._touches(finding, frames, wide, e)]

    def caught(self, finding: Finding, error: SeededError) -> bool:
        """Whether a finding that touches an error brings a person to it.

        A finding about an object that a camera shows too does not say that the camera is wrong.
        """
        about_object = finding.track_id is not None
        return fits(finding.rule, error.kind) and not (error.kind in SENSOR_KINDS and about_object)

    def _touches(self, finding: Finding, frames: set[int], wide: set[int], error: SeededError) -> bool:
        if error.camera is not None:
            return finding.camera == error.camera
        there = {self._numbers[t] for t in error.timestamps_ns}
        if finding.track_id is not None:
            own = {error.track_id, error.other_id} - {None}
            return not wide.isdisjoint(there) and not own.isdisjoint(_ids(finding))
        if finding.place is None or not finding.timestamps_ns or not frames:
            return False
        return any(_distance_m(finding, box) <= NEAR_M for box in self._boxes(error, finding))

    def _boxes(self, error: SeededError, finding: Finding) -> Iterator[Box3D]:
        """The boxes of an error, before and after, in the first frame of a finding or next to it."""
        first = self._numbers.get(finding.timestamps_ns[0])
        trajectory = self.seeded.log.trajectory
        for labels, track_id in product(
            (self.seeded.labels, self.seeded.undisturbed), (error.track_id, error.other_id)
        ):
            track = labels.tracks.get(track_id) if track_id is not None else None
            for t in error.timestamps_ns if track is not None else ():
                near = first is not None and abs(self._numbers[t] - first) <= SLACK
                if not near or track is None or t not in track.annotations:
                    continue
                box = track.annotations[t].box
                ego_at_first_from_world = trajectory.at(finding.timestamps_ns[0]).inverse()
                world_from_box = trajectory.at(t) @ box.ego_from_box
                yield Box3D(ego_at_first_from_world @ world_from_box, *box.size_lwh_m.tolist())

    def _frames(self, finding: Finding, labels: LabelSet) -> set[int]:
        """Numbers of the frames a finding is about; of one that names none, all there are."""
        if finding.timestamps_ns:
            return {self._numbers[t] for t in finding.timestamps_ns if t in self._numbers}
        track = labels.tracks.get(finding.track_id) if finding.track_id is not None else None
        return {self._numbers[t] for t in (self._numbers if track is None else track.annotations)}

    def _origins(self, finding: Finding) -> Iterable[frozenset[str]]:
        sources = [self.seeded.origins.get(id, (id,)) for id in sorted(_ids(finding))]
        return {frozenset(ids) for ids in product(*sources)}

    def _same(self, finding: Finding, old: Finding, frames: set[int]) -> bool:
        """Whether two findings about no track are one: same rule given, camera, time and place."""
        if finding.id == old.id:
            return True
        if finding.camera != old.camera or (finding.place is None) is not (old.place is None):
            return False
        if _widened(frames).isdisjoint(self._frames(old, self.seeded.undisturbed)):
            return False
        here, there = self._place_world(finding), self._place_world(old)
        return here is None or there is None or float(np.linalg.norm((here - there)[:2])) <= NEAR_M

    def _place_world(self, finding: Finding) -> F64 | None:
        trajectory = self.seeded.log.trajectory
        if finding.place is None or not finding.timestamps_ns:
            return None
        if not trajectory.covers(finding.timestamps_ns[0]):
            return np.array(finding.place)
        return trajectory.at(finding.timestamps_ns[0]) @ np.array(finding.place)


def _ids(finding: Finding) -> frozenset[str]:
    return frozenset(id for id in (finding.track_id, finding.other_id) if id is not None)


def _widened(frames: Iterable[int]) -> set[int]:
    return {frame + step for frame in frames for step in range(-SLACK, SLACK + 1)}


def _distance_m(finding: Finding, box: Box3D) -> float:
    """From the place of a finding to the nearest of a box, seen from above."""
    place_box = box.ego_from_box.inverse() @ np.array(finding.place)
    beyond_m = np.maximum(np.abs(place_box[:2]) - box.size_lwh_m[:2] / 2, 0.0)
    return float(np.linalg.norm(beyond_m))
