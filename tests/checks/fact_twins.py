"""What the kernels of the facts compute, written slowly and plainly."""

import numpy as np

from fusion.boxes import Boxes
from fusion.checks.facts import _scan_kernels as _kernels
from fusion.checks.facts.scans import AROUND_M, BESIDE_M, DEEP_M, OFF_GROUND_M


def look(points: np.ndarray, above_m: np.ndarray, origin: np.ndarray, boxes: Boxes):
    """Counts (B, 9), reaches (B, 6) and heights (B,) of `Scanned`, all points against all boxes."""
    counts = np.zeros((len(boxes), 9), dtype=np.int64)
    reach, ground = np.full((len(boxes), 6), np.nan), np.full(len(boxes), np.nan)
    finite = np.isfinite(points).all(axis=1)
    cloud, above = points[finite].astype(np.float64), above_m[finite]
    stands = ~(above < OFF_GROUND_M)
    halves = boxes.sizes_lwh_m / 2
    spots = [box_from_dst @ cloud for box_from_dst in boxes.dst_from_box.inverse()]
    pairs = list(zip(spots, halves, strict=True))
    inside = np.array([(np.abs(spot) <= half + 1e-9).all(axis=1) for spot, half in pairs])
    for b, (spot, half) in enumerate(pairs):
        over = (np.abs(spot) - half).max(axis=1)
        counts[b, 0] = inside[b].sum()
        object_points = spot[inside[b] & (stands | (spot[:, 2] > 0))]
        counts[b, 1] = len(object_points)
        if len(object_points):
            reach[b, :3], reach[b, 3:] = half - object_points.max(axis=0), object_points.min(axis=0) + half
        outside = ~inside[b] & (over >= _kernels.NOISE_M)
        eye = boxes.dst_from_box[b].inverse() @ origin
        enters, leaves = passage(eye, spot, half * _kernels.MIDDLE)
        meets = outside & (enters < leaves) & (leaves > 0)
        counts[b, 2] = (meets & (enters > 1)).sum()
        counts[b, 3] = (meets & (leaves < 1) & (enters > 0)).sum()
        beside = outside & stands & ~inside.any(axis=0) & (over <= AROUND_M)
        beside &= spot[:, 2] >= -_kernels.LOW * half[2]
        for place in spot[beside]:
            counts[b, 4 + side(np.abs(place) - half, place)] += 1
        lifted = spot[:, 2] + half[2]
        floor = ~stands & ((np.abs(spot) - half)[:, :2].max(axis=1) < BESIDE_M)
        floor &= np.abs(lifted) < min(DEEP_M, half[2] + BESIDE_M)
        if floor.sum() >= _kernels.ENOUGH:
            ground[b] = -lifted[floor].mean()
    return counts, reach, ground


def passage(eye: np.ndarray, spots: np.ndarray, half: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where lines from an eye (0) to spots (1) enter a box and leave it."""
    with np.errstate(divide="ignore", invalid="ignore"):
        a, b = (-half - eye) / (spots - eye), (half - eye) / (spots - eye)
    return np.minimum(a, b).max(axis=1), np.maximum(a, b).min(axis=1)


def side(over: np.ndarray, place: np.ndarray) -> int:
    """Front, back, left, right or top."""
    if over[2] >= max(over[0], over[1]):
        return 4
    if over[0] >= over[1]:
        return 0 if place[0] > 0 else 1
    return 2 if place[1] > 0 else 3


def fit_way(dt: np.ndarray, values: np.ndarray, weights: np.ndarray, degree: int, scale: float) -> np.ndarray:
    """A polynomial by five rounds of least squares with Cauchy's weights."""
    trust = weights
    for _ in range(5):
        root = np.sqrt(trust)[:, None]
        terms = np.vander(dt, degree + 1, increasing=True)
        found = np.linalg.lstsq(terms * root, values * root, rcond=None)[0]
        far = np.linalg.norm(values - terms @ found, axis=1)
        trust = weights / (1 + (far / scale) ** 2)
    return found


def seam(times: np.ndarray, places: np.ndarray, i: int, most: int) -> np.ndarray:
    """How far the line through the places from row i on is, half way between rows, from that before it."""
    now = (times[i - 1] + times[i]) / 2
    before, after = slice(max(i - most, 0), i), slice(i, i + most)
    ends = [np.polyfit(times[part] - now, places[part], 1)[1] for part in (before, after)]
    return ends[1] - ends[0]
