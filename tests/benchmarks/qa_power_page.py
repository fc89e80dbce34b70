"""The tables of tests/benchmarks/qa_power.py as a page."""

from __future__ import annotations

from collections.abc import Sequence

from fusion.seeded import ErrorKind, Power, Row, Share
from scripts.check_self_test import WANTED_RECALL

Part = tuple[str, bool, Power, Power]
INTRODUCTION = """# What a check finds of errors that were put in on purpose

Made by `python -m tests.benchmarks.qa_power --write`, {rounds} rounds a log; no 2D detector, so rules about
images are not asked. docs/self_test.md says what is seeded and what counts. Limits were chosen on simulated
drives 3, 5 and 7, on KITTI 0000, 0002, 0004 and 0020 and on PandaSet 002; other drives are told. Precision
counts new findings; on simulated drives, where the undisturbed labels are exact, all that is said of these is
false and counts too.
"""


def page(parts: Sequence[Part], rounds: int) -> str:
    """All of it, in Markdown."""
    lines = [INTRODUCTION.format(rounds=rounds)]
    lines += ["## Gross errors", "", *_gross(parts)]
    lines += ["", "## A mixture of all kinds and amounts", "", *_sums(parts)]
    lines += ["", "## False findings, by rule", "", *_false(parts)]
    lines += ["", "## By kind and amount: caught, of how many", "", *_curves(parts)]
    return "\n".join(lines) + "\n"


def _gross(parts: Sequence[Part]) -> list[str]:
    lines = [
        "Goal: recall 0.95 at precision 0.9.",
        "",
        "| data | errors | recall | 95 % | precision | 95 % | what was missed |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, exact, _, large in parts:
        row = large.gross()
        precision = row.precision_exact if exact else row.precision
        missed = "; ".join(
            f"{one.name} {one.recall.whole - one.recall.part:.0f} of {one.recall.whole:.0f}"
            for one in large.kinds()
            if one.recall.part < one.recall.whole
        )
        cells = (name, f"{row.recall.whole:.0f}", _two(row.recall), _two(precision), missed or "nothing")
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _sums(parts: Sequence[Part]) -> list[str]:
    lines = [
        f"Goal: {WANTED_RECALL:.0%} caught while at most 25 % of the object-frames are opened.",
        "",
        "| data | errors | caught | 95 % | precision | 95 % | caught with 10 % opened | 25 % "
        "| right in the first 50 | 100 | findings before, a round |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, exact, mixed, _ in parts:
        row = mixed.all()
        precision = row.precision_exact if exact else row.precision
        heads = mixed.first_exact if exact else mixed.first_new
        opened = [f"{mixed.recall_by_share[step]:.2f}" for step in (20, 50)]
        firsts = [f"{heads[count].value:.2f}" for count in (50, 100)]
        before = sum(mixed.wrong_before.values()) / max(mixed.seeds, 1)
        cells = (
            name,
            f"{row.recall.whole:.0f}",
            _two(row.recall),
            _two(precision),
            *opened,
            *firsts,
            f"{before:.0f}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _false(parts: Sequence[Part]) -> list[str]:
    """New findings about nothing, and what is said of labels without seeded errors."""
    lines = ["| data | new and about nothing, of all | in the labels before, a round |", "|---|---|---|"]
    for name, _, mixed, large in parts:
        both = Power.together([mixed, large])
        new = ", ".join(f"{rule} {count}" for rule, count in sorted(both.wrong_new.items())) or "none"
        before = {rule: count / max(both.seeds, 1) for rule, count in sorted(both.wrong_before.items())}
        told = ", ".join(f"{rule} {count:.1f}" for rule, count in before.items()) or "none"
        lines.append(f"| {name} | {new} | {told} |")
    return lines


def _curves(parts: Sequence[Part]) -> list[str]:
    names = [name for name, *_ in parts]
    lines = [f"| error | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
    for kind in ErrorKind:
        levels = [{row.name: row for row in mixed.levels(kind)} for _, _, mixed, _ in parts]
        amounts = list(dict.fromkeys(amount for some in levels for amount in some))
        for amount in sorted(amounts, key=_number):
            cells = [_part(some[amount]) if amount in some else "" for some in levels]
            lines.append(f"| {kind.value} {amount} | {' | '.join(cells)} |".replace("  ", " "))
    return lines


def _number(words: str) -> float:
    return float(words.split()[0]) if words else 0.0


def _part(row: Row) -> str:
    return f"{row.recall.part:.0f} of {row.recall.whole:.0f}"


def _two(share: Share) -> str:
    low, high = share.interval
    return f"{share.value:.2f} | {low:.2f}-{high:.2f}" if share.whole else "- | -"
