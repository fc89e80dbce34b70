"""One thing that may be wrong with labels."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from fusion.edits import Edit


class Severity(StrEnum):
    """How bad it is."""

    ERROR = "error"
    WARNING = "warning"
    HINT = "hint"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule says against labels.

    Attributes:
        rule: which one, a stable name.
        severity: how bad it is.
        words: what is wrong, in one line.
        repair_s: how long a person is expected to need to repair it.
        track_id: the track it is about, if it is about one.
        timestamps_ns: the boxes of that track that it is about, or else frames; none for a whole track.
        camera: the camera it is about, if it is about one.
        value: what was measured, where something was.
        limit: what it should keep to.
        fix: the edit that repairs it, where the rule knows one.
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

    @property
    def id(self) -> str:
        """The same as long as the same rule says the same of the same place, in every copy of the labels."""
        told = repr((self.rule, self.track_id, self.timestamps_ns, self.camera, self.words))
        return f"finding-{self.rule}-{hashlib.sha256(told.encode()).hexdigest()[:16]}"
