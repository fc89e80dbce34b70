"""What `crosslabel rank` brings to the top: objects of rare kinds, and wrong classes, beside random order.

python tests/benchmarks/similar_rank.py SHARED_DATA [CACHE]
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
from similar_drives import REPORT, Objects, argoverse2, kept, pandaset, simulated

from autolabel.similar import Catalogue, Doubt, ObjectId, Pool, Worth, worths

FIRST, ROUNDS, WRONG, RARE = 20, 10, 0.05, 0.1
NOTHING = Doubt(None, 0.0, 1, "")


def ranked(objects: Objects, classes: list[str]) -> list[Worth]:
    """All objects under numbers for names, whose labels say nothing of themselves."""
    names = tuple(f"{k:06}" for k in range(len(classes)))
    pool = Pool.of([Catalogue("log", "", names, tuple(classes), objects.features)])
    return worths(pool, dict.fromkeys((ObjectId("log", name) for name in names), NOTHING))


def row(title: str, objects: Objects, classes: list[str]) -> None:
    """Of the first 20: how many are of a class that has less than a tenth of all, and of a wrong class."""
    counts = Counter(classes)
    rare = [counts[one] < RARE * len(classes) for one in classes]
    found = np.mean([rare[int(one.id.track)] for one in ranked(objects, classes)[:FIRST]])
    rng = np.random.default_rng(0)
    hits = []
    for _ in range(ROUNDS):
        wrong = rng.choice(len(classes), max(1, round(WRONG * len(classes))), replace=False).tolist()
        said = [*classes]
        for k in wrong:
            said[k] = str(rng.choice(sorted(set(classes) - {classes[k]})))
        odd = sorted(ranked(objects, said), key=lambda one: (-one.odd, -one.worth))
        most = min(FIRST, len(wrong))
        hits.append(np.mean([int(one.id.track) in wrong for one in odd[:most]]))
    shares = (np.mean(rare), found, WRONG, np.mean(hits))
    print(f"| {title} | {len(classes)} | " + " | ".join(f"{share:.2f}" for share in shares) + " |")


def main(data: Path, cache: Path | None) -> None:
    """Prints the table of docs/similar.md."""
    drives = [kept(cache, f"sim{seed}", lambda seed=seed: simulated(seed)) for seed in REPORT]  # type: ignore[misc]
    streets = Objects.joined(drives)
    basic = ("car", "pedestrian", "cyclist", "truck", "bus")
    print("| data | objects | rare, random | rare, first 20 | wrong, random | wrong, first by `odd` |")
    print("|---|---|---|---|---|---|")
    row("simulated", streets, [next(name for name in basic if name in kinds) for kinds in streets.kinds])
    for title, objects in (
        ("PandaSet 002", kept(cache, "pandaset", lambda: pandaset(data))),
        ("Argoverse 2", kept(cache, "argoverse2", lambda: argoverse2(data))),
    ):
        row(title, objects, [min(kinds, key=len) for kinds in objects.kinds])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
