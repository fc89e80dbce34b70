"""`crosslabel agree`: how well two people agree on the labels of one log."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from fusion.agreement import Given, Matching


class Overlap(StrEnum):
    """How the overlap of two boxes is measured."""

    BEV = "bev"
    SOLID = "3d"


class Frames(StrEnum):
    """Which frames are compared."""

    EITHER = "either"
    BOTH = "both"


class Classes(StrEnum):
    """What two classes are compared by."""

    NAME = "name"
    KIND = "kind"


def run(
    a: Annotated[Path, typer.Argument(help="Labels: a labels.db, a folder of them, or any label format.")],
    b: Annotated[Path, typer.Argument(help="Labels of the same log by someone else.")],
    log: Annotated[
        Path | None,
        typer.Option(help="The log or data set they belong to; labels.db and data sets do without."),
    ] = None,
    log_id: Annotated[str | None, typer.Option(help="Which log, where there are several.")] = None,
    frames: Annotated[
        Frames, typer.Option(help="Compare frames in which either has a box, or both have.")
    ] = Frames.EITHER,
    overlap: Annotated[Overlap, typer.Option(help="IoU from above or of volumes.")] = Overlap.BEV,
    min_iou: Annotated[
        list[str] | None,
        typer.Option(help="Least IoU of a pair, such as 0.6 or car=0.7. Default: 0.5, small things 0.3."),
    ] = None,
    classes: Annotated[
        Classes | None,
        typer.Option(help="Compare classes by name or by kind. Default: by name if any is in both."),
    ] = None,
    min_points: Annotated[int, typer.Option(min=0, help="Leave out boxes with fewer points.")] = 0,
    report: Annotated[Path | None, typer.Option(help="Write a page with pictures to this file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compare two label sets of one log, neither taken for the truth.

    Boxes are paired frame by frame. Prints F1, overlap, differences of centre, size and heading, Cohen's
    kappa and Krippendorff's alpha of classes, whether tracks stay together, and the worst objects.
    """
    import json

    from fusion.agreement import agree
    from scripts.agree_tables import as_dict, print_agreement
    from scripts.console import note, progress_bar
    from scripts.label_pairs import open_sets

    opened = open_sets([a, b], log, log_id)
    first, second = opened.given
    chosen = _frames(first, second, both=frames is Frames.BOTH)
    with progress_bar("reading") as progress:
        result = agree(
            first.labels,
            second.labels,
            log=opened.log,
            frames_ns=chosen,
            matching=_matching(overlap, min_iou or []),
            classes=None if classes is None else classes.value,
            min_points=min_points,
            progress=progress,
        )
    if result.classes == "kind" and classes is None:
        note("no class name is in both: classes are compared by kind")
    if report is not None:
        from scripts.agree_report import page
        from scripts.report import write_report

        write_report(report, page(opened, result))
        note(f"written: {report}")
    if as_json:
        print(json.dumps(as_dict(opened, result), indent=1))
    else:
        print_agreement(opened, result)


def _frames(a: Given, b: Given, both: bool) -> list[int]:
    from scripts.console import note

    first, second = set(a.labels.timestamps_ns()), set(b.labels.timestamps_ns())
    for one, missing in ((a, second - first), (b, first - second)):
        if missing:
            said = "left out" if both else "counted as disagreement; --frames both leaves them out"
            note(f"{one.name} has no box in {len(missing)} frames in which the other has some: {said}")
    return sorted(first & second if both else first | second)


def _matching(overlap: Overlap, limits: list[str]) -> Matching:
    from calib.errors import CrosslabelError
    from fusion.agreement import Matching
    from fusion.categories import Kind

    by_kind: dict[Kind, float] = {}
    large, small = Matching().large, Matching().small
    for text in limits:
        name, _, value = text.rpartition("=")
        try:
            limit = float(value)
            if name:
                by_kind[Kind(name)] = limit
            else:
                large = small = limit
        except ValueError:
            kinds = ", ".join(kind.value for kind in Kind)
            raise CrosslabelError(f"--min-iou {text}: a number or KIND=NUMBER; kinds are {kinds}") from None
    return Matching(overlap.value, large, small, by_kind)
