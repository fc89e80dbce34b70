"""What is said of a camera and of a box, in a sentence."""

from __future__ import annotations

import numpy as np

from calib.types import F64
from fusion.checks.blame.decide import FEWEST_TRACKS, LEAST_TURN_RAD, Culprit, Decision

AXES = ("its horizontal axis", "its vertical axis", "its line of sight")
# For a positive and a negative turn of `cam_from_given_cam`.
WAYS = (
    ("further down", "further up"),
    ("further left", "further right"),
    ("leaning to the left", "leaning to the right"),
)
SURE = 3.0
SMALLEST_WORD_M = 0.1
SIDES_OF_BOX = (("forward", "back"), ("to its left", "to its right"), ("up", "down"))


def of_camera(camera: str, decision: Decision, objects: int, images: int, alike: tuple[str, ...]) -> str:
    """One sentence on a camera.

    Args:
        camera: its name.
        decision: on it.
        objects: how many objects spoke.
        images: in how many images.
        alike: other cameras whose clocks are off alike.
    """
    heard = f"{_count(objects, 'object')} in {_count(images, 'image')}"
    if decision.culprit is Culprit.NONE:
        return f"{camera}: agrees with the 3D boxes ({heard}); {_would_have_shown(decision)}"
    if decision.culprit is Culprit.UNDECIDED:
        return f"{camera}: {_undecided(decision, objects, heard)}"
    parts = []
    if decision.culprit in (Culprit.CALIBRATION, Culprit.BOTH):
        parts.append(f"{_turned(decision)} (calibration)")
    if decision.culprit in (Culprit.CLOCK, Culprit.BOTH):
        parts.append(f"{_late(decision)} (clock)")
    said = f"{camera}: {' and '.join(parts)}; {heard} say so"
    if decision.culprit is Culprit.CLOCK and alike:
        said += f", as in {', '.join(alike)}: rather the LiDAR's clock or the car's poses than each camera"
    return said


def of_box(shift_m: F64, shift_px: float, frames: int, cameras: int) -> str:
    """One sentence on a box, or on all boxes of a track (`frames` is then their number)."""
    which = "the box" if frames == 1 else f"the whole track ({frames} boxes)"
    seen = f"{shift_px:.0f} px beside its object in {_count(cameras, 'camera')}"
    return f"{which} stands {seen}: it should move {_moves(shift_m)}"


def _moves(shift_m: F64) -> str:
    order = np.argsort(-np.abs(shift_m)).tolist()
    named = [axis for axis in order if abs(shift_m[axis]) >= SMALLEST_WORD_M] or order[:1]
    ways = [f"{abs(shift_m[axis]):.2f} m {SIDES_OF_BOX[axis][int(shift_m[axis] < 0)]}" for axis in named]
    return " and ".join(ways)


def _turned(decision: Decision) -> str:
    turn, sigmas = decision.values[:3], decision.sigmas[:3]
    sure = np.abs(turn) / sigmas
    named = [a for a in np.argsort(-sure).tolist() if sure[a] > SURE and abs(turn[a]) >= LEAST_TURN_RAD / 2]
    named = named or [int(np.argmax(sure))]
    said = [
        f"{_degrees(abs(turn[a]))} ± {_degrees(sigmas[a])} deg about {AXES[a]}"
        f" ({'' if a == 2 else 'looks '}{WAYS[a][int(turn[a] < 0)]})"
        for a in named
    ]
    return f"turned by {' and '.join(said)}"


def _late(decision: Decision) -> str:
    offset_ms, sigma_ms = 1e3 * decision.values[3], 1e3 * decision.sigmas[3]
    way = "earlier" if offset_ms > 0 else "later"
    return f"its timestamps are {abs(offset_ms):.0f} ± {sigma_ms:.0f} ms {way} than its images were taken"


def _undecided(decision: Decision, objects: int, heard: str) -> str:
    if objects < FEWEST_TRACKS:
        return f"cannot say: only {heard} can be compared"
    if decision.alike:
        return (
            f"calibration or clock, which cannot be told apart ({_turned(decision)}, or {_late(decision)}; "
            f"{heard}): it needs objects that pass at different distances and speeds"
        )
    return f"cannot say: {heard} are too few or too alike; {_would_have_shown(decision)}"


def _would_have_shown(decision: Decision) -> str:
    """How large an error would have been named."""
    worst = _degrees(float(decision.limits[:3].max()))
    return f"a turn of {worst} deg or {1e3 * decision.limits[3]:.0f} ms would have shown"


def _degrees(angle_rad: float) -> str:
    return f"{np.degrees(angle_rad):.2f}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
