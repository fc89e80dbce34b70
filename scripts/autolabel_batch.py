"""Logs labelled one by one, here or by workers: what is said while it runs, and what is left behind."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from calib.errors import CrosslabelError

if TYPE_CHECKING:
    from autolabel.batch import Ended, Ledger, Standing
    from autolabel.batch.ended import Pool, Unit
    from scripts.autolabel_unit import LogUnit

# So many logs in a row that find no space, and the rest is not tried.
MOST_FULL = 3


class DiskFullError(CrosslabelError):
    """There is no space left for results."""


@dataclass(slots=True)
class Batch:
    """Logs to be labelled, and how.

    Attributes:
        units: one a log.
        out: folder of the results.
        workers: processes of this machine; 1 is this one.
        cluster: address of a scheduler, whose workers are used instead.
        as_json: whether standard output is for machines.
        explained: the tracks that have got their pages.
    """

    units: Sequence[LogUnit]
    out: Path
    workers: int
    cluster: str | None
    as_json: bool
    explained: set[str] = field(init=False, default_factory=set)

    @property
    def here(self) -> bool:
        """Whether this process does the work."""
        return self.cluster is None and self.workers == 1

    def run(self) -> int:
        """Works on all logs, tells of them, and returns the exit code: 2 where one failed."""
        if self.here and len(self.units) == 1:
            return self._alone()
        from autolabel.batch import Ledger
        from scripts.batch_page import write_overview
        from scripts.console import note

        standing: Standing | None = None
        try:
            with self._pool() as pool, Ledger(self.out, len(self.units), self._where(pool)) as ledger:
                standing = ledger.standing
                self._work(pool, ledger)
        finally:
            if standing is not None:
                write_overview(self.out, standing)
                _sum_up(standing)
                note(f"{self.out / 'index.html'}")
        return 2 if standing is None or standing.failed else 0

    def _alone(self) -> int:
        from autolabel.runs import Outcome

        ended = _with_bar(self.units[0])
        self._tell(ended)
        return 2 if ended.outcome is Outcome.FAILED else 0

    def _work(self, pool: Pool, ledger: Ledger) -> None:
        from scripts.batch_table import live_table

        full = 0
        with live_table(ledger.standing, pool, disable=self.here) as table:
            for ended in pool.run(self.units):
                if ended is not None:
                    ledger.note(ended)
                    self._tell(ended)
                    full = full + 1 if ended.disk_full else 0
                    if full == MOST_FULL:
                        raise DiskFullError(
                            f"{self.out}: no space left for {full} logs in a row; the same command "
                            "goes on from here once there is"
                        )
                ledger.beat()
                table.refresh()

    def _pool(self) -> AbstractContextManager[Pool]:
        from autolabel.batch import Here

        if self.here:
            return nullcontext(Here(_with_bar))
        from autolabel.batch.engine import engine_at, local_engine

        return local_engine(self.workers) if self.cluster is None else engine_at(self.cluster)

    def _where(self, pool: Pool) -> str:
        if self.cluster is not None:
            return f"{pool.workers} workers of {self.cluster}"
        return "this process" if self.here else f"{self.workers} processes"

    def _tell(self, ended: Ended) -> None:
        """What became of a log: a line for people, and one for machines where that was asked for."""
        from autolabel.runs import Outcome
        from scripts.console import note

        for line in ended.told.get("notes", ()):
            note(line)
        self.explained.update(ended.told.get("explained", ()))
        if ended.outcome is Outcome.FAILED:
            print(ended.told.get("traceback", ""), end="", file=sys.stderr)
            named = ended.reason if ended.name in ended.reason else f"{ended.name}: {ended.reason}"
            print(f"crosslabel: {named}", file=sys.stderr)
            said = {"log": ended.name, "outcome": str(ended.outcome), "error": ended.reason}
        else:
            if self.here or not sys.stderr.isatty():
                note(log_line(ended))
            told = {k: v for k, v in ended.told.items() if k not in ("notes", "explained", "path", "format")}
            said = {"log": ended.name, "outcome": str(ended.outcome), **told}
        if self.as_json:
            print(json.dumps(said), flush=True)


def _sum_up(standing: Standing) -> None:
    """How it ended: in one line, and a line for each log that failed."""
    from scripts.batch_table import in_words
    from scripts.console import note

    note(in_words(standing) + ("; the same command goes on from there" if standing.left else ""))
    for ended in standing.failed:
        note(f"  failed: {ended.name}: {ended.reason}")


def log_line(ended: Ended) -> str:
    """What became of a log, how much was made, and how much of it a person should look at."""
    counts, checks = ended.told.get("counts"), ended.told.get("checks")
    line = f"{ended.name}: {ended.outcome}: {ended.told.get('labels', '')}"
    if counts:
        line += (
            f": {counts['tracks']} objects, {counts['made']} boxes made, "
            f"{counts['want_a_look']} of them want a look"
        )
    if checks:
        line += f"; {checks['objects_to_look_at']} places to look at after checks"
    return line


def _with_bar(unit: Unit) -> Ended:
    from scripts.console import progress_bar

    with progress_bar(unit.name) as progress:
        return unit(progress)
