"""What is to be said of the car's poses."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np

from autolabel.ego.compare import Drift
from autolabel.ego.odometry import Track
from calib.se3 import SE3Batch
from calib.types import F64, I64, Bools
from fusion.trajectory import Trajectory


class Verdict(StrEnum):
    """On the poses of some frames."""

    GOOD = "good"
    JUMP = "jump"
    DRIFT = "drift"
    ABSENT = "absent"
    UNKNOWN = "cannot say"


@dataclass(frozen=True, slots=True)
class Span:
    """Frames in a row of which the same is to be said.

    Attributes:
        first: frame.
        last: frame, included.
        verdict: on all of them.
        words: for people.
    """

    first: int
    last: int
    verdict: Verdict
    words: str


@dataclass(frozen=True, eq=False, slots=True)
class EgoReport:
    """How the poses of a log agree with its scans.

    Attributes:
        log: its name.
        frames_ns: (F,) the frames that the trajectory covers.
        given: the poses at the frames.
        track: what the scans say; where they say nothing, its shape is that of the poses.
        off: (F, 6) how each pose lies off its neighbours: turn (rad) and way (m) in the car's axes.
        jumps: (F,) poses that are off alone.
        steps: (F,) poses from which on all are off.
        drift: how the poses part from the scans over longer stretches.
        absent: whether the poses stand still while the car goes.
    """

    log: str
    frames_ns: I64
    given: SE3Batch
    track: Track
    off: F64
    jumps: Bools
    steps: Bools
    drift: Drift
    absent: bool

    @classmethod
    def empty(cls, log: str) -> EgoReport:
        """Of a log none of whose frames its trajectory covers."""
        frames_ns, none = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=bool)
        poses = SE3Batch.stack(())
        track = Track(frames_ns, poses, np.zeros((0, 6, 6)), np.zeros(0), np.zeros(0), none)
        return cls(log, frames_ns, poses, track, np.zeros((0, 6)), none, none, Drift.none(), False)

    @property
    def off_m(self) -> F64:
        """(F,) how far each pose lies off."""
        return np.asarray(np.linalg.norm(self.off[:, 3:], axis=1))

    @property
    def off_deg(self) -> F64:
        """(F,) how far each pose is turned off."""
        return np.asarray(np.degrees(np.linalg.norm(self.off[:, :3], axis=1)))

    @property
    def drifting(self) -> Bools:
        """(F,) frames of stretches over which the poses drift."""
        found = np.zeros(len(self.frames_ns), dtype=bool)
        for first, last in zip(
            self.drift.first[self.drift.drifts], self.drift.last[self.drift.drifts], strict=True
        ):
            found[first : last + 1] = True
        return found

    @property
    def drift_m_per_100m(self) -> float:
        """How the poses part from the scans, the median over stretches; NaN where the car hardly moves."""
        if len(self.drift.way_m) == 0 or self.drift.way_m.max() <= 0:
            return float("nan")
        return float(np.median(np.linalg.norm(self.drift.apart[:, 3:], axis=1) / self.drift.way_m) * 100)

    @property
    def needs_repair(self) -> bool:
        """Whether any pose is not to be believed."""
        return self.absent or bool(self.jumps.any() or self.steps.any() or self.drift.drifts.any())

    @property
    def verdicts(self) -> list[Verdict]:
        """One a frame."""
        if self.absent:
            return [Verdict.ABSENT] * len(self.frames_ns)
        drifting = self.drifting | self.steps
        return [
            Verdict.JUMP if jump else Verdict.DRIFT if drift else Verdict.GOOD if sure else Verdict.UNKNOWN
            for jump, drift, sure in zip(self.jumps, drifting, self.track.sure, strict=True)
        ]

    @property
    def spans(self) -> tuple[Span, ...]:
        """The verdicts in words, frames in a row together."""
        verdicts = self.verdicts
        starts = [k for k in range(len(verdicts)) if k == 0 or verdicts[k] != verdicts[k - 1]]
        ends = [*starts[1:], len(verdicts)]
        return tuple(
            Span(first, end - 1, verdicts[first], self._words(verdicts[first], first, end))
            for first, end in zip(starts, ends, strict=True)
        )

    def _words(self, verdict: Verdict, first: int, end: int) -> str:
        off_m, off_deg = np.nan_to_num(self.off_m[first:end]), np.nan_to_num(self.off_deg[first:end])
        at = f"frame {first}" if end == first + 1 else f"frames {first} to {end - 1}"
        if verdict is Verdict.JUMP:
            return (
                f"{at}: off by {off_m.max():.2f} m and {off_deg.max():.1f} degrees against the frames around"
            )
        if verdict is Verdict.DRIFT:
            steps = int(self.steps[first:end].sum())
            said = f"{at}: the poses part from the scans by {self.drift_m_per_100m:.2f} m in 100 m"
            return said + (
                f", at once at frame {first + int(np.argmax(self.steps[first:end]))}" if steps else ""
            )
        if verdict is Verdict.ABSENT:
            return f"{at}: the poses stand still while the car goes {self.track.way_m:.0f} m"
        if verdict is Verdict.UNKNOWN:
            return f"{at}: no scan can say whether the poses are right"
        return f"{at}: parked things stay within {100 * float(np.median(off_m)):.1f} cm"

    def __str__(self) -> str:
        return "\n".join(span.words for span in self.spans)

    def plot(self, path: Path, repaired: Trajectory | None = None) -> None:
        """Draws how far each pose is off over time, and the way from above before and after, as a PNG."""
        from autolabel.ego.pictures import draw

        draw(self, path, repaired)
