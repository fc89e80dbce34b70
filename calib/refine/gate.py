"""Whether the answer of a search may be believed."""

from __future__ import annotations

import numpy as np

from calib.refine.options import RefineOptions
from calib.refine.result import Evidence, half_width
from calib.types import F64

# Set on simulated drives; see docs/refinement.md.
LARGEST_SPLIT_RAD, LARGEST_SPLIT_M = float(np.radians(0.35)), 0.08
LEAST_MARGIN = 2.5
FEWEST_EDGES = 200
BEYOND = 1.6


def objection(evidence: Evidence, correction: F64, covariance: F64, options: RefineOptions) -> str:
    """Why a correction is not believed, in words; empty where nothing speaks against it."""
    checks = (
        _enough(evidence),
        _within_reach(correction, options),
        _halves_agree(evidence),
        _stands_out(evidence, options),
        _sure(covariance, options),
        _better(evidence, correction, covariance),
    )
    return next((reason for reason in checks if reason), "")


def _enough(evidence: Evidence) -> str:
    if evidence.edges >= FEWEST_EDGES * evidence.views:
        return ""
    return f"the scans show only {evidence.edges} edges in {evidence.views} views"


def _within_reach(correction: F64, options: RefineOptions) -> str:
    turn_rad, shift_m = np.abs(correction[:3]).max(), np.abs(correction[3:]).max()
    if turn_rad <= BEYOND * options.turn_rad and shift_m <= BEYOND * options.shift_m:
        return ""
    return (
        f"the best agreement lies {np.degrees(turn_rad):.2f} deg and {100 * shift_m:.1f} cm away, "
        "further than the search can be trusted"
    )


def _halves_agree(evidence: Evidence) -> str:
    if evidence.split_rad <= LARGEST_SPLIT_RAD and evidence.split_m <= LARGEST_SPLIT_M:
        return ""
    return (
        f"two halves of the views disagree by {np.degrees(evidence.split_rad):.2f} deg "
        f"and {100 * evidence.split_m:.1f} cm"
    )


def _stands_out(evidence: Evidence, options: RefineOptions) -> str:
    if evidence.share < options.least_share:
        return f"only {evidence.share:.0%} of nearby mounts agree worse"
    if evidence.margin < LEAST_MARGIN:
        return f"another mount nearby agrees nearly as well ({evidence.margin:.1f} standard errors)"
    return ""


def _sure(covariance: F64, options: RefineOptions) -> str:
    half = half_width(covariance, 0.95)
    turn_rad, shift_m = half[:3].max(), half[3:].max()
    if turn_rad <= options.sure_rad and shift_m <= options.sure_m:
        return ""
    return f"the answer is only known to {np.degrees(turn_rad):.2f} deg and {100 * shift_m:.1f} cm (95 %)"


def _better(evidence: Evidence, correction: F64, covariance: F64) -> str:
    if min(evidence.held_out) > 0:
        return ""
    if (np.abs(correction) <= half_width(covariance, 0.95) + 1e-12).all():
        return "nothing to gain: within its uncertainty the answer is the given mount"
    return "views that were held out do not agree better"
