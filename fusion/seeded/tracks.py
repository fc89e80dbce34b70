"""Errors of which box belongs to which object, and of objects that are there or are not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from fusion.labels import Annotation, ImageBox, Track
from fusion.seeded.boxes import MOVING_MPS, moved
from fusion.seeded.kinds import ErrorKind, Level
from fusion.seeded.site import Change, Site, spots
from fusion.seeded.survey import Life

SIDE = 3  # frames that are left on either side of a seam
DUPLICATE_RUNS = 4
NEAREST_M = 1.5  # what lies nearer to each other may be one object labelled twice


def missing_boxes(site: Site, level: Level) -> Iterator[Change]:
    """An object that is not labelled in one frame between two others."""
    for life in site.lives():
        first = site.stretch(life, 1)
        if first is None:
            continue
        before_ns, gone_ns, after_ns = life.timestamps_ns[first - 1 : first + 2].tolist()
        shot_ns = (before_ns + gone_ns) // 2, (gone_ns + after_ns) // 2
        kept = {k: box for k, box in life.track.image_boxes.items() if not shot_ns[0] < k[1] <= shot_ns[1]}
        track = replace(life.track.without([gone_ns]), image_boxes=kept)
        error = site.told(level, life, first, 1, "missing in one frame")
        yield Change(error, (track,), uses=(track.id,), spots=spots(life, first, 1))


def missing_tracks(site: Site, level: Level) -> Iterator[Change]:
    """An object that is not labelled at all, with points in several sweeps to find it by."""
    amounts = [other.amount for other in site.config.levels if other.kind is level.kind]
    most = min((amount for amount in amounts if amount > level.amount), default=np.inf)
    for life in site.lives():
        counts = life.points[life.in_sweep]
        if len(counts) < site.config.run or not level.amount <= np.median(counts) < most:
            continue
        words = f"missing in all {len(life)} frames, about {np.median(counts):.0f} points each"
        error = site.told(level, life, 0, len(life), words)
        gone = life.track.id
        yield Change(error, removed=(gone,), uses=(gone,), spots=spots(life, 0, len(life)))


def late_tracks(site: Site, level: Level) -> Iterator[Change]:
    """Boxes of a moving object that belong to an earlier frame."""
    lag = round(level.amount)
    for life in site.lives():
        count = len(life) - lag
        too_slow = not site.survey.knows_motion or life.speed_mps(0, len(life)) < MOVING_MPS
        if too_slow or not life.lasts(0, len(life)):
            continue
        if life.in_sweep[lag:].sum() < site.config.run or not life.enough_points(
            lag, count, site.config.min_points
        ):
            continue
        trajectory, late = site.survey.log.trajectory, []
        for old, now in zip(life.annotations(0, count), life.annotations(lag, count), strict=True):
            ego_from_world = trajectory.at(now.timestamp_ns).inverse()
            world_from_box = trajectory.at(old.timestamp_ns) @ old.box.ego_from_box
            late.append(replace(now, box=replace(now.box, ego_from_box=ego_from_world @ world_from_box)))
        track = replace(life.track, annotations={a.timestamp_ns: a for a in late})
        error = site.told(level, life, lag, count, f"every box {lag} frames late")
        yield Change(error, (track,), uses=(track.id,), spots=spots(life, lag, count))


def duplicates(site: Site, level: Level) -> Iterator[Change]:
    """An object that is labelled twice for a while, the second time a little beside."""
    for life in site.lives():
        count = min(DUPLICATE_RUNS * site.config.run, len(life) - 2)
        first = site.stretch(life, count) if count >= site.config.run else None
        if first is None:
            continue
        angle_rad = site.rng.uniform(-np.pi, np.pi)
        offset_m = level.amount * np.array([np.cos(angle_rad), np.sin(angle_rad), 0.0])
        again = [replace(a, box=moved(a.box, offset_m)) for a in life.annotations(first, count)]
        second = Track.of(site.new_id(life.track.id), life.track.category, again, life.track.attributes)
        words = f"labelled again {level.amount:g} m beside in {count} frames"
        error = replace(site.told(level, life, first, count, words, life.track.id), track_id=second.id)
        origins = {second.id: (life.track.id,)}
        where = spots(life, first, count)
        yield Change(error, (second,), uses=(life.track.id,), spots=where, origins=origins)


def cuts(site: Site, level: Level) -> Iterator[Change]:
    """An object that has another id from some instant on."""
    for life in site.lives():
        seam = site.stretch(life, 2, partial(_can_be_cut, life))
        if seam is None:
            continue
        before, after = _halves(life, seam + 1)
        new_id = site.new_id(life.track.id)
        error = site.told(level, life, seam, 2, f"goes on as {new_id}", new_id)
        put = (before.of(life.track, life.track.id), after.of(life.track, new_id))
        origins = {new_id: (life.track.id,)}
        where = spots(life, seam, 2)
        yield Change(error, put, uses=(life.track.id,), spots=where, origins=origins)


def swaps(site: Site, level: Level) -> Iterator[Change]:
    """Two objects of a class that exchange their ids from some instant on."""
    for life in site.lives():
        seam = site.stretch(life, 2, partial(_can_be_cut, life))
        found = None if seam is None else _partner(site, level, life, seam)
        if seam is None or found is None:
            continue
        other, there, apart_m = found
        before, after = _halves(life, seam + 1)
        other_before, other_after = _halves(other, there + 1)
        put = (
            before.joined(other_after).of(life.track, life.track.id),
            other_before.joined(after).of(other.track, other.track.id),
        )
        ids = (life.track.id, other.track.id)
        words = f"exchanges its id with {ids[1]}, {apart_m:.1f} m away"
        error = site.told(level, life, seam, 2, words, ids[1])
        where = (*spots(life, seam, 2), *spots(other, there, 2))
        yield Change(error, put, uses=ids, spots=where, origins=dict.fromkeys(ids, ids))


def _partner(site: Site, level: Level, life: Life, seam: int) -> tuple[Life, int, float] | None:
    """Another object at the same instant, as far away as wanted; which of its annotations, how far."""
    for other in site.lives():
        if other is life or other.track.category != life.track.category:
            continue
        there = int(np.searchsorted(other.frames, life.frames[seam]))
        if there == len(other) or other.frames[there] != life.frames[seam]:
            continue
        apart_m = float(np.linalg.norm(other.places_world[there] - life.places_world[seam]))
        near = level.kind is ErrorKind.SWAP_NEAR
        as_wanted = NEAREST_M <= apart_m <= level.amount if near else apart_m >= level.amount
        enough = other.enough_points(there, 2, site.config.min_points)
        if as_wanted and enough and _can_be_cut(other, there):
            return other, there, apart_m
    return None


def _can_be_cut(life: Life, seam: int) -> bool:
    """Whether several frames without a gap lie on either side, the seam after annotation `seam`."""
    return life.lasts(seam + 1 - SIDE, 2 * SIDE)


@dataclass(frozen=True, eq=False, slots=True)
class _Part:
    """Some annotations of a track and the rectangles that go with them."""

    annotations: dict[int, Annotation]
    image_boxes: dict[tuple[str, int], ImageBox]

    def joined(self, later: _Part) -> _Part:
        return _Part(self.annotations | later.annotations, self.image_boxes | later.image_boxes)

    def of(self, track: Track, track_id: str) -> Track:
        """A track of this part alone, with the class and attributes of another."""
        return replace(track, id=track_id, annotations=self.annotations, image_boxes=self.image_boxes)


def _halves(life: Life, index: int) -> tuple[_Part, _Part]:
    """What lies before an annotation, and the rest; rectangles go with the nearer side."""
    track, start_ns = life.track, int(life.timestamps_ns[index])
    cut_ns = (int(life.timestamps_ns[index - 1]) + start_ns) // 2
    halves = [
        _Part(
            {t: a for t, a in track.annotations.items() if (t >= start_ns) is late},
            {k: box for k, box in track.image_boxes.items() if (k[1] > cut_ns) is late},
        )
        for late in (False, True)
    ]
    return halves[0], halves[1]
