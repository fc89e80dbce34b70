"""From when to when an object is there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autolabel.reconstruct.config import Presence
from autolabel.reconstruct.evidence import Evidence, PointReport
from autolabel.reconstruct.trace import Trace
from calib.types import F64, I64, Bools

AROUND = 3
UNTOLD_S = 2.0
SUREST = 1e-4


@dataclass(frozen=True, eq=False, slots=True)
class Signs:
    """What speaks for and against an object's being there at each of (K,) instants of its path.

    Attributes:
        given: a person says that it is there.
        detected: a detection is its own.
        doubt: the chance that this detection is wrong; 1 where there is none.
        dense: share of the nearest instants before and after with a detection.
        absence: how far on the way from the last labelled instant that holds it to the next that does not.
        fading: the same where there is no next one, as if it came `UNTOLD_S` later.
        edge: it lies half outside of the region in which objects are labelled.
        inside: any part of it lies in that region.
        blocked: it would stand where the car does, so that it cannot have been there.
        since_s: seconds since it was given or detected last, or to the next such instant: the shorter.
        points: points on it; -1 where there is no scan.
        crossed: share of the rays through its box that end behind it; 0 where that is not known.
        roams: whether it moves at all.
    """

    given: Bools
    detected: Bools
    doubt: F64
    dense: F64
    absence: F64
    fading: F64
    edge: Bools
    inside: Bools
    blocked: Bools
    since_s: F64
    points: I64
    crossed: F64
    roams: bool

    @classmethod
    def of(
        cls,
        path: Trace,
        evidence: Evidence,
        share_inside: F64,
        blocked: Bools,
        report: PointReport | None,
    ) -> Signs:
        """As its evidence tells, how much of each box lies in the labelled region, and where the car is."""
        times_ns = path.times_ns
        given, detected = (
            np.isin(times_ns, ns) for ns in (evidence.keys.times_ns, evidence.detections.times_ns)
        )
        doubt = np.ones(len(times_ns))
        doubt[detected] = np.clip(1 - evidence.detections.scores, SUREST, 1.0)
        around = np.convolve(detected, np.ones(2 * AROUND + 1))[AROUND:-AROUND] - detected
        seen_ns, absence = evidence.seen_ns, _absence(times_ns, evidence)
        return cls(
            given,
            detected,
            doubt,
            around / (2 * AROUND),
            absence,
            np.where(absence > 0, 0.0, np.clip(_away_s(times_ns, evidence.keys.times_ns) / UNTOLD_S, 0, 1)),
            (share_inside > 0) & (share_inside < 1),
            share_inside > 0,
            blocked,
            np.abs(times_ns[:, None] - seen_ns).min(axis=1) / 1e9,
            np.full(len(times_ns), -1) if report is None else report.support,
            np.zeros(len(times_ns)) if report is None else np.nan_to_num(report.crossed),
            not path.parked,
        )

    def chances(self, presence: Presence) -> F64:
        """(K,) how likely it is there, by a logistic model."""
        seen = self.detected
        if presence.least_points is not None:
            seen = seen | (self.points >= presence.least_points)
        odds = presence.base + presence.dense * self.dense + presence.edge * self.edge
        odds -= np.where(
            seen, presence.doubt * self.doubt**presence.sureness * self.detected, presence.unseen
        )
        odds -= presence.absence * np.where(seen, self.absence, self.absence + self.fading)
        odds -= presence.crossed * self.crossed
        fall = presence.silent + presence.roaming * self.roams
        odds -= fall * np.log1p(np.where(seen, 0.0, self.since_s))
        return np.asarray(np.where(self.inside, 1 / (1 + np.exp(-odds)), 0.0))


def there(signs: Signs, rows: list[I64], presence: Presence, longest_gap_s: float) -> Bools:
    """(K,) whether the object is held to be there.

    Each of `rows` is a stretch of instants without a break. In it the object is there between what was
    given, and beyond for as long as that is more likely than not worth it: where the sum of its chances
    less `presence.threshold` is largest, and never past an instant at which the car is there.
    """
    kept = np.zeros(len(signs.given), dtype=np.bool_)
    gains = np.where(signs.blocked, -np.inf, signs.chances(presence) - presence.threshold)
    for stretch in rows:
        anchors = np.nonzero(signs.given[stretch])[0]
        if len(anchors) == 0:
            anchors = np.array([np.argmax(np.where(signs.detected, gains, -np.inf)[stretch])])
        first, last = int(anchors[0]), int(anchors[-1])
        kept[stretch[first : last + 1]] = 2 * signs.since_s[stretch[first : last + 1]] <= longest_gap_s
        kept[stretch[last + 1 :][: _best(gains[stretch[last + 1 :]])]] = True
        kept[stretch[:first][::-1][: _best(gains[stretch[:first]][::-1])]] = True
    return kept


def stretches(frames_ns: I64, times_ns: I64, all_ns: I64) -> list[I64]:
    """Rows of `times_ns`: those of frames that follow each other without another of `all_ns` between."""
    rows = np.nonzero(np.isin(times_ns, frames_ns))[0]
    numbers = np.searchsorted(all_ns, times_ns[rows])
    return [part for part in np.split(rows, np.nonzero(np.diff(numbers) > 1)[0] + 1) if len(part)]


def _best(gains: F64) -> int:
    """How many from the first on have the largest sum."""
    return int(np.argmax(np.concatenate([[0.0], np.cumsum(gains)])))


def _away_s(times_ns: I64, keys_ns: I64) -> F64:
    """(K,) seconds before the first or after the last of what was given; 0 where nothing was."""
    if len(keys_ns) == 0:
        return np.zeros(len(times_ns))
    return np.asarray(np.maximum(np.maximum(keys_ns[0] - times_ns, times_ns - keys_ns[-1]), 0) / 1e9)


def _absence(times_ns: I64, evidence: Evidence) -> F64:
    labelled_ns, keys_ns = evidence.labelled_ns, evidence.keys.times_ns
    absent_ns = np.setdiff1d(labelled_ns, keys_ns)
    absence = np.zeros(len(times_ns))
    if len(absent_ns) == 0 or len(keys_ns) == 0:
        return absence
    for sign in (1, -1):
        keys, absents = np.sort(sign * keys_ns), np.sort(sign * absent_ns)
        here = sign * times_ns
        key = np.searchsorted(keys, here, side="right") - 1
        left = np.searchsorted(absents, here, side="left")
        bounded = (key >= 0) & (left < len(absents))
        start, end = keys[np.maximum(key, 0)], absents[np.minimum(left, len(absents) - 1)]
        following = np.append(keys, np.iinfo(np.int64).max)[key + 1]
        bounded &= following > end
        share = (here - start) / np.maximum(end - start, 1)
        absence = np.where(bounded & (share > absence), share, absence)
    return np.asarray(np.clip(absence, 0.0, 1.0))
