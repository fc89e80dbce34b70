"""Boxes of objects that there are not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from fusion.labels import Annotation, Track
from fusion.seeded.kinds import ErrorKind, Level
from fusion.seeded.places import Place
from fusion.seeded.seeded import SeededError
from fusion.seeded.site import Change, Site
from fusion.seeded.survey import POINT_ATTRIBUTES


def spurious(site: Site, level: Level) -> Iterator[Change]:
    """A box that stands for some frames on empty ground, or on points of something that is no object."""
    wanted = [p for p in site.survey.places if (p.points > 0) is (level.kind is ErrorKind.CLUTTER)]
    for k in site.rng.permutation(len(wanted)).tolist():
        place = wanted[k]
        new_id = site.new_id("seeded")
        times_ns = site.survey.log.timestamps_ns[list(place.frames)].tolist()
        like = _usual_track(site, place.category)
        track = Track.of(new_id, place.category, _annotations(site, place, like), like.attributes)
        center = track.annotations[times_ns[0]].box.center.tolist()
        words = f"{place.category} {new_id}: " + (
            f"a box on {place.points} points of something else" if place.points else "a box without points"
        )
        error = SeededError(
            level.kind,
            level.amount,
            words,
            new_id,
            None,
            tuple(times_ns),
            place=(center[0], center[1], center[2]),
            gross=level.gross,
        )
        where = tuple((t, place.world_from_box.translation) for t in times_ns)
        yield Change(error, (track,), uses=(new_id,), spots=where)


def _usual_track(site: Site, category: str) -> Track:
    """The track of a class that moves least: its attributes fit what stands."""
    lives = [life for _, life in sorted(site.survey.lives.items()) if life.track.category == category]
    labelled = [life for life in lives if life.track.annotations]
    return min(labelled, key=lambda life: life.extent_m if len(life) else np.inf).track


def _annotations(site: Site, place: Place, like: Track) -> list[Annotation]:
    first = next(iter(like.annotations.values()))
    attributes = {k: value for k, value in first.attributes.items() if k not in POINT_ATTRIBUTES}
    made = []
    for frame in place.frames:
        timestamp_ns = int(np.asarray(site.survey.log.timestamps_ns)[frame])
        ego_from_world = site.survey.log.trajectory.at(timestamp_ns).inverse()
        box = place.box(ego_from_world)
        made.append(replace(first, timestamp_ns=timestamp_ns, box=box, locked=False, attributes=attributes))
    return made
