"""One thing that may be wrong with labels, with the sensors, or with their clocks."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from fusion.edits import Edit


class Severity(StrEnum):
    """How bad it is."""

    MANDATORY = "mandatory"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule says against labels.

    Attributes:
        rule: id of the rule, such as `P4`.
        severity: how bad it is.
        words: what is wrong, in one line.
        repair_s: how long a person is expected to need to repair it.
        track_id: the track it is about, if it is about one.
        timestamps_ns: the boxes of that track that it is about, or else frames; none for a whole track.
        camera: the camera it is about, if it is about one.
        value: what was measured, where something was.
        limit: what it should keep to.
        fix: the edit that repairs it, where the rule knows one.
        other_id: a second track it is about: the one that overlaps, continues or is swapped with the first.
        place: (x, y, z) in the ego frame of its first frame, where it is about no track.
        chance: how likely it is right, 0 to 1.
        about: the attribute, or the mistake in the rig, that it is about, if it is about one.
    """

    rule: str
    severity: Severity
    words: str
    repair_s: float
    track_id: str | None = None
    timestamps_ns: tuple[int, ...] = ()
    camera: str | None = None
    value: float | None = None
    limit: float | None = None
    fix: Edit | None = None
    other_id: str | None = None
    place: tuple[float, float, float] | None = None
    chance: float = 1.0
    about: str | None = None

    @property
    def id(self) -> str:
        """The same in every run and copy of the labels, as long as it begins at the same place.

        Numbers in its words may change without it: what was accepted as right stays accepted.
        """
        place = None if self.place is None else tuple(round(v) for v in self.place)
        first = self.timestamps_ns[:1]
        told = (self.rule, self.track_id, self.other_id, first, self.camera, place)
        words = repr(told if self.about is None else (*told, self.about))
        return f"finding-{self.rule}-{hashlib.sha256(words.encode()).hexdigest()[:16]}"
