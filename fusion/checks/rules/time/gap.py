"""T9: frames left out of a track."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from calib.types import I64
from fusion.boxes import Box3D
from fusion.checks.facts import Facts
from fusion.checks.finding import Finding, Severity
from fusion.checks.found import A_BOX_S, GO_THERE_S, MOST_BOXES
from fusion.checks.rule import Limits, rule
from fusion.course import Course
from fusion.edits import Group, PutAnnotations
from fusion.labels import Annotation, Source, Track


@rule("T9", "gap in a track", Severity.WARNING, chance=0.8, longest_frames=10)
def gap(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """It is labelled before and after some frames in which other things are, and not in these."""
    labelled = np.unique(facts.frames[facts.frames >= 0])
    for number, track in enumerate(facts.tracks):
        frames = facts.frames[facts.rows(number)]
        places = np.searchsorted(labelled, frames[frames >= 0])
        for at in np.flatnonzero(np.diff(places) > 1):
            left_out = labelled[places[at] + 1 : places[at + 1]]
            if len(left_out) <= limits["longest_frames"]:
                yield _found(facts, track, left_out)


def _found(facts: Facts, track: Track, left_out: I64) -> Finding:
    times_ns = facts.log.timestamps_ns[left_out]
    many = "1 frame" if len(left_out) == 1 else f"{len(left_out)} frames"
    known, boxes, _ = Course.of(facts.log, track).at(times_ns)
    fix = None
    if known.all() and all(facts.log.trajectory.covers(int(t)) for t in times_ns):
        ego_from_world = facts.log.trajectory.at_many(times_ns).inverse()
        ego_from_box = ego_from_world @ boxes.dst_from_box
        made = tuple(
            Annotation(int(t), Box3D(pose, *(float(v) for v in size)), Source.INTERPOLATED)
            for t, pose, size in zip(times_ns, ego_from_box, boxes.sizes_lwh_m, strict=True)
        )
        fix = Group((PutAnnotations(track.id, made),), "Close a gap of a track")
    return Finding(
        rule="",
        severity=Severity.INFO,
        words=f"not labelled in {many} between others",
        repair_s=1.0 if fix is not None else GO_THERE_S + A_BOX_S * min(len(left_out), MOST_BOXES),
        track_id=track.id,
        timestamps_ns=tuple(int(t) for t in times_ns),
        value=float(len(left_out)),
        limit=0.0,
        fix=fix,
    )
