"""Watching one camera over a drive, frame by frame."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from itertools import count

import numpy as np

from calib.drift.cusum import LIMIT, TurnCusum
from calib.drift.report import Alarm, DriftReference, DriftReport, DriftVerdict, DriftWindow
from calib.drift.turns import SMALLEST_RAD
from calib.drift.watch import Frame, reference_of, too_few_edges, turn_since, window_of
from calib.drift.words import AXES, in_words, main_axis, pixels_moved
from calib.errors import CalibrationError
from calib.refine.view import View
from calib.se3 import SE3

WINDOW, REFERENCE = 5, 20


class DriftMonitor:
    """Says, frame by frame, whether a camera still sits as it did in the first frames of a drive.

    However long the drive, it keeps a few views and a short record a window. Turns of up to 1.5 degrees
    about each axis are looked for; beyond them it says that it cannot say. What a camera did before the
    reference, and how it may have shifted without turning, it does not tell.

    Args:
        ego_from_cam: the mount as far as it is known, within about a degree.
        reference: from an earlier drive; without one the first frames that can be used become it.
        window: frames that are judged together.
        reference_frames: how many frames make a reference.

    Raises:
        CalibrationError: fewer than two frames a window or a reference.
    """

    def __init__(
        self,
        ego_from_cam: SE3,
        reference: DriftReference | None = None,
        window: int = WINDOW,
        reference_frames: int = REFERENCE,
    ) -> None:
        if window < 2 or reference_frames < 2:
            raise CalibrationError("a window of the drift alarm, and its reference, take at least two frames")
        self.reference: DriftReference | None = reference
        self.alarm: Alarm | None = None
        self.frames = self.seen = 0
        self._ego_from_cam, self._early_frames = ego_from_cam, reference_frames
        self._early: list[View] = []
        self._window: list[Frame] = []
        self._recent: deque[Frame] = deque(maxlen=window)
        self._windows: list[DriftWindow] = []
        self._cusum = TurnCusum()

    def add(self, view: View | None, timestamp_ns: int | None = None) -> Alarm | None:
        """Takes in the next frame, None where it has no image or no scan; the alarm if it goes off now."""
        index = self.frames
        self.frames += 1
        if self.reference is None:
            self._learn(view)
            return None
        frame = Frame.of(index, index if timestamp_ns is None else timestamp_ns, view, self.reference)
        return self._watch(frame, self.reference)

    def _learn(self, view: View | None) -> None:
        """Collects views until they make a reference; where they do not, the older half is forgotten."""
        if view is None or too_few_edges(view):
            return
        self._early.append(view)
        if len(self._early) < self._early_frames:
            return
        self.reference = reference_of(self._early, self._ego_from_cam)
        self.seen += 0 if self.reference is None else len(self._early)
        del self._early[: (len(self._early) + 1) // 2 if self.reference is None else len(self._early)]

    def _watch(self, frame: Frame, reference: DriftReference) -> Alarm | None:
        self._window.append(frame)
        if not frame.fault:
            self.seen += 1
            self._recent.append(frame)
            self._cusum.add(frame.index, frame.log_likelihood(reference))
        if len(self._window) == self._recent.maxlen:
            self._windows.append(window_of(self._window, reference, self._cusum))
            self._window = []
        if self.alarm is not None or not self._cusum.alarmed:
            return None
        self.alarm = self._alarm(frame, reference)
        return self.alarm

    def _alarm(self, frame: Frame, reference: DriftReference) -> Alarm:
        since = int(self._cusum.since[self._cusum.highest])
        evidence = [known for known in self._recent if known.index >= since]
        turn = turn_since(evidence, reference)
        view = evidence[-1].view
        moved_px = 0.0 if view is None else pixels_moved(view.model, turn.turn_rad)
        span = (frame.index, frame.timestamp_ns, since, evidence[0].timestamp_ns)
        return Alarm(*span, turn, AXES[main_axis(turn)], in_words(turn), moved_px)

    def report(self) -> DriftReport:
        """What is known so far."""
        windows = [*self._windows]
        if self.reference is not None and len(self._window) > 1:
            windows.append(window_of(self._window, self.reference, self._cusum))
        verdict, reason = self._verdict(windows)
        known = (self.reference, tuple(windows), self.alarm)
        return DriftReport(verdict, reason, *known, self.frames, self.seen, LIMIT)

    def _verdict(self, windows: list[DriftWindow]) -> tuple[DriftVerdict, str]:
        if self.alarm is not None:
            return DriftVerdict.MOVED, f"since frame {self.alarm.since} the camera {self.alarm.words}"
        if self.reference is None:
            reason = f"no {self._early_frames} frames show where the camera sits: nothing to compare with"
            return DriftVerdict.CANNOT_SAY, reason
        dark = [window for window in windows if window.verdict == DriftVerdict.CANNOT_SAY]
        if not windows or 2 * len(dark) > len(windows):
            reason = "the drive ends with the reference" if not windows else _commonest(dark)
            return DriftVerdict.CANNOT_SAY, reason
        return (
            DriftVerdict.STEADY,
            f"no turn of {np.degrees(SMALLEST_RAD):g} degrees or more since the reference",
        )


def _commonest(windows: list[DriftWindow]) -> str:
    reasons = [window.reason for window in windows]
    return max(sorted(set(reasons)), key=reasons.count)


def detect_drift(
    views: Iterable[View | None],
    ego_from_cam: SE3,
    timestamps_ns: Iterable[int] | None = None,
    reference: DriftReference | None = None,
    window: int = WINDOW,
    reference_frames: int = REFERENCE,
) -> DriftReport:
    """Whether a camera has moved since the first frames of a drive, or since an earlier drive.

    Args:
        views: of one camera in order of time, read one at a time; None where a frame is missing.
        ego_from_cam: the mount as far as it is known.
        timestamps_ns: of the frames; without them frames are counted.
        reference: of an earlier report; without one the first frames that can be used become it.
        window: frames that are judged together.
        reference_frames: how many frames make a reference.
    """
    monitor = DriftMonitor(ego_from_cam, reference, window, reference_frames)
    times = count() if timestamps_ns is None else iter(timestamps_ns)
    for view, timestamp_ns in zip(views, times, strict=False):
        monitor.add(view, int(timestamp_ns))
    return monitor.report()
