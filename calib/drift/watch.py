"""What is known of the last few frames, and what they say together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calib.drift.cusum import TurnCusum
from calib.drift.report import DriftReference, DriftVerdict, DriftWindow
from calib.drift.turns import (
    NOISE,
    SMALLEST_RAD,
    TURNS_RAD,
    Turn,
    best_turn,
    noise_of,
    rise_of,
    turn_scores,
    turned,
)
from calib.drift.words import in_words
from calib.refine.view import View, perturbation_share
from calib.se3 import SE3
from calib.types import F64

FEWEST_EDGES = 100
LEAST_RISE = 0.04
LEAST_SHARE_OF_RISE = 0.5
WIDEST_REFERENCE_RAD, WIDEST_WINDOW_RAD = np.radians(0.15), np.radians(0.25)
SURE_SIGMAS, LEAST_MOVE_RAD = 3.0, SMALLEST_RAD / 2


@dataclass(frozen=True, eq=False, slots=True)
class Frame:
    """One frame as the alarm sees it.

    Attributes:
        index: in the drive.
        timestamp_ns: its time, or its index.
        view: None where the image or the scan is missing.
        scores: (T,) agreement under each turn of the lattice; empty without a view.
        fault: why it does not count; empty where it does.
    """

    index: int
    timestamp_ns: int
    view: View | None
    scores: F64
    fault: str

    @classmethod
    def of(cls, index: int, timestamp_ns: int, view: View | None, reference: DriftReference) -> Frame:
        """Looks at a view from the reference."""
        if view is None:
            return cls(index, timestamp_ns, None, np.empty(0), "image or scan missing")
        scores = turn_scores([view], reference.ego_from_cam, TURNS_RAD)
        fault = too_few_edges(view)
        if not fault and rise_of(scores)[0] < LEAST_SHARE_OF_RISE * reference.rise:
            fault = "edges of scan and image agree nowhere within 1.5 degrees of the reference"
        return cls(index, timestamp_ns, view, scores[:, 0], fault)

    def log_likelihood(self, reference: DriftReference) -> F64:
        """(T,) of each turn of the lattice, up to a constant."""
        return self.scores / reference.noise


def too_few_edges(view: View) -> str:
    """A fault, or nothing."""
    return f"only {len(view)} edges in view" if len(view) < FEWEST_EDGES else ""


def reference_of(views: Sequence[View], ego_from_given_cam: SE3) -> DriftReference | None:
    """Where a camera sits according to some views; None where they do not tell well enough."""
    scores = turn_scores(views, ego_from_given_cam, TURNS_RAD)
    rise = float(np.median(rise_of(scores)))
    start_rad = TURNS_RAD[int(scores.mean(axis=1).argmax())]
    turn = best_turn(views, ego_from_given_cam, start_rad, NOISE * rise)
    if rise < LEAST_RISE or not turn.sigma_rad.max() < WIDEST_REFERENCE_RAD:
        return None
    ego_from_cam = turned(ego_from_given_cam, turn.turn_rad)
    scores = turn_scores(views, ego_from_cam, TURNS_RAD)
    return DriftReference(turn, ego_from_cam, float(np.median(rise_of(scores))), noise_of(scores), len(views))


def turn_since(frames: Sequence[Frame], reference: DriftReference) -> Turn:
    """How far the camera has turned since the reference, according to frames that all have views."""
    views = [frame.view for frame in frames if frame.view is not None]
    together = np.mean([frame.scores for frame in frames], axis=0)
    start_rad = TURNS_RAD[int(together.argmax())]
    found = best_turn(views, reference.ego_from_cam, start_rad, reference.noise)
    return Turn(found.turn_rad, found.covariance + reference.turn.covariance)


def window_of(frames: Sequence[Frame], reference: DriftReference, cusum: TurnCusum) -> DriftWindow:
    """Judges some frames in a row."""
    good, turn = [frame for frame in frames if not frame.fault], None
    views = [frame.view for frame in frames if frame.view is not None]
    share = perturbation_share(views, reference.ego_from_cam) if views else float("nan")
    if 2 * len(good) <= len(frames):
        verdict, reason = DriftVerdict.CANNOT_SAY, _main_fault(frames)
    else:
        turn = turn_since(good, reference)
        verdict, reason = _judged(turn)
        turn = None if verdict == DriftVerdict.CANNOT_SAY else turn
    first, last = frames[0], frames[-1]
    span = (first.index, last.index, first.timestamp_ns, last.timestamp_ns)
    evidence = (float(cusum.values.max()), cusum.by_axis())
    return DriftWindow(*span, turn, share, *evidence, verdict, reason)


def _main_fault(frames: Sequence[Frame]) -> str:
    faults = [frame.fault for frame in frames if frame.fault]
    return max(sorted(set(faults)), key=faults.count)


def _judged(turn: Turn) -> tuple[DriftVerdict, str]:
    if not turn.sigma_rad.max() < WIDEST_WINDOW_RAD:
        return DriftVerdict.CANNOT_SAY, "too little structure: the edges do not fix all three angles"
    size = np.abs(turn.turn_rad)
    if ((size > SURE_SIGMAS * turn.sigma_rad) & (size > LEAST_MOVE_RAD)).any():
        return DriftVerdict.MOVED, in_words(turn)
    return DriftVerdict.STEADY, "looks as it did at the reference"
