"""What the rules of `fusion.checks` say against labels, asked again only about what has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from calib.types import I64, Bools
from fusion.checks import Finding
from fusion.checks.check import asked
from fusion.checks.config import CheckConfig
from fusion.checks.facts import Facts
from fusion.checks.queue import queue
from fusion.checks.rule import Rule
from fusion.checks.rules import RULES
from fusion.edits import PutTrack
from fusion.labels import LabelSet, Track
from fusion.log import DriveLog
from viewer.review.measured import Measured, is_slow

QUICK = tuple(rule for rule in RULES if not is_slow(rule))
NEAR = tuple(rule for rule in QUICK if not rule.whole)
WHOLE = tuple(rule for rule in QUICK if rule.whole)
# Rules compare a track with those that are there at the same time, or soon after it.
SOON_NS = 2_500_000_000


@dataclass(frozen=True, eq=False, slots=True)
class Standing:
    """What rules say of labels as they were at some instant.

    Attributes:
        labels: those labels.
        measured: what the sensors say of them.
        near: what was found by rules that look at an object and what is near it.
        ranked: all findings, what saves most time first, those about one object together.
        ids: of these.
        problems: by id, why a rule could not answer.
    """

    labels: LabelSet = field(default_factory=LabelSet)
    measured: Measured | None = None
    near: tuple[Finding, ...] = ()
    ranked: tuple[Finding, ...] = ()
    ids: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def ask(
    before: Standing,
    log: DriveLog,
    labels: LabelSet,
    measured: Measured | None,
    config: CheckConfig,
    go_on: Callable[[], None] = lambda: None,
) -> Standing:
    """What rules say of labels, of which they said something when they were otherwise.

    `go_on` is called before each rule; what it raises ends the asking.
    """
    problems: list[str] = []
    changed = _changed(before, labels, measured)
    near = before.near
    if changed:
        spans = _spans([*_named(before.labels, changed), *_named(labels, changed)])
        facts = _facts(log, labels, measured, config, spans)
        found = _ask(facts, config, NEAR, problems, go_on)
        near = (
            *(one for one in near if not _about(one, changed, spans)),
            *(one for one in found if _about(one, changed, spans)),
        )
    whole = _ask(_facts(log, labels, measured, config), config, WHOLE, problems, go_on)
    slow = () if measured is None else measured.slow
    ranked = tuple(one for item in queue([*near, *whole, *slow]) for one in item.findings)
    ids = tuple(one.id for one in ranked)
    return Standing(labels, measured, near, ranked, ids, tuple(problems))


def open_findings(standing: Standing, now: LabelSet, settled: set[str]) -> dict[str, Finding]:
    """By id, what holds of labels as they are now, and is not settled."""
    then = standing.labels
    if then is now:
        return {id: one for id, one in zip(standing.ids, standing.ranked, strict=True) if id not in settled}
    other = {id for id, track in then.tracks.items() if now.tracks.get(id) is not track}
    return {
        id: one
        for id, one in zip(standing.ids, standing.ranked, strict=True)
        if id not in settled
        and (
            (one.track_id is not None and one.track_id not in other and one.other_id not in other)
            or _still_holds(one, then, now)
        )
    }


def _still_holds(one: Finding, then: LabelSet, now: LabelSet) -> bool:
    """Whether what a finding is about is as it was."""
    if isinstance(one.fix, PutTrack) and one.fix.track.id in now.tracks:
        return False
    return all(
        _same(one, then.tracks.get(id), now.tracks.get(id))
        for id in (one.track_id, one.other_id)
        if id is not None
    )


def _same(one: Finding, then: Track | None, now: Track | None) -> bool:
    if then is None or now is None or (then.category, then.attributes) != (now.category, now.attributes):
        return False
    for time_ns in one.timestamps_ns:
        a, b = then.annotations.get(time_ns), now.annotations.get(time_ns)
        if a is b:
            continue
        if a is None or b is None or a.box is not b.box or a.attributes != b.attributes:
            return False
        # What was confirmed meanwhile, a repair must not touch.
        if one.fix is not None and a.locked != b.locked:
            return False
    return True


def _changed(before: Standing, labels: LabelSet, measured: Measured | None) -> set[str]:
    """The tracks of which something else may be true than before."""
    then, now = before.labels.tracks, labels.tracks
    known, told = before.measured, measured
    if known is not told and (known is None or told is None or known.candidates is not told.candidates):
        return {*then, *now}
    changed = {id for id in {*then, *now} if then.get(id) is not now.get(id)}
    if known is not told and known is not None and told is not None:
        looks = (look for frame, look in told.looks.items() if known.looks.get(frame) is not look)
        changed.update(id for look in looks for id in look.rows)
    return changed


def _facts(
    log: DriveLog, labels: LabelSet, measured: Measured | None, config: CheckConfig, spans: I64 | None = None
) -> Facts:
    """Of all labels, or of those around some spans of time."""
    candidates = None if measured is None else measured.candidates
    some = labels
    if spans is not None:
        if candidates is not None:
            candidates = LabelSet.of(_around(candidates, spans))
            spans = np.concatenate([spans, _spans(candidates.tracks.values())])
        some = LabelSet.of(_around(labels, spans))
    facts = replace(Facts.of(log, some), labels=labels, schema=config.labels)
    return facts if measured is None else replace(measured.of(facts), candidates=candidates)


def _ask(
    facts: Facts, config: CheckConfig, rules: Iterable[Rule], problems: list[str], go_on: Callable[[], None]
) -> list[Finding]:
    """One rule that fails on odd labels does not silence the others."""
    found: list[Finding] = []
    for rule in rules:
        go_on()
        try:
            found += asked(facts, config, [rule])[0]
        except Exception as error:  # of whatever kind
            problems.append(f"rule {rule.id} ({rule.title}) failed: {error}")
    return found


def _named(labels: LabelSet, ids: set[str]) -> list[Track]:
    return [labels.tracks[id] for id in ids if id in labels.tracks]


def _spans(tracks: Iterable[Track]) -> I64:
    """(N, 2) first and last instant of tracks that have boxes."""
    ends = [(next(iter(t.annotations)), next(reversed(t.annotations))) for t in tracks if t.annotations]
    return np.array(ends, dtype=np.int64).reshape(-1, 2)


def _around(labels: LabelSet, spans: I64) -> list[Track]:
    """The tracks that are there in some spans of time, or soon before or after."""
    tracks = list(labels.tracks.values())
    empty = [not track.annotations for track in tracks]
    mine = np.array([(0, -1) if none else _spans([t])[0] for t, none in zip(tracks, empty, strict=True)])
    near = within(mine.reshape(-1, 2), spans)
    return [track for track, is_near, none in zip(tracks, near, empty, strict=True) if is_near or none]


def within(mine: I64, spans: I64) -> Bools:
    """(N,) whether each of some spans touches any of others, or comes soon before or after."""
    merged: list[list[int]] = []
    for begin, end in sorted((spans + np.array([-SOON_NS, SOON_NS])).tolist()):
        if merged and begin <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([begin, end])
    near = np.zeros(len(mine), dtype=np.bool_)
    for begin, end in merged:
        near |= (mine[:, 0] <= end) & (mine[:, 1] >= begin)
    return near


def _about(one: Finding, changed: set[str], spans: I64) -> bool:
    """Whether a finding is about what has changed: its tracks, or the time it is about."""
    if one.track_id is not None:
        return one.track_id in changed or one.other_id in changed
    at = one.timestamps_ns[:1]
    return not at or bool(within(np.array([[at[0], at[0]]]), spans)[0])
