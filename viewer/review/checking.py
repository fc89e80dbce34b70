"""Asking the rules in the background: of labels after every edit, of the sensors when somebody wants it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from fusion.checks.config import CheckConfig
from fusion.checks.facts import Facts
from fusion.labels import LabelSet
from fusion.log import DriveLog
from viewer.review.findings import Standing, ask
from viewer.review.measured import Measured, measured, slow_findings

QUIET_S = 0.3
# Sweeps of longer logs are read only when somebody asks for it: it takes minutes.
LONG = 300


class _StoppedError(Exception):
    """Nobody waits for it any more."""


@dataclass(eq=False)
class Checking:
    """Keeps what rules say up to date; everything but the work itself in the thread of the window.

    Attributes:
        log: what was measured.
        config: what the project asks of labels.
        labels: gives the labels as they are.
        later: runs something in the thread of the window; called from any thread.
        arrived: called there when rules have answered.
        failed: called there with what went wrong.
        standing: what they said last.
        on: whether they are asked after edits.
    """

    log: DriveLog
    config: CheckConfig
    labels: Callable[[], LabelSet]
    later: Callable[[Callable[[], None]], None]
    arrived: Callable[[], None] = lambda: None
    failed: Callable[[BaseException], None] = lambda error: None
    standing: Standing = field(default_factory=Standing)
    on: bool = False
    _measured: Measured | None = field(default=None, repr=False)
    _timer: threading.Timer | None = field(default=None, repr=False)
    _asking: Future[None] | None = field(default=None, repr=False)
    _measuring: Future[None] | None = field(default=None, repr=False)
    _step: str = field(default="", repr=False)
    _stopped: bool = field(default=False, repr=False)
    _pools: tuple[ThreadPoolExecutor, ThreadPoolExecutor] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._pools = ThreadPoolExecutor(1, "crosslabel-rules"), ThreadPoolExecutor(1, "crosslabel-check")

    def begin(self) -> None:
        """From now on the rules are asked; those that need sweeps too, unless the log is long."""
        if not self.on:
            self.on = True
            self.noticed()
            if len(self.log) <= LONG:
                self.check(slow=False)

    def noticed(self) -> None:
        """The labels have changed: the rules are asked once nothing more happens."""
        if self.on:
            self._stop_timer()
            self._timer = threading.Timer(QUIET_S, lambda: self.later(self._ring))
            self._timer.daemon = True
            self._timer.start()

    def check(self, slow: bool = True) -> None:
        """Reads the sweeps, and with `slow` the images; what was measured already is not again."""
        if not self.checking:
            self.on = True
            self._measure(slow)
            self.arrived()

    @property
    def checking(self) -> bool:
        """Whether sweeps or images are being read."""
        return self._measuring is not None and not self._measuring.done()

    @property
    def busy(self) -> bool:
        """Whether an answer is on its way."""
        asking = self._asking is not None and not self._asking.done()
        return asking or self.checking or self._timer is not None

    @property
    def words(self) -> str | None:
        """What goes on, and how far it is; None where nothing takes long."""
        return f"checking the log ({self._step})" if self.checking and self._step else None

    @property
    def complete(self) -> bool:
        """Whether sweeps were read."""
        return self._measured is not None

    def close(self) -> None:
        """Stops what goes on in the background."""
        self._stopped, self.on = True, False
        self._stop_timer()
        for pool in self._pools:
            pool.shutdown(wait=False, cancel_futures=True)

    def _ring(self) -> None:
        if self._timer is not None:
            self._ask()
            if self._measured is not None and not self.checking:
                self._measure(slow=False)
            self._timer = None

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ask(self) -> None:
        """Asks of the labels as they are; what has not begun to be asked of earlier ones is not."""
        if self._asking is not None:
            self._asking.cancel()
        if not self._stopped:
            labels, told = self.labels(), self._measured
            self._asking = self._pools[0].submit(self._answer, labels, told)
            self._asking.add_done_callback(self._look_after)

    def _answer(self, labels: LabelSet, told: Measured | None) -> None:
        made = ask(self.standing, self.log, labels, told, self.config, self._go_on)
        self.later(lambda: self._take(made))

    def _take(self, made: Standing) -> None:
        news = set(made.problems) - set(self.standing.problems)
        self.standing = made
        for words in sorted(news):
            self.failed(RuntimeError(words))
        self.arrived()

    def _measure(self, slow: bool) -> None:
        if not self._stopped:
            self._step = ""
            labels, known = self.labels(), self._measured
            self._measuring = self._pools[1].submit(self._read, labels, known, slow)
            # What cannot be read a frame says when it is shown; who asks is told at once.
            self._measuring.add_done_callback(self._look_after if slow else lambda ended: None)
            self._measuring.add_done_callback(lambda _: self.later(lambda: self.arrived()))

    def _read(self, labels: LabelSet, known: Measured | None, slow: bool) -> None:
        facts = replace(Facts.of(self.log, labels), schema=self.config.labels)
        if known is None:
            made = measured(self.log, facts, self._note)
        else:
            made = known.again(self.log, facts, self._note)
        self.later(lambda: self._put(labels, made))
        if slow:
            found = slow_findings(self.log, facts, self.config, self._note)
            self.later(lambda: self._put(labels, replace(made, slow=found)))

    def _put(self, labels: LabelSet, made: Measured) -> None:
        if made is not self._measured:
            self._measured = made
            self._ask()
        if labels is not self.labels():
            self.noticed()  # what was edited meanwhile is not measured yet

    def _go_on(self) -> None:
        if self._stopped:
            raise _StoppedError

    def _note(self, step: str, done: int, total: int) -> None:
        self._go_on()
        self._step = f"{step}, {done} of {total}"

    def _look_after(self, ended: Future[None]) -> None:
        error = None if ended.cancelled() else ended.exception()
        if error is not None and not isinstance(error, _StoppedError):
            self.later(lambda: self.failed(error))
