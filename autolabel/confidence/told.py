"""What is told of one object without its scans: from where it comes, how it moves, what it was seen as."""

from __future__ import annotations

import numpy as np

from autolabel.confidence.columns import Columns
from autolabel.reconstruct.headings import wrapped
from autolabel.traced import Traced
from autolabel.world import LocalWorld
from calib.types import F64
from fusion.categories import Kind, kind_of

FAR_S, FAR_M = 60.0, 5.0
SLOW_MPS = 1.0
LEAST_SCORE = 1e-3
GROUPS = {Kind.PEDESTRIAN: 0.0, Kind.ANIMAL: 0.0, Kind.BICYCLE: 1.0, Kind.MOTORCYCLE: 1.0, Kind.CAR: 2.0}
HEAVY = {Kind.TRUCK, Kind.BUS, Kind.TRAILER, Kind.CONSTRUCTION}
DETECTED = ("hits", "surest", "sureness", "named", "facing", "length_spread", "width_spread")


def of_track(own: Columns, one: Traced) -> dict[str, float]:
    """What it is held to be: people, two wheels, cars, heavy vehicles, things; and its size."""
    kind = kind_of(one.track.category)
    length_m, width_m, height_m = np.median(own.sizes_lwh_m, axis=0).tolist()
    group = GROUPS.get(kind, 3.0 if kind in HEAVY else 4.0)
    return {"kind": group, "length_m": length_m, "width_m": width_m, "height_m": height_m}


def of_times(own: Columns, one: Traced, world: LocalWorld) -> dict[str, F64]:
    """How far boxes are in time from what was given and detected, and from the ends of their track."""
    times_s = world.seconds(own.times_ns)
    keys_s = times_s[own.given]
    found_s = np.zeros(0) if one.detections is None else world.seconds(one.detections.times_ns)
    before_s, after_s = _apart(times_s, keys_s)
    seen_s = np.minimum(*_apart(times_s, np.concatenate([keys_s, found_s])))
    return {
        "key_s": np.minimum(before_s, after_s),
        "gap_s": np.minimum(before_s + after_s, FAR_S),
        "since_s": seen_s,
        "end_s": np.minimum(times_s - times_s[0], times_s[-1] - times_s),
    }


def _apart(times_s: F64, known_s: F64) -> tuple[F64, F64]:
    """(N,) seconds since the known instant before, and to the one after; NaN where none is known at all."""
    if len(known_s) == 0:
        return np.full(len(times_s), np.nan), np.full(len(times_s), np.nan)
    ordered = np.concatenate([[-np.inf], np.sort(known_s), [np.inf]])
    before = ordered[np.searchsorted(ordered, times_s, side="right") - 1]
    after = ordered[np.minimum(np.searchsorted(ordered, times_s, side="left"), len(ordered) - 1)]
    return np.minimum(times_s - before, FAR_S), np.minimum(after - times_s, FAR_S)


def of_motion(own: Columns, world: LocalWorld) -> tuple[dict[str, F64], dict[str, float]]:
    """How each box moves, and how far and fast all do."""
    times_s, places = world.seconds(own.times_ns), own.local_from_box.translations[:, :2]
    velocities: F64 = np.zeros((len(own), 2))
    bends_m = np.zeros(len(own))
    if len(own) > 1:
        velocities = np.asarray(np.gradient(places, times_s, axis=0))
        bends_m[1:-1] = np.linalg.norm(places[1:-1] - (places[:-2] + places[2:]) / 2, axis=1)
    speeds = np.linalg.norm(velocities, axis=1)
    slips = np.abs(wrapped(np.arctan2(velocities[:, 1], velocities[:, 0]) - own.local_from_box.yaws_rad))
    way_m = np.linalg.norm(places - places[0], axis=1).max()
    boxes = {"speed_mps": speeds, "slip_rad": np.where(speeds > SLOW_MPS, slips, np.nan), "jump_m": bends_m}
    return boxes, {"fastest_mps": float(np.quantile(speeds, 0.9)), "way_m": min(float(way_m), FAR_M)}


def of_detections(own: Columns, one: Traced) -> dict[str, float]:
    """How often, how surely, and how much alike it was detected; NaN where it was not."""
    odds, seen = one.track.attributes.get("odds"), one.detections
    told = {"odds": odds if isinstance(odds, float) else np.nan, **dict.fromkeys(DETECTED, np.nan)}
    if seen is None or len(seen) == 0:
        return told
    scores = np.clip(seen.scores, LEAST_SCORE, 1 - LEAST_SCORE)
    named = np.array([name == one.track.category for name in seen.categories])
    length_m, width_m, _ = np.std(seen.boxes.sizes_lwh_m, axis=0).tolist()
    rows = np.minimum(np.searchsorted(own.times_ns, seen.times_ns), len(own) - 1)
    hit = own.times_ns[rows] == seen.times_ns
    off_rad = np.abs(wrapped(seen.boxes.dst_from_box.yaws_rad - own.local_from_box.yaws_rad[rows]))
    facing = np.average(off_rad[hit] < np.pi / 2, weights=scores[hit]) if hit.any() else np.nan
    return told | {
        "hits": float(hit.sum() / len(own)),
        "surest": float(scores.max()),
        "sureness": float(np.log(scores / (1 - scores)).mean()),
        "named": float(scores[named].sum() / scores.sum()),
        "facing": float(facing),
        "length_spread": length_m,
        "width_spread": width_m,
    }
