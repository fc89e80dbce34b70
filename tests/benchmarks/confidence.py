"""How sure labels are, and whether that is so: `python -m tests.benchmarks.confidence`.

`--write` writes docs/confidence.md; `--train` first fits autolabel/confidence/table.json to the tuned drives;
`--cache FOLDER` keeps simulated sweeps, and what was made of the drives: `--again` makes that anew.
"""

import argparse
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from autolabel.confidence import ConfidenceConfig
from autolabel.confidence.columns import Columns
from autolabel.confidence.confidence import with_confidence
from autolabel.confidence.evidence import Evidence
from autolabel.confidence.model import Judged, Model
from autolabel.pipeline import Given, traced_of
from autolabel.scans import Scans
from autolabel.world import LocalWorld
from calib.types import F64
from tests.benchmarks.boosting import written
from tests.benchmarks.confidence_case import DISTURBED, Case
from tests.benchmarks.confidence_cases import SETTINGS, TUNED, all_cases, only
from tests.benchmarks.confidence_page import PAGE_TEXT
from tests.benchmarks.confidence_table import trained
from tests.benchmarks.detector_drives import simulated_drive
from tests.conftest import REPOSITORY

TABLE = REPOSITORY / "autolabel" / "confidence" / "table.json"
PAGE = REPOSITORY / "docs" / "confidence.md"
FOLDS = 4
BINS = np.array([0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.98, 1.0])
THRESHOLDS = (0.8, 0.85, 0.88, 0.9, 0.92, 0.94, 0.96)
LEAST = ConfidenceConfig().least
HEADS = {
    "looks": "| data | made from | what | boxes | need no edit | flagged | of those not flagged need no edit "
    "| of those that need an edit are flagged |\n|---|---|---|--:|--:|--:|--:|--:|",
    "scores": "| data | made from |"
    + "".join(f" {low:g}-{high:g} |" for low, high in pairwise(BINS))
    + "\n|---|---|"
    + "--:|" * (len(BINS) - 1),
    "thresholds": "| made from | "
    + " | ".join(f"{t:g}" for t in THRESHOLDS)
    + " |\n|---|"
    + "--:|" * len(THRESHOLDS),
    "reasons": "| reason | boxes | need an edit | wrong kind | size | heading | place |\n"
    "|---|--:|--:|--:|--:|--:|--:|",
}

Known = tuple[Case, Judged]


def judged(model: Model, case: Case) -> Judged:
    """What is held of the boxes of a case."""
    return model.judge(Evidence(case.columns, {}), np.arange(len(case.owners)), case.sources.tolist())


def held_out(cases: Sequence[Case]) -> list[Known]:
    """Tuned cases, each judged by a table of other drives."""
    drives = sorted({drive_of(case) for case in cases})
    fold = {name: number % FOLDS for number, name in enumerate(drives)}
    tables = [trained([case for case in cases if fold[drive_of(case)] != number]) for number in range(FOLDS)]
    models = [Model.from_table(table) for table in tables]
    fair = [case for case in cases if case.mode != DISTURBED]
    return [(case, judged(models[fold[drive_of(case)]], case)) for case in fair]


def drive_of(case: Case) -> str:
    """The drive, whatever was given of it."""
    return case.name.split(", frame")[0]


def data_of(case: Case) -> str:
    """Drives that one row stands for."""
    name = case.name if case.name.startswith("PandaSet") else case.name.split(" ")[0].rstrip(",")
    if case.name.startswith("simulated, 20 s"):
        name = "simulated, 20 s"
    return f"{name} (tuned, held out)" if case.tuned else name


def parts_of(known: Iterable[Known], key: Callable[[Case], str]) -> Iterator[tuple[str, Case, F64]]:
    """All boxes that belong together, with their chances."""
    groups: dict[str, list[Known]] = defaultdict(list)
    for case, found in known:
        groups[key(case)].append((case, found))
    for name, some in groups.items():
        right = np.concatenate([case.right for case, _ in some])
        kinds = np.concatenate([case.groups for case, _ in some])
        yield name, right, kinds, np.concatenate([found.chances for _, found in some])  # type: ignore[misc]


def look_rows(known: Sequence[Known], by_kind: bool) -> Iterator[str]:
    """What a flag means: by data, by what boxes were made from, and by kind."""
    for name, right, kinds, chances in parts_of(known, lambda case: f"{data_of(case)} | {case.mode}"):
        yield look_row(f"{name} | all", right[:, 4], chances)
        for kind in sorted(set(kinds.tolist())) if by_kind else ():
            yield look_row(f"{name} | {kind}", right[kinds == kind, 4], chances[kinds == kind])


def look_row(title: str, right: np.ndarray, chances: F64, least: float = LEAST) -> str:
    """One line."""
    flagged = chances < least
    cells = (percent(right), percent(flagged), percent(right[~flagged]), percent(flagged[~right]))
    return f"| {title} | {len(right)} | {' | '.join(cells)} |"


def percent(values: np.ndarray) -> str:
    """The share of what is true."""
    return f"{100 * values.mean():.1f} %" if len(values) else ""


def score_rows(known: Sequence[Known]) -> Iterator[str]:
    """Of all boxes with a score between two values, the share that needs no edit, and how many there are."""
    for name, right, _, chances in parts_of(known, lambda case: f"{data_of(case)} | {case.mode}"):
        cells = []
        for low, high in pairwise(BINS):
            rows = (chances >= low) & ((chances < high) | (high == 1.0))
            cells.append(f"{right[rows, 4].mean():.2f} ({rows.sum()})" if rows.any() else "")
        yield f"| {name} | {' | '.join(cells)} |"


def threshold_rows(known: Sequence[Known]) -> Iterator[str]:
    """Flagged, right among the others, and found of the wrong ones, by the least chance without a flag."""
    every = [("all", *part[1:]) for part in parts_of(known, lambda case: "all")]
    for name, right, _, chances in (*parts_of(known, lambda case: case.mode), *every):
        cells = []
        for least in THRESHOLDS:
            flagged, good = chances < least, right[:, 4]
            shares = (
                flagged.mean(),
                good[~flagged].mean() if (~flagged).any() else np.nan,
                flagged[~good].mean(),
            )
            cells.append(" / ".join(f"{100 * share:.1f}" for share in shares))
        yield f"| {name} | {' | '.join(cells)} |"


def reason_rows(known: Sequence[Known]) -> Iterator[str]:
    """What is wrong with boxes that are flagged for a reason."""
    counts: Counter[str] = Counter()
    wrong: dict[str, list[np.ndarray]] = defaultdict(list)
    for case, found in known:
        flagged = np.flatnonzero(found.chances < LEAST)
        for words in sorted({found.reasons[row] for row in flagged}):
            rows = [row for row in flagged if found.reasons[row] == words]
            counts[words] += len(rows)
            wrong[words].append(~case.right[rows])
    for words, count in counts.most_common():
        kind, size, heading, place, edit = 100 * np.concatenate(wrong[words]).mean(axis=0)
        cells = " | ".join(f"{share:.0f} %" for share in (edit, kind, size, heading, place))
        yield f"| {words} | {count} | {cells} |"


def cost() -> str:
    """CPU time of one thread, kernels compiled, reading the scans from their file included."""
    drive = simulated_drive(TUNED[0], None)
    scans = Scans(LocalWorld.of(drive.log))
    given = Given(only(drive.truth, drive.log, [len(scans) // 2]))
    traced = traced_of(scans, given, SETTINGS)
    with_confidence(traced, scans)
    began = time.process_time()
    with_confidence(traced, scans)
    spent_ms = 1e3 * (time.process_time() - began) / len(scans)
    boxes = len(Columns.of(traced, scans.world)) / len(scans)
    return f"{spent_ms:.1f} ms a sweep with {boxes:.0f} boxes in it"


def main() -> None:
    """Prints the tables; fits and writes where asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--write", "--train", "--again"):
        parser.add_argument(name, action="store_true")
    parser.add_argument("--cache", type=Path)
    options = parser.parse_args()
    cases = list(all_cases(options.cache, options.again))
    tuned = [case for case in cases if case.tuned]
    if options.train:
        TABLE.write_text(written(trained(tuned)), encoding="utf-8")
        Model.built_in.cache_clear()
    reported = [(case, judged(Model.built_in(), case)) for case in cases if not case.tuned]
    known = held_out(tuned)
    tables = {
        "reported": [HEADS["looks"], *look_rows(reported, by_kind=True)],
        "tuned": [HEADS["looks"], *look_rows(known, by_kind=False)],
        "scores": [HEADS["scores"], *score_rows([*reported, *known])],
        "thresholds": [HEADS["thresholds"], *threshold_rows(known)],
        "reasons": [HEADS["reasons"], *reason_rows(reported)],
    }
    text = {name: "\n".join(rows) for name, rows in tables.items()}
    print("\n\n".join(text.values()))
    if options.write:
        PAGE.write_text(PAGE_TEXT.format(**text, cost=cost(), least=LEAST), encoding="utf-8")
        print(f"wrote {PAGE.relative_to(REPOSITORY)}")


if __name__ == "__main__":
    main()
