"""What is done to a whole track at once, as edits."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np

from calib.types import Floats
from fusion.boxes import Box3D
from fusion.edits import Edit, Group, PutAnnotations, RemoveAnnotations
from fusion.errors import EditError
from fusion.labels import Annotation, Source, Track
from fusion.log import DriveLog
from viewer.scene.handles import moved
from viewer.tracks.keyframes import box_between, is_keyframe


def sized_like(track: Track, time_ns: int) -> Edit | None:
    """All boxes get the size of one; of each the corner nearest to the car stays where it is."""
    size = track.annotations[time_ns].box.size_lwh_m
    changed = [
        replace(annotation, box=with_size(annotation.box, size))
        for annotation in track.annotations.values()
        if not annotation.locked and not np.allclose(annotation.box.size_lwh_m, size)
    ]
    return Group((PutAnnotations(track.id, tuple(changed)),), "One size for the track") if changed else None


def with_size(box: Box3D, size_lwh_m: Floats) -> Box3D:
    """A box of another size whose corner nearest to the car, on the ground, stays where it is."""
    size = np.asarray(size_lwh_m, dtype=np.float64)
    car = box.ego_from_box.inverse().translation
    away = np.where(car > 0, -1.0, 1.0) * [1, 1, 0] + [0, 0, 1.0]
    grown = moved(box, away * (size - box.size_lwh_m) / 2)
    return Box3D(grown.ego_from_box, *(float(value) for value in size))


def standing(log: DriveLog, track: Track, time_ns: int) -> Edit | None:
    """The box of one instant stands still in the world, from the first frame of the track to its last.

    Boxes that were confirmed stay as they are.
    """
    given = track.annotations[time_ns].box
    world_from_ego = log.trajectory.at(time_ns)
    world_from_box = world_from_ego @ given.ego_from_box
    first, last = min(track.annotations), max(track.annotations)
    made: list[Annotation] = []
    for t in log.timestamps_ns.tolist():
        before = track.annotations.get(t)
        if not first <= t <= last or t == time_ns or not log.trajectory.covers(t):
            continue
        if before is not None and before.locked:
            continue
        ego_from_world = log.trajectory.at(t).inverse()
        box = replace(given, ego_from_box=ego_from_world @ world_from_box)
        source = Source.INTERPOLATED if before is None or not is_keyframe(before) else before.source
        made.append(Annotation(t, box, source, attributes={} if before is None else before.attributes))
    return Group((PutAnnotations(track.id, tuple(made)),), "Stands still") if made else None


def filled(log: DriveLog, track: Track) -> Edit | None:
    """Boxes in all frames between key frames, on straight lines through the world."""
    keys = [t for t, annotation in track.annotations.items() if is_keyframe(annotation)]
    made: list[Annotation] = []
    for before, after in pairwise(keys):
        for t in log.timestamps_ns.tolist():
            there = track.annotations.get(t)
            if before < t < after and (there is None or there.source is Source.INTERPOLATED):
                said = {} if there is None else there.attributes
                box = box_between(log, track, before, after, t)
                made.append(Annotation(t, box, Source.INTERPOLATED, attributes=said))
    return Group((PutAnnotations(track.id, tuple(made)),), "Fill between key frames") if made else None


def without_key(log: DriveLog, track: Track, time_ns: int) -> Edit | None:
    """A box is no key frame any more, but lies on the straight line between the sure boxes next to it.

    The interpolated boxes between those follow. Sure is what somebody, or automation, saw.

    Raises:
        EditError: there is no such box before it or after it, so nothing would say where it is.
    """
    times_ns = [t for t, a in track.annotations.items() if a.locked or a.source is not Source.INTERPOLATED]
    if time_ns not in times_ns:
        return None
    at = times_ns.index(time_ns)
    if at in (0, len(times_ns) - 1):
        raise EditError("the first and the last box of a track hold it; they can only be removed")
    before, after = times_ns[at - 1], times_ns[at + 1]
    made = tuple(
        Annotation(t, box_between(log, track, before, after, t), Source.INTERPOLATED, attributes=a.attributes)
        for t, a in track.annotations.items()
        if before < t < after
    )
    return Group((PutAnnotations(track.id, made),), "Remove the key frame")


def cut_off(track: Track, time_ns: int, before: bool) -> Edit | None:
    """Removes all boxes before, or after, an instant; confirmed ones stay."""
    gone = tuple(
        t
        for t, annotation in track.annotations.items()
        if (t < time_ns if before else t > time_ns) and not annotation.locked
    )
    title = "Begin the track here" if before else "End the track here"
    return Group((RemoveAnnotations(track.id, gone),), title) if gone else None


def pasted(log: DriveLog, track: Track, source_ns: int, time_ns: int) -> Edit | None:
    """The box of one instant put where it stands in the world at another."""
    if source_ns not in track.annotations or source_ns == time_ns:
        return None
    given = track.annotations[source_ns].box
    ego_from_world = log.trajectory.at(time_ns).inverse()
    world_from_ego = log.trajectory.at(source_ns)
    ego_at_target_from_ego = ego_from_world @ world_from_ego
    box = replace(given, ego_from_box=ego_at_target_from_ego @ given.ego_from_box)
    return Group((PutAnnotations(track.id, (Annotation(time_ns, box),)),), "Paste the box")
