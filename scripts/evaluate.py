"""`crosslabel evaluate`: how near labels come to the truth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from fusion.evaluate import Evaluation


def run(
    labels: Annotated[Path, typer.Argument(help="A labels.db, a folder of them, or any label format.")],
    truth: Annotated[Path, typer.Option(help="The data set with the true labels.")],
    log: Annotated[list[str] | None, typer.Option(help="Only this log (may be repeated).")] = None,
    format: Annotated[str | None, typer.Option(help="Format of the truth, if not recognised.")] = None,
    all_frames: Annotated[bool, typer.Option("--all-frames", help="Count the given key frames too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compare labels with the truth: overlap, recall, precision, errors of centre, heading and size.

    Key frames that were given to `crosslabel autolabel` are left out, as they are right by construction.
    """
    import json

    from formats.errors import FormatError
    from fusion.evaluate import evaluate
    from scripts.console import note
    from scripts.logs import labels_of, open_logs

    results: dict[str, Evaluation] = {}
    for source, drive in open_logs(truth, format, log):
        if source.read_labels is None:
            raise FormatError(truth, "", f"{source.title} holds no labels that can be read")
        claimed = labels_of(labels, drive)
        left_out = [] if all_frames else given_keyframes_ns(labels, drive.name)
        if left_out:
            note(f"{drive.name}: {len(left_out)} given key frames left out")
        true_labels = source.read_labels(truth, drive)
        results[drive.name] = evaluate(claimed, true_labels, drive, leave_out_ns=left_out)
    if as_json:
        print(json.dumps({name: result.as_dict() for name, result in results.items()}, indent=1))
        return
    for name, result in results.items():
        print_evaluation(name, result)


def given_keyframes_ns(labels: Path, log_name: str) -> list[int]:
    """Instants of the key frames that a run of `autolabel` was given, from the run.json beside the labels."""
    import json

    folder = labels.parent if labels.is_file() else labels
    for candidate in (folder / log_name / "run.json", folder / "run.json"):
        if not candidate.is_file():
            continue
        try:
            record = json.loads(candidate.read_text(encoding="utf-8"))
            if record["log"] == log_name:
                return [int(t) for t in record["keyframes_ns"]]
        except (ValueError, KeyError, TypeError):
            continue
    return []


def print_evaluation(name: str, result: Evaluation) -> None:
    """One table a log: a row a kind, then all together."""
    import math

    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"{name}: labels against the truth", title_justify="left")
    titles = ("kind", "true", "labels", "mean IoU", "recall .5", "recall .7", "precision .5")
    for title in (*titles, "centre m", "yaw deg", "flips", "size m", "id switches"):
        table.add_column(title, justify="left" if title == "kind" else "right", no_wrap=title == "kind")
    rows = {**{kind.value: score for kind, score in result.by_kind.items()}, "all": result.overall}
    for kind, score in rows.items():
        shares = (score.mean_iou, score.recall_50, score.recall_70, score.precision_50)
        errors = (score.center_m, math.degrees(score.yaw_rad), score.flips, score.size_m)
        figures = ["-" if math.isnan(value) else f"{value:.3f}" for value in (*shares, *errors)]
        cells = (kind, str(score.truth), str(score.labels), *figures, str(score.id_switches))
        table.add_row(*cells, style="bold" if kind == "all" else None)
    Console(width=None if Console().is_terminal else 130).print(table)
