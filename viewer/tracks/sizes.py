"""How large the thing is that is being labelled, from what is labelled already."""

from __future__ import annotations

import numpy as np

from autolabel.fit import Usual, usual_of
from fusion.boxes import Box3D
from fusion.labels import Track
from viewer.schema import Schema
from viewer.session import Session
from viewer.tracks.keyframes import is_keyframe

KNOWN_SPREAD_M, NAMED_SPREAD = 0.03, 0.08
MOST_TRACKS = 200


def usual_in(session: Session, schema: Schema, category: str) -> Usual | None:
    """How large things of a class are: what its name or the schema says, and the boxes that were given."""
    usual = usual_of(category)
    named = schema.category(category).size_lwh_m
    if named is not None:
        flat = usual is None or usual.flat
        usual = Usual(np.array(named), NAMED_SPREAD * np.array(named), flat)
    if usual is None:
        return None
    labels = session.store.labels.tracks.values()
    others = [track for track in labels if track.category == category and track.id != session.selected]
    return usual.learned([box for track in others[-MOST_TRACKS:] if (box := _given(track)) is not None])


def usual_of_selected(session: Session, schema: Schema) -> Usual | None:
    """How large the selected thing is: what people or files said in other frames; without that, its class."""
    track = session.track
    if track is None:
        return None
    usual = usual_in(session, schema, track.category)
    sizes = [
        a.box.size_lwh_m for t, a in track.annotations.items() if t != session.time_ns and is_keyframe(a)
    ]
    if usual is None or not sizes:
        return usual
    return usual.of_size(np.median(sizes, axis=0), KNOWN_SPREAD_M)


def _given(track: Track) -> Box3D | None:
    return next((a.box for a in track.annotations.values() if is_keyframe(a)), None)
