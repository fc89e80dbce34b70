"""How a batch stands: what is done, what failed, how fast it goes, when it will have ended."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum

from autolabel.batch.ended import Ended
from autolabel.runs import Outcome

# The rate is that of so many last logs: the first ones may have been there already.
RECENT = 200


class State(StrEnum):
    """Of a batch."""

    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    DEAD = "dead"


@dataclass(eq=False, slots=True)
class Standing:
    """Counts of one batch.

    Attributes:
        total: logs in it.
        workers: how they are worked on, in words.
        host: machine of the process that hands them out.
        pid: that process.
        begun_s: when, since 1970.
        now_s: when it was last heard of.
        state: running, finished, stopped before its end, or dead.
        reason: why it was stopped.
        ended: what became of the logs, in their order of ending; of each the last that was said.
    """

    total: int
    workers: str
    host: str
    pid: int
    begun_s: float
    now_s: float = 0.0
    state: State = State.RUNNING
    reason: str = ""
    ended: dict[str, Ended] = field(default_factory=dict)
    _recent_s: deque[float] = field(default_factory=lambda: deque(maxlen=RECENT))

    def __post_init__(self) -> None:
        self.now_s = max(self.now_s, self.begun_s)

    def add(self, one: Ended, at_s: float) -> None:
        """What became of a log."""
        self.ended[one.name] = one
        self.now_s = max(self.now_s, at_s)
        if one.outcome is not Outcome.UP_TO_DATE:
            self._recent_s.append(at_s)

    def end(self, state: State, at_s: float, reason: str = "") -> None:
        """That there is no more to come."""
        self.state, self.reason, self.now_s = state, reason, max(self.now_s, at_s)

    def count(self, outcome: Outcome) -> int:
        """How many logs ended so."""
        return sum(one.outcome is outcome for one in self.ended.values())

    @property
    def failed(self) -> list[Ended]:
        """The logs that failed."""
        return [one for one in self.ended.values() if one.outcome is Outcome.FAILED]

    @property
    def left(self) -> int:
        """How many logs have not ended."""
        return max(self.total - len(self.ended), 0)

    @property
    def where(self) -> str:
        """The process that hands out logs, in words."""
        return f"process {self.pid} on {self.host}"

    @property
    def elapsed_s(self) -> float:
        """Since it began."""
        return self.now_s - self.begun_s

    @property
    def per_hour(self) -> float | None:
        """Logs that are worked on in an hour; None where none has been yet."""
        if not self._recent_s:
            return None
        since_s = self.begun_s if len(self._recent_s) < RECENT else self._recent_s[0]
        return 3600 * len(self._recent_s) / max(self._recent_s[-1] - since_s, 1e-3)

    @property
    def left_s(self) -> float | None:
        """How long it will still take; None where that cannot be told."""
        rate = self.per_hour
        return None if rate is None or self.state is not State.RUNNING else 3600 * self.left / rate
