"""Lines and tables of text that comes from files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


def say(console: Console, text: str, style: str | None = None) -> None:
    """A line as it is, whatever brackets names hold."""
    console.print(text, highlight=False, markup=False, style=style)


def print_table(
    console: Console, title: str, header: Sequence[str], rows: Sequence[Sequence[str]], left: bool = False
) -> None:
    """A table where there are rows; numbers to the right, or all cells to the left."""
    from rich.markup import escape
    from rich.table import Table

    if not rows:
        return
    table = Table(title=title or None, title_justify="left")
    for place, name in enumerate(header):
        table.add_column(name, justify="left" if left or place == 0 else "right")
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    console.print(table)
