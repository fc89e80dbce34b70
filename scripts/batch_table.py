"""How a batch stands, on a screen: a table that stays where it is, or a line."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Group
    from rich.live import Live

    from autolabel.batch import Standing
    from autolabel.batch.ended import Pool

SHOWN_FAILED, SHOWN_WAY, BAR_CHARACTERS = 8, 8, 40


def in_words(standing: Standing) -> str:
    """One line."""
    from autolabel.runs import Outcome

    done, there = standing.count(Outcome.DONE), standing.count(Outcome.UP_TO_DATE)
    parts = [
        f"{standing.state}: {done} of {standing.total} logs done",
        f"{there} were up to date" if there else "",
        f"{len(standing.failed)} failed" if standing.failed else "",
        f"{standing.left} left" if standing.left else "",
        f"{standing.per_hour:,.0f} an hour" if standing.per_hour else "",
        duration(standing.elapsed_s),
    ]
    return ", ".join(part for part in parts if part)


def duration(seconds: float) -> str:
    """Such as 1:02:03 or 4:05."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def table_of(standing: Standing, under_way: dict[str, float], workers: int | None) -> Group:
    """A bar with numbers, the logs that are worked on, and the last that failed."""
    from rich.console import Group
    from rich.markup import escape
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    from autolabel.runs import Outcome

    numbers = Table(box=None, pad_edge=False)
    left = standing.left_s
    cells = {
        "": str(standing.state),
        "done": str(standing.count(Outcome.DONE)),
        "kept": str(standing.count(Outcome.UP_TO_DATE)),
        "failed": f"[red]{len(standing.failed)}[/red]" if standing.failed else "0",
        "to do": str(standing.left),
        "an hour": f"{standing.per_hour:,.0f}" if standing.per_hour else "",
        "time": duration(standing.elapsed_s),
        "time left": "" if left is None else duration(left),
        "workers": standing.workers if workers is None else str(workers),
    }
    for title in cells:
        left_bound = title in ("", "workers")
        numbers.add_column(title, justify="left" if left_bound else "right", no_wrap=title != "workers")
    numbers.add_row(*cells.values())
    bar = Table.grid()
    bar.add_row(ProgressBar(max(standing.total, 1), len(standing.ended), BAR_CHARACTERS))
    now_s = time.monotonic()
    longest = sorted(under_way.items(), key=lambda one: one[1])[:SHOWN_WAY]
    rows = [f"  {duration(now_s - since_s):>8}  {escape(name)}" for name, since_s in longest]
    failed = [
        f"  [red]failed[/red]  {escape(one.name)}: {escape(one.reason)}"
        for one in standing.failed[-SHOWN_FAILED:]
    ]
    return Group(bar, numbers, *rows, *failed)


class LiveTable:
    """The table while the batch runs."""

    def __init__(self, standing: Standing, pool: Pool, live: Live | None) -> None:
        self._standing, self._pool, self._live = standing, pool, live

    def refresh(self) -> None:
        """Draws it anew."""
        if self._live is not None:
            workers = self._pool.workers
            self._live.update(table_of(self._standing, dict(self._pool.under_way), workers), refresh=True)


@contextmanager
def live_table(standing: Standing, pool: Pool, disable: bool) -> Iterator[LiveTable]:
    """On standard error where that is a screen; silent otherwise."""
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True)
    if disable or not console.is_terminal:
        yield LiveTable(standing, pool, None)
        return
    with Live(console=console, auto_refresh=False, transient=True) as live:
        yield LiveTable(standing, pool, live)
