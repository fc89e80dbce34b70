"""What the self-test of `crosslabel check` found: for a person, for a machine, for a report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fusion.seeded import Power, Row, Rule, Share
    from scripts.report import Section

WANTED_RECALL = 0.9
HEADER = ("error", "made", "caught", "95 %", "by a rule that tells of it", "precision", "95 %")
RULE_HEADER = ("rule", "new findings", "about errors", "precision", "before", "of which errors")


def power_as_dict(power: Power) -> dict[str, Any]:
    """For JSON."""
    from fusion.seeded import GRID, ErrorKind

    made = dict.fromkeys(kind for kind, _ in power.found)
    levels = {kind.value: [row.as_dict() for row in power.levels(kind)] for kind in ErrorKind if kind in made}
    return {
        "seeds": power.seeds,
        "errors": power.errors,
        "all": power.all().as_dict(),
        "gross": power.gross().as_dict(),
        "kinds": [row.as_dict() for row in power.kinds()],
        "levels": levels,
        "first_new": {str(count): share.as_dict() for count, share in power.first_new.items()},
        "first_exact": {str(count): share.as_dict() for count, share in power.first_exact.items()},
        "opened_for_90": power.opened_for(WANTED_RECALL),
        "opened": GRID.round(4).tolist(),
        "recall_by_opened": power.recall_by_share.round(4).tolist(),
        "rules": {
            rule.id: {
                "precision": rule.precision.as_dict(),
                "precision_exact": rule.precision_exact.as_dict(),
                "kinds": [kind.value for kind in rule.kinds],
            }
            for rule in power.rules()
        },
        "wrong_new": dict(power.wrong_new),
        "wrong_before": dict(power.wrong_before),
        "missed": list(power.missed),
        "left_out": list(power.left_out),
    }


def print_power(name: str, power: Power, exact: bool = False, missed: int = 0) -> None:
    """A table of kinds and amounts, and what a reviewer has to open.

    Args:
        name: of the log.
        power: what was found.
        exact: whether the undisturbed labels are known to be right, so that what is said of them is wrong.
        missed: how many of the errors that nothing led to are told.
    """
    from rich.console import Console
    from rich.table import Table

    title = f"{name}: {power.errors} errors, seeded in {power.seeds} rounds"
    table = Table(title=title, title_justify="left")
    for column in HEADER:
        table.add_column(column, justify="left" if column == "error" else "right", no_wrap=column == "error")
    for text, row, style in _rows(power):
        table.add_row(text, *_cells(row, exact), style=style)
    console = Console(width=None if Console().is_terminal else 120)
    console.print(table)
    for line in _sentences(power, exact):
        console.print(line, highlight=False)
    for words in power.missed[:missed]:
        console.print(f"missed: {words}", highlight=False, markup=False)


def print_rules(power: Power) -> None:
    """A table of what each rule found."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title="What each rule found, over all rounds", title_justify="left")
    for column in RULE_HEADER:
        table.add_column(column, justify="left" if column in (RULE_HEADER[0], RULE_HEADER[-1]) else "right")
    for rule in power.rules():
        table.add_row(*_rule_cells(rule))
    Console(width=None if Console().is_terminal else 120).print(table)


def power_section(name: str, power: Power, exact: bool = False) -> Section:
    """The same as a section of a report, with the curves."""
    from fusion.seeded import GRID
    from scripts.report import Limit, LinePlot, Paragraph, Section, Series
    from scripts.report import Table as ReportTable

    rows = [(text, *_cells(row, exact)) for text, row, _ in _rows(power)]
    reached = LinePlot(
        "Errors caught on the way down the queue",
        "opened, % of object-frames",
        "errors caught, %",
        [Series("errors caught", 100 * GRID, 100 * power.recall_by_share)],
        limits=(Limit("90 %", 90.0),),
    )
    return Section(
        f"Power on {name}",
        [
            Paragraph(" ".join(_sentences(power, exact))),
            ReportTable(HEADER, rows, f"{power.errors} errors, seeded in {power.seeds} rounds"),
            reached,
            *_curves(power),
            ReportTable(RULE_HEADER, [_rule_cells(rule) for rule in power.rules()], "What each rule found"),
        ],
    )


def _curves(power: Power) -> list[Any]:
    """Recall over the amount, one plot for each unit."""
    import numpy as np

    from fusion.seeded.kinds import SENSOR_KINDS, UNITS, ErrorKind
    from scripts.report import LinePlot, Series

    placed = (ErrorKind.SWAP_NEAR, ErrorKind.SWAP_FAR, ErrorKind.MISSING_TRACK, *SENSOR_KINDS)
    by_unit: dict[str, list[Series]] = {}
    for kind in dict.fromkeys(kind for kind, _ in power.found):
        amounts = [amount for other, amount in power.found if other is kind]
        if kind in UNITS and kind not in placed and len(amounts) > 1:
            recalls = [100 * row.recall.value for row in power.levels(kind)]
            series = Series(kind.value, np.array(amounts), np.array(recalls))
            by_unit.setdefault(UNITS[kind], []).append(series)
    return [
        LinePlot(f"Errors caught by how large they are, {unit}", unit, "errors caught, %", lines)
        for unit, lines in by_unit.items()
    ]


def _rows(power: Power) -> list[tuple[str, Row, str | None]]:
    """All rows with the text in front of them and a style: kinds, below them their amounts, then sums."""
    from fusion.seeded import ErrorKind

    rows: list[tuple[str, Row, str | None]] = []
    for row in power.kinds():
        levels = power.levels(ErrorKind(row.name))
        if len(levels) == 1:
            rows.append((f"{row.name} {levels[0].name}".strip(), row, None))
            continue
        rows.append((row.name, row, None))
        rows += [(f"   {level.name}", level, "dim") for level in levels]
    return [*rows, ("gross errors", power.gross(), "bold"), ("all errors", power.all(), "bold")]


def _cells(row: Row, exact: bool) -> tuple[str, ...]:
    precision = row.precision_exact if exact else row.precision
    return (
        f"{row.recall.whole:g}",
        _percent(row.recall),
        _interval(row.recall),
        _percent(row.named),
        _percent(precision),
        _interval(precision),
    )


def _rule_cells(rule: Rule) -> tuple[str, ...]:
    before = rule.precision_exact.whole - rule.precision.whole
    told = ", ".join(rule.kinds[:4]) + (", ..." if len(rule.kinds) > 4 else "")
    counts = (
        f"{rule.precision.whole:g}",
        f"{rule.precision.part:g}",
        _percent(rule.precision),
        f"{before:g}",
    )
    return (rule.id, *counts, told)


def _sentences(power: Power, exact: bool) -> list[str]:
    heads = power.first_exact if exact else power.first_new
    what = "findings" if exact else "new findings"
    said = [
        f"Of the first {count} {what} of each queue {_percent(share)} are about a seeded error."
        for count, share in heads.items()
        if share.whole
    ]
    opened = power.opened_for(WANTED_RECALL)
    if opened is not None:
        said.append(f"{WANTED_RECALL:.0%} of the errors are caught when {opened:.1%} of all object-frames")
        said[-1] += " have been opened, going down the queue."
    elif power.errors:
        said.append(f"{WANTED_RECALL:.0%} of the errors are not caught, however much is opened.")
    if not exact:
        before = sum(power.wrong_before.values()) // max(power.seeds, 1)
        said.append(f"{before} findings are in the labels without seeded errors, and count neither way.")
    said += [f"Not seeded: {line}." for line in power.left_out]
    return said


def _percent(share: Share) -> str:
    return f"{share.value:.0%}" if share.whole else "-"


def _interval(share: Share) -> str:
    low, high = share.interval
    return f"{100 * low:.0f}-{100 * high:.0f}" if share.whole else "-"
