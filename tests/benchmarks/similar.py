"""Search by example: how many of the first 20 are of the wanted kind, beside random order and plain size.

    python tests/benchmarks/similar.py SHARED_DATA [CACHE]

Everything was chosen on what `similar_table.py` names; here are other drives and other data.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
from similar_drives import REPORT, Objects, argoverse2, kept, pandaset, simulated

from autolabel.similar import Catalogue, Pool, Query, search
from calib.types import F64, I64

FIRST, EXAMPLES, ROUNDS = 20, 5, 30
Ranking = Callable[[Sequence[int], Sequence[int], I64], F64]


@dataclass(frozen=True, eq=False, slots=True)
class Trial:
    """Objects to look through.

    Attributes:
        objects: all of them.
        pool: the same, as it is searched.
    """

    objects: Objects
    pool: Pool

    @classmethod
    def of(cls, objects: Objects) -> Trial:
        """Objects under numbers for names."""
        count = len(objects.kinds)
        names, categories = tuple(f"{k:06}" for k in range(count)), ("",) * count
        return cls(objects, Pool.of([Catalogue("log", "", names, categories, objects.features)]))

    def by_size(self, liked: Sequence[int], unliked: Sequence[int], among: I64) -> F64:
        """(N,) scores by the distance of length, width and height from the nearest example."""
        sizes = self.objects.sizes_lwh_m
        return -np.linalg.norm(sizes[:, None] - sizes[list(liked)][None], axis=2).min(axis=1)

    def by_likeness(self, aspects: Sequence[str] = ()) -> Ranking:
        """Scores of a search."""

        def scores(liked: Sequence[int], unliked: Sequence[int], among: I64) -> F64:
            return search(self.pool, Query(liked, unliked, aspects), among).scores

        return scores


def precision(
    trial: Trial, kind: str, ranking: Ranking, examples: int, among: I64, unliked: int = 0
) -> float:
    """Mean share of the wanted kind in the first 20 (or as many as there are left), without the examples.

    One example: each object of the kind once. Several: drawn at random 30 times. The unliked are the first
    that the same examples alone bring up wrongly, as a person would mark them.
    """
    kinds = trial.objects.kinds
    members = np.array([k for k in among.tolist() if kind in kinds[k]])
    if len(members) < examples + 1:
        return float("nan")
    rng = np.random.default_rng(5)
    draws = (
        [[int(k)] for k in members]
        if examples == 1
        else [sorted(rng.choice(members, examples, replace=False).tolist()) for _ in range(ROUNDS)]
    )
    hits = []
    for liked in draws:
        wrong = []
        if unliked:
            order = _order(ranking(liked, (), among), among, liked)
            wrong = [k for k in order if kind not in kinds[k]][:unliked]
        order = _order(ranking(liked, wrong, among), among, [*liked, *wrong])
        count = min(FIRST, len(members) - examples)
        hits.append(np.mean([kind in kinds[k] for k in order[:count]]))
    return float(np.mean(hits))


def _order(scores: F64, among: I64, examples: Sequence[int]) -> list[int]:
    rest = np.setdiff1d(among, examples)
    return rest[np.argsort(-scores[rest], kind="stable")].tolist()


def kinds_in(objects: Objects, fewest: int) -> list[str]:
    """Kinds with some members, the most frequent first."""
    counts = Counter(kind for kinds in objects.kinds for kind in kinds)
    return [kind for kind, count in counts.most_common() if count >= fewest and count < len(objects.kinds)]


def table(trial: Trial, title: str, fewest: int = 3) -> None:
    """All kinds of a data set against all its objects."""
    everything = np.arange(len(trial.objects.kinds))
    ours = trial.by_likeness()
    print(f"\n{title}: {len(everything)} objects\n")
    print("| kind | objects | random | size, 1 | ours, 1 | size, 5 | ours, 5 | ours, 5 + 5 not |")
    print("|---|---|---|---|---|---|---|---|")
    rows = []
    for kind in kinds_in(trial.objects, fewest):
        count = sum(kind in kinds for kinds in trial.objects.kinds)
        row = [
            (count - 1) / (len(everything) - 1),
            precision(trial, kind, trial.by_size, 1, everything),
            precision(trial, kind, ours, 1, everything),
            precision(trial, kind, trial.by_size, EXAMPLES, everything),
            precision(trial, kind, ours, EXAMPLES, everything),
            precision(trial, kind, ours, EXAMPLES, everything, unliked=5),
        ]
        rows.append(row)
        print(f"| {kind} | {count} | " + " | ".join(_cell(value) for value in row) + " |", flush=True)
    print("| **mean** | | " + " | ".join(_cell(float(v)) for v in np.nanmean(rows, axis=0)) + " |")


def narrow(trial: Trial, title: str, asked: Sequence[tuple[str, str, str]]) -> None:
    """Kinds within a category, with the aspect named that tells them apart."""
    print(f"\n{title}\n")
    print("| kind | among | random | size, 5 | ours, 5 | aspect | ours, 1, aspect | ours, 5, aspect |")
    print("|---|---|---|---|---|---|---|---|")
    for kind, category, aspect in asked:
        among = np.array([k for k, kinds in enumerate(trial.objects.kinds) if category in kinds])
        count = sum(kind in trial.objects.kinds[k] for k in among)
        named = trial.by_likeness([aspect])
        row = [
            (count - 1) / (len(among) - 1),
            precision(trial, kind, trial.by_size, EXAMPLES, among),
            precision(trial, kind, trial.by_likeness(), EXAMPLES, among),
        ]
        last = [precision(trial, kind, named, examples, among) for examples in (1, EXAMPLES)]
        cells = [*map(_cell, row), aspect, *map(_cell, last)]
        print(f"| {kind} ({count}) | {category} ({len(among)}) | " + " | ".join(cells) + " |", flush=True)


def _cell(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.2f}"


def main(data: Path, cache: Path | None) -> None:
    """Prints the tables of docs/similar.md."""
    drives = [kept(cache, f"sim{seed}", lambda seed=seed: simulated(seed)) for seed in REPORT]  # type: ignore[misc]
    streets = Trial.of(Objects.joined(drives))
    table(streets, f"Simulated, seeds {REPORT.start} to {REPORT.stop - 1}")
    table(Trial.of(kept(cache, "pandaset", lambda: pandaset(data))), "PandaSet 002", 2)
    table(Trial.of(kept(cache, "argoverse2", lambda: argoverse2(data))), "Argoverse 2", 2)
    paints = [(f"{paint} car", "car", "colour") for paint in ("red", "blue", "white", "black")]
    motions = [("moving car", "car", "motion"), ("walking person", "pedestrian", "motion")]
    narrow(streets, "Simulated, within a category", [*paints, *motions])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
