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
    """One table a log: a row a class, then all together."""
    from rich.console import Console
    from rich.table import Table

    rows = result.as_dict()
    table = Table(title=f"{name}: labels against the truth", title_justify="left")
    columns = {
        "class": None,
        "true boxes": "true_boxes",
        "mean IoU": "mean_iou_3d",
        "recall .5": "recall_iou_50",
        "recall .7": "recall_iou_70",
        "precision .5": "precision_iou_50",
        "centre m": "centre_error_m",
        "yaw deg": "yaw_error_deg",
        "size m": "size_error_m",
        "id switches": "id_switches",
    }
    for title in columns:
        table.add_column(title, justify="left" if title == "class" else "right")
    for label, row in [*rows["classes"].items(), ("all", rows["all"])]:
        cells = [label]
        for key in [key for key in columns.values() if key is not None]:
            value = row[key]
            cells.append("-" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value))
        table.add_row(*cells, style="bold" if label == "all" else None)
    Console(width=None if Console().is_terminal else 120).print(table)
