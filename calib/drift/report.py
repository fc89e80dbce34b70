"""What the drift alarm says of a drive."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from calib.drift.turns import SMALLEST_RAD, Turn
from calib.se3 import SE3
from calib.types import F64, I64


class DriftVerdict(StrEnum):
    """Whether a camera has moved."""

    STEADY = "steady"
    MOVED = "moved"
    CANNOT_SAY = "cannot say"


@dataclass(frozen=True, eq=False, slots=True)
class DriftReference:
    """How a camera looked when it was last known to be in its place; a later drive may start from it.

    Attributes:
        turn: from the mount that was given; not zero where that is a little wrong.
        ego_from_cam: the mount as it was seen.
        rise: how much the agreement of edges stood out, in a frame.
        noise: by how much the agreement in one frame must differ for odds of e to one.
        frames: how many frames it comes from.
    """

    turn: Turn
    ego_from_cam: SE3
    rise: float
    noise: float
    frames: int


@dataclass(frozen=True, eq=False, slots=True)
class DriftWindow:
    """A few frames in a row.

    Attributes:
        first: index of the first frame.
        last: index of the last frame.
        start_ns: its time, or its index where no times are given.
        end_ns: of the last frame.
        turn: since the reference; None where it cannot be told.
        share: F of Levinson and Thrun at the reference: near 1 while the mount is right; NaN if unknown.
        evidence: against "not moved" after the last frame, in nats: the largest over all turns.
        cusum: (3, 2) the same for turns about one axis alone, by axis and sign (minus, plus).
        verdict: of this window alone.
        reason: why, in a sentence.
    """

    first: int
    last: int
    start_ns: int
    end_ns: int
    turn: Turn | None
    share: float
    evidence: float
    cusum: F64
    verdict: DriftVerdict
    reason: str


@dataclass(frozen=True, eq=False, slots=True)
class Alarm:
    """The camera has moved.

    Attributes:
        frame: at which the evidence sufficed.
        timestamp_ns: of that frame.
        since: the first frame of the evidence: about when it moved.
        since_ns: its time.
        turn: how, from at most one window of frames up to the alarm.
        axis: pitch, yaw or roll: the main one.
        words: which way, "looks 0.40 degrees further left than before".
        moved_px: by how much what is 30 m away moves in the image, the median over the image.
    """

    frame: int
    timestamp_ns: int
    since: int
    since_ns: int
    turn: Turn
    axis: str
    words: str
    moved_px: float


@dataclass(frozen=True, eq=False, slots=True)
class DriftPlot:
    """What a figure of a drive needs, one row a window; NaN where a window cannot say.

    Attributes:
        centre_ns: (W,) middle of each window.
        estimate_deg: (W, 3) pitch, yaw, roll since the reference.
        sigma_deg: (W, 3).
        share: (W,) F.
        evidence: (W,) the largest over all turns, which decides.
        cusum: (W, 3, 2) evidence for turns about one axis alone, by axis and sign (minus, plus).
        limit: above which the evidence is an alarm.
        smallest_deg: the smallest turn that is looked for.
    """

    centre_ns: I64
    estimate_deg: F64
    sigma_deg: F64
    share: F64
    evidence: F64
    cusum: F64
    limit: float
    smallest_deg: float


@dataclass(frozen=True, eq=False, slots=True)
class DriftReport:
    """Whether a camera moved on the car during a drive.

    Attributes:
        verdict: moved, steady, or cannot say.
        reason: why, in a sentence.
        reference: what it is compared with; None where there was none to be had.
        windows: the whole drive, a few frames each, those of the reference not included.
        alarm: the first one; None unless it moved.
        frames: how many there were.
        seen: in how many the edges of scan and image agreed well enough to count.
        limit: of the evidence, in nats.
    """

    verdict: DriftVerdict
    reason: str
    reference: DriftReference | None
    windows: tuple[DriftWindow, ...]
    alarm: Alarm | None
    frames: int
    seen: int
    limit: float

    def plot(self) -> DriftPlot:
        """Arrays to draw."""
        nothing = np.full(3, np.nan)
        turns = [window.turn for window in self.windows]
        rows = len(turns)
        return DriftPlot(
            np.array([w.start_ns + (w.end_ns - w.start_ns) // 2 for w in self.windows], dtype=np.int64),
            np.array([nothing if t is None else np.degrees(t.turn_rad) for t in turns]).reshape(rows, 3),
            np.array([nothing if t is None else np.degrees(t.sigma_rad) for t in turns]).reshape(rows, 3),
            np.array([w.share for w in self.windows]),
            np.array([w.evidence for w in self.windows]),
            np.array([w.cusum for w in self.windows]).reshape(rows, 3, 2),
            self.limit,
            float(np.degrees(SMALLEST_RAD)),
        )
