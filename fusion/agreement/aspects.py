"""What about two boxes, rectangles or sets of attributes differs."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from calib.types import F64
from fusion.agreement.difference import Aspect, Tolerance
from fusion.boxes import Boxes
from fusion.labels import Attributes, ImageBox, Json, Track

SIDES = ("left_px", "top_px", "right_px", "bottom_px")


def changed(name: str, before: Json, after: Json) -> tuple[Aspect, ...]:
    """One aspect where two values differ, else none."""
    same = before == after and type(before) is type(after)
    return () if same else (Aspect(name, before, after),)


def attribute_aspects(a: Attributes, b: Attributes) -> tuple[Aspect, ...]:
    """The attributes that differ, by name."""
    if a is b:
        return ()
    names = dict.fromkeys((*a, *b))
    return tuple(
        Aspect(f"attribute {name}", a.get(name), b.get(name))
        for name in names
        if (name in a) != (name in b) or changed(name, a[name], b[name])
    )


def annotation_aspects(a: Track, b: Track, tolerance: Tolerance) -> dict[int, tuple[Aspect, ...]]:
    """What differs about the boxes that two tracks have at the same instants, where something does."""
    shared = [
        t for t, annotation in a.annotations.items() if b.annotations.get(t, annotation) is not annotation
    ]
    found: defaultdict[int, list[Aspect]] = defaultdict(list)
    _compare_boxes(a, b, shared, tolerance, found)
    for instant in shared:
        one, other = a.annotations[instant], b.annotations[instant]
        found[instant] += changed("source", one.source.value, other.source.value)
        found[instant] += changed("locked", one.locked, other.locked)
        found[instant] += _score(one.score, other.score, tolerance)
        found[instant] += attribute_aspects(one.attributes, other.attributes)
    return {instant: tuple(aspects) for instant, aspects in found.items() if aspects}


def _compare_boxes(
    a: Track, b: Track, instants: list[int], tolerance: Tolerance, found: defaultdict[int, list[Aspect]]
) -> None:
    boxes_a = Boxes.stack(a.annotations[t].box for t in instants)
    boxes_b = Boxes.stack(b.annotations[t].box for t in instants)
    poses_a, poses_b = boxes_a.dst_from_box, boxes_b.dst_from_box
    moved_m = np.linalg.norm(poses_b.translations - poses_a.translations, axis=1)
    turned_rad = angles_rad(poses_a.rotations, poses_b.rotations)
    grown_m = np.abs(boxes_b.sizes_lwh_m - boxes_a.sizes_lwh_m).max(axis=1, initial=0)
    for k in np.flatnonzero(moved_m > tolerance.length_m).tolist():
        centers = poses_a.translations[k].tolist(), poses_b.translations[k].tolist()
        found[instants[k]].append(Aspect("centre", *centers, float(moved_m[k])))
    for k in np.flatnonzero(turned_rad > tolerance.angle_rad).tolist():
        yaws = float(poses_a.yaws_rad[k]), float(poses_b.yaws_rad[k])
        found[instants[k]].append(Aspect("heading", *yaws, float(turned_rad[k])))
    for k in np.flatnonzero(grown_m > tolerance.length_m).tolist():
        sizes = boxes_a.sizes_lwh_m[k].tolist(), boxes_b.sizes_lwh_m[k].tolist()
        found[instants[k]].append(Aspect("size", *sizes, float(grown_m[k])))


def angles_rad(a: F64, b: F64) -> F64:
    """(N,) angle from each of (N, 3, 3) rotations to its partner; exact near zero, unlike an arc cosine."""
    chords = np.linalg.norm((b - a).reshape(-1, 9), axis=1)
    return np.asarray(2 * np.arcsin(np.minimum(chords / np.sqrt(8), 1)))


def rectangle_aspects(a: Track, b: Track, tolerance: Tolerance) -> dict[tuple[str, int], tuple[Aspect, ...]]:
    """What differs about the rectangles that two tracks have in the same images, where something does."""
    found = {}
    for key, one in a.image_boxes.items():
        other = b.image_boxes.get(key, one)
        aspects = () if other is one else _rectangle_aspects(one, other, tolerance)
        if aspects:
            found[key] = aspects
    return found


def _rectangle_aspects(a: ImageBox, b: ImageBox, tolerance: Tolerance) -> tuple[Aspect, ...]:
    sides_a, sides_b = ([getattr(box, side) for side in SIDES] for box in (a, b))
    amount_px = float(np.abs(np.subtract(sides_b, sides_a)).max())
    return (
        *([Aspect("sides", sides_a, sides_b, amount_px)] if amount_px > tolerance.pixels else []),
        *changed("source", a.source.value, b.source.value),
        *_score(a.score, b.score, tolerance),
        *attribute_aspects(a.attributes, b.attributes),
    )


def _score(a: float | None, b: float | None, tolerance: Tolerance) -> tuple[Aspect, ...]:
    if a is not None and b is not None:
        return (Aspect("score", a, b, abs(b - a)),) if abs(b - a) > tolerance.score else ()
    return changed("score", a, b)
