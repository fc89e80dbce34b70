"""Whether two label sets claim the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import numpy as np

from fusion.boxes import Box3D
from fusion.labels import Annotation, ImageBox, LabelSet, Track

K = TypeVar("K")


def labels_equal(a: LabelSet, b: LabelSet, atol: float = 0.0) -> bool:
    """Whether nothing differs; numbers may by `atol` (metres, pixels, entries of a rotation, scores)."""
    return first_difference(a, b, atol) is None


def first_difference(a: LabelSet, b: LabelSet, atol: float = 0.0) -> str | None:
    """What differs first, in words; None where both claim the same. The order of tracks says nothing."""
    tracks = _keys_differ("tracks", a.tracks, b.tracks)
    if tracks:
        return tracks
    for id, track in a.tracks.items():
        other = b.tracks[id]
        difference = None if track is other else _track_difference(track, other, atol)
        if difference:
            return f"track {id}: {difference}"
    if dict(a.reviews) != dict(b.reviews):
        return "reviews differ"
    return None if dict(a.attributes) == dict(b.attributes) else "attributes differ"


def _track_difference(a: Track, b: Track, atol: float) -> str | None:
    if (a.id, a.category, dict(a.attributes)) != (b.id, b.category, dict(b.attributes)):
        return "id, category or attributes differ"
    instants = _keys_differ("instants", a.annotations, b.annotations)
    images = _keys_differ("images", a.image_boxes, b.image_boxes)
    if instants or images:
        return instants or images
    for t, annotation in a.annotations.items():
        if not _same_annotation(annotation, b.annotations[t], atol):
            return f"annotations at {t} ns differ: {annotation} and {b.annotations[t]}"
    for key, box in a.image_boxes.items():
        if not _same_image_box(box, b.image_boxes[key], atol):
            return f"rectangles in {key} differ: {box} and {b.image_boxes[key]}"
    return None


def _same_annotation(a: Annotation, b: Annotation, atol: float) -> bool:
    said = (a.timestamp_ns, a.source, a.locked, dict(a.attributes))
    if said != (b.timestamp_ns, b.source, b.locked, dict(b.attributes)):
        return False
    return _same_score(a.score, b.score, atol) and _same_box(a.box, b.box, atol)


def _same_box(a: Box3D, b: Box3D, atol: float) -> bool:
    here, there = a.ego_from_box, b.ego_from_box
    return bool(
        np.abs(here.rotation - there.rotation).max() <= atol
        and np.abs(here.translation - there.translation).max() <= atol
        and np.abs(a.size_lwh_m - b.size_lwh_m).max() <= atol
    )


def _same_image_box(a: ImageBox, b: ImageBox, atol: float) -> bool:
    sides_a = np.array([a.left_px, a.top_px, a.right_px, a.bottom_px])
    sides_b = np.array([b.left_px, b.top_px, b.right_px, b.bottom_px])
    said = (a.source, dict(a.attributes)) == (b.source, dict(b.attributes))
    return said and _same_score(a.score, b.score, atol) and bool(np.abs(sides_a - sides_b).max() <= atol)


def _same_score(a: float | None, b: float | None, atol: float) -> bool:
    if a is None or b is None:
        return a is b
    return abs(a - b) <= atol


def _keys_differ(what: str, a: Mapping[K, object], b: Mapping[K, object]) -> str | None:
    if a.keys() == b.keys():
        return None
    only_a, only_b = sorted(map(str, a.keys() - b.keys())), sorted(map(str, b.keys() - a.keys()))
    return f"{what} only in the first: {only_a[:5]}, only in the second: {only_b[:5]}"
