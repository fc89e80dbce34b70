"""The self-test of `crosslabel calibrate`: disturbances of the given calibration, found again or not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from calib.refine import RefineOptions, View
    from calib.refine.trials import Trial
    from calib.se3 import SE3
    from fusion.progress import Progress


def run_trials(
    camera: str,
    views: Sequence[View],
    ego_from_cam: SE3,
    options: RefineOptions,
    count: int,
    seed: int,
    progress: Progress,
) -> dict[str, Any]:
    """Errors, acceptance and coverage over a number of disturbances, as they go into JSON."""
    from calib.refine.trials import trial

    trials = []
    for number in range(count):
        trials.append(trial(views, ego_from_cam, options, seed + number))
        progress(f"{camera} trials", number + 1, count)
    return summary(trials)


def summary(trials: Sequence[Trial]) -> dict[str, Any]:
    """Errors, acceptance and coverage."""
    import numpy as np

    from calib.refine.trials import coverage

    def errors(chosen: Sequence[Trial]) -> dict[str, float | None]:
        turns = np.degrees([t.error_rad for t in chosen])
        shifts = 100 * np.array([t.error_m for t in chosen])
        return {
            "median_deg": float(np.median(turns)) if len(turns) else None,
            "worst_deg": float(turns.max()) if len(turns) else None,
            "median_cm": float(np.median(shifts)) if len(shifts) else None,
            "worst_cm": float(shifts.max()) if len(shifts) else None,
        }

    accepted = [t for t in trials if t.accepted]
    refusals = Counter(t.reason for t in trials if not t.accepted)
    return {
        "trials": len(trials),
        "accepted": len(accepted),
        "all": errors(trials),
        "of_accepted": errors(accepted),
        "coverage_68": coverage(trials, 0.68) if accepted else None,
        "coverage_95": coverage(trials, 0.95) if accepted else None,
        "refusals": dict(refusals.most_common()),
    }


def print_trials(log_name: str, tested: dict[str, dict[str, Any]], as_json: bool) -> None:
    """A table for a person, or JSON."""
    import json

    if as_json:
        print(json.dumps({"log": log_name, "cameras": tested}, indent=1))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("camera", "accepted", "median", "worst", "median, all", "worst, all", "within 68 %", "95 %")
    for name, row in tested.items():
        kept, every = row["of_accepted"], row["all"]
        cells = [_size(kept, "median"), _size(kept, "worst"), _size(every, "median"), _size(every, "worst")]
        shares = [_percent(row["coverage_68"]), _percent(row["coverage_95"])]
        table.add_row(name, f"{row['accepted']} of {row['trials']}", *cells, *shares)
    Console(width=None if Console().is_terminal else 120).print(table)
    for name, row in tested.items():
        for reason, count in row["refusals"].items():
            print(f"{name}: {count} x left as it was: {reason}")


def _size(errors: dict[str, float | None], which: str) -> str:
    turn, shift = errors[f"{which}_deg"], errors[f"{which}_cm"]
    return "-" if turn is None or shift is None else f"{turn:.2f} deg {shift:.1f} cm"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"
