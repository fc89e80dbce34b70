"""Makes `autolabel/similar/table.json`: the averages and spreads of features on what is chosen on.

python tests/benchmarks/similar_table.py SHARED_DATA [CACHE]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
from similar_drives import CHOOSE, Objects, kept, simulated, sustech

from autolabel.similar.scale import Scale

FEWEST = 3
MAKES_AND_OTHERS = (
    *("saloon", "hatchback", "estate", "suv", "minivan", "van", "truck", "bus", "cyclist"),
    *("walking person", "standing person"),
)
SUSTECH = ("Car", "Pedestrian", "Rider")
TABLE = Path(__file__).parents[2] / "autolabel" / "similar" / "table.json"


def chosen_on(data: Path, cache: Path | None) -> list[Objects]:
    """The simulated drives of low seeds, and SUSTechPOINTS' example."""
    drives = [kept(cache, f"sim{seed}", lambda seed=seed: simulated(seed)) for seed in CHOOSE]  # type: ignore[misc]
    return [*drives, kept(cache, "sustech", lambda: sustech(data))]


def main(data: Path, cache: Path | None) -> None:
    """Writes the table."""
    parts = chosen_on(data, cache)
    starts = np.cumsum([0, *(len(part.kinds) for part in parts)])
    # Two halves of the drives, and the real frames: what differs between sensors is no matter of kind.
    halves = [
        range(0, len(parts) // 2),
        range(len(parts) // 2, len(parts) - 1),
        range(len(parts) - 1, len(parts)),
    ]
    rows = [
        np.array([starts[p] + k for p in half for k, kinds in enumerate(parts[p].kinds) if kind in kinds])
        for half in halves
        for kind in ((*MAKES_AND_OTHERS,) if half.stop < len(parts) else SUSTECH)
    ]
    scale = Scale.of(Objects.joined(parts).features, [some for some in rows if len(some) >= FEWEST])
    table = {
        "mean": [round(float(v), 5) for v in scale.mean],
        "spread": [round(float(v), 5) for v in scale.spread],
        "within": {name: round(value, 5) for name, value in scale.within.items()},
        "total": {name: round(value, 5) for name, value in scale.total.items()},
    }
    TABLE.write_text(json.dumps(table) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
