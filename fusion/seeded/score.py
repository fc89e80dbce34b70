"""What a check found of seeded errors.

What a reviewer opens is counted in object-frames: one object in one frame. A finding about a track is
opened by looking at its boxes, but at no more than ten of them, evenly chosen: a viewer shows a track over
many frames side by side, and ten tell whether it is right. What has been looked at costs nothing again. A
finding about a place or a camera costs its frames, ten at most, or one where it names none. Findings that
the undisturbed labels have too are opened like all others, and catch nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from calib.types import F64
from fusion.checks import Finding
from fusion.labels import LabelSet
from fusion.seeded.judge import Judge
from fusion.seeded.kinds import ErrorKind
from fusion.seeded.power import FIRSTS, GRID, Found, Power
from fusion.seeded.rules import names
from fusion.seeded.seeded import Seeded
from fusion.seeded.share import Share

MOST_VIEWS = 10


@dataclass(frozen=True, eq=False, slots=True)
class _Judged:
    """One finding of the queue: whether it is new, which errors it is about, which of these it leads to."""

    finding: Finding
    is_new: bool
    touched: tuple[int, ...]
    caught: tuple[int, ...]


def score_findings(
    seeded: Seeded, findings_before: Sequence[Finding], findings_after: Sequence[Finding]
) -> Power:
    """Which seeded errors a check caught, and which of its findings are about none.

    An error is caught when a new finding names its track, the other track, its place (within 2 m) or its
    camera, at one of its frames or a neighbour of one, by a rule that fits the kind. A finding is new
    where the same rule did not say the same of the same boxes before.

    Args:
        seeded: the errors.
        findings_before: of the same check in the undisturbed log and labels.
        findings_after: in those with errors, in the order of its queue.
    """
    judge = Judge(seeded, findings_before)
    queue = [_judged(judge, finding) for finding in findings_after]
    caught = {k for one in queue for k in one.caught}
    wrong_new = Counter(one.finding.rule for one in queue if one.is_new and not one.touched)
    return Power(
        found=_found(seeded, queue),
        right=Counter(one.finding.rule for one in queue if one.touched),
        wrong_new=wrong_new,
        wrong_before=Counter(finding.rule for finding in findings_before),
        first_new={count: _first([one for one in queue if one.is_new], count) for count in FIRSTS},
        first_exact={count: _first(queue, count) for count in FIRSTS},
        caught_by_share=_caught_by_share(seeded, queue),
        missed=tuple(error.words for k, error in enumerate(seeded.errors) if k not in caught),
        left_out=seeded.left_out,
    )


def _judged(judge: Judge, finding: Finding) -> _Judged:
    frames = judge.new_frames(finding)
    touched = tuple(judge.touched(finding, frames)) if frames else ()
    caught = tuple(k for k in touched if judge.caught(finding, judge.seeded.errors[k]))
    return _Judged(finding, bool(frames), touched, caught)


def _found(seeded: Seeded, queue: Sequence[_Judged]) -> dict[tuple[ErrorKind, float], Found]:
    found: dict[tuple[ErrorKind, float], Found] = {}
    for k, error in enumerate(seeded.errors):
        about = [one for one in queue if k in one.touched]
        one_error = Found(
            error.kind,
            error.amount,
            error.gross,
            errors=1,
            caught=int(any(k in one.caught for one in about)),
            named=int(any(k in one.caught and names(one.finding.rule, error.kind) for one in about)),
            rules=Counter(one.finding.rule for one in about),
        )
        key = (error.kind, error.amount)
        found[key] = found[key].plus(one_error) if key in found else one_error
    return found


def _first(queue: Sequence[_Judged], count: int) -> Share:
    head = queue[:count]
    return Share(sum(bool(one.touched) for one in head), len(head))


def _caught_by_share(seeded: Seeded, queue: Sequence[_Judged]) -> F64:
    """(len(GRID),) how many errors are caught when so much has been opened, going down the queue."""
    opened: set[Hashable] = set()
    caught: set[int] = set()
    whole = max(seeded.labels.annotation_count, 1)
    shares, counts = [0.0], [0.0]
    for one in queue:
        opened |= _views(one.finding, seeded.labels)
        caught.update(one.caught)
        shares.append(len(opened) / whole)
        counts.append(float(len(caught)))
    reached = np.searchsorted(np.array(shares), GRID + 1e-12, side="right") - 1
    return np.array(counts)[reached]


def _views(finding: Finding, labels: LabelSet) -> set[Hashable]:
    """What is looked at to judge a finding: (object, frame) each."""
    track = labels.tracks.get(finding.track_id) if finding.track_id is not None else None
    times_ns = finding.timestamps_ns or (tuple(track.annotations) if track is not None else (0,))
    count = min(len(times_ns), MOST_VIEWS)
    chosen = np.linspace(0, len(times_ns) - 1, count).round().astype(int).tolist()
    owner = finding.track_id or finding.camera or finding.id
    return {(owner, times_ns[k]) for k in chosen}


def of_one_seed(power: Power, seed: int) -> Power:
    """The same, with the seed said beside what was missed."""
    return replace(power, missed=tuple(f"seed {seed}: {words}" for words in power.missed))
