"""What the sensors say of labels: measured once, and kept for every box that stays as it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace

import numpy as np

from autolabel.candidates import candidates_of
from fusion.boxes import Box3D
from fusion.checks.check import asked
from fusion.checks.config import CheckConfig
from fusion.checks.evidence import evidence_in
from fusion.checks.facts import Facts, Looks, Scanned
from fusion.checks.facts.examined import Examined
from fusion.checks.facts.pictured import Pictured
from fusion.checks.finding import Finding
from fusion.checks.rule import Need, Rule
from fusion.checks.rules import RULES
from fusion.labels import LabelSet
from fusion.log import DriveLog
from fusion.progress import Progress

SLOW = (Need.EVIDENCE, Need.EXAMINED)
COLUMNS = tuple(column.name for column in fields(Scanned))


@dataclass(frozen=True, eq=False, slots=True)
class FrameLook:
    """What was measured of the boxes of one frame.

    Attributes:
        rows: by track, its box and where in the columns it stands.
        scanned: the columns.
    """

    rows: Mapping[str, tuple[Box3D, int]]
    scanned: Scanned


@dataclass(frozen=True, eq=False, slots=True)
class Measured:
    """What the sensors say.

    Attributes:
        looks: by frame.
        candidates: objects that the scans show; None where nobody has searched.
        slow: what rules found that need whole images.
    """

    looks: Mapping[int, FrameLook] = field(default_factory=dict)
    candidates: LabelSet | None = None
    slow: tuple[Finding, ...] = ()

    def of(self, facts: Facts) -> Facts:
        """Facts with what is known of them; of boxes that nobody has measured as they are, nothing is."""
        count = len(facts)
        shapes = {"around": (count, 5), "reach_m": (count, 6)}
        floats = ("reach_m", "ground_m")
        made = {
            name: np.full(
                shapes.get(name, count),
                np.nan if name in floats else 0,
                float if name in floats else np.int64,
            )
            for name in COLUMNS
        }
        made["there"] = np.zeros(count, dtype=np.bool_)
        for frame, rows in facts.by_frame.items():
            look = self.looks.get(frame)
            pairs = [] if look is None else _known(facts, look, rows)
            if look is not None and pairs:
                to, source = np.array(pairs).T
                for name in COLUMNS:
                    made[name][to] = getattr(look.scanned, name)[source]
        return replace(facts, scanned=Scanned(**made), candidates=self.candidates)

    def missing(self, facts: Facts) -> list[int]:
        """The frames in which some box is not measured as it is."""
        return [
            frame
            for frame, rows in facts.by_frame.items()
            if frame not in self.looks or len(_known(facts, self.looks[frame], rows)) < len(rows)
        ]

    def again(self, log: DriveLog, facts: Facts, progress: Progress) -> Measured:
        """The same with the frames measured in which a box has changed."""
        missing = self.missing(facts)
        if not missing:
            return self
        some = {frame: facts.by_frame[frame] for frame in missing}
        scanned = Looks(log, some, facts.boxes).rest(progress)
        return replace(self, looks={**self.looks, **_looks(facts, scanned, some)})


def measured(log: DriveLog, facts: Facts, progress: Progress) -> Measured:
    """All objects that the scans show, and what they say of all boxes: every sweep is read once."""
    if not any(log.sweeps.values()):
        return Measured()
    looks = Looks(log, facts.by_frame, facts.boxes)
    candidates = candidates_of(log, progress=progress, watcher=looks.see)
    return Measured(_looks(facts, looks.rest(progress), facts.by_frame), candidates)


def slow_findings(
    log: DriveLog, facts: Facts, config: CheckConfig, progress: Progress
) -> tuple[Finding, ...]:
    """What rules say that look at whole images: at rectangles in them, and at the cameras themselves."""
    told = evidence_in(facts.labels)
    pictured = Pictured.of(log, facts.labels, told) if told and facts.poses_known else None
    examined = Examined.of(log, progress) if any(log.images.values()) else None
    slow = [rule for rule in RULES if is_slow(rule)]
    return tuple(asked(replace(facts, pictured=pictured, examined=examined), config, slow)[0])


def is_slow(rule: Rule) -> bool:
    """Whether it needs whole images."""
    return any(need in SLOW for need in rule.needs)


def _looks(facts: Facts, scanned: Scanned, frames: Mapping[int, np.ndarray]) -> dict[int, FrameLook]:
    return {frame: FrameLook(dict(_rows(facts, rows)), scanned) for frame, rows in frames.items()}


def _rows(facts: Facts, rows: np.ndarray) -> Iterable[tuple[str, tuple[Box3D, int]]]:
    for row in rows.tolist():
        yield facts.tracks[int(facts.owners[row])].id, (facts.annotations[row].box, row)


def _known(facts: Facts, look: FrameLook, rows: np.ndarray) -> list[tuple[int, int]]:
    """Rows of facts, and where the same boxes stand in what was measured."""
    found = []
    for track_id, (box, row) in _rows(facts, rows):
        there = look.rows.get(track_id)
        if there is not None and there[0] is box:
            found.append((row, there[1]))
    return found
