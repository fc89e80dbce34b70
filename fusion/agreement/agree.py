"""How well two people, or two programs, agree on the labels of one log."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from calib.errors import CrosslabelError
from calib.types import I64, Bools
from fusion.agreement.columns import Columns
from fusion.agreement.compared import Compared
from fusion.agreement.figures import Figures, confusion, figures, figures_of_class
from fusion.agreement.identity import Identity, identity
from fusion.agreement.match import Matching, Units, match
from fusion.agreement.worst import WorstFrame, WorstTrack, worst_frames, worst_tracks
from fusion.align import points_in_ego, read_deskewed
from fusion.labels import LabelSet
from fusion.log import DriveLog
from fusion.overlap import count_points_in_boxes
from fusion.progress import Progress

BANDS_M = (20.0, 40.0, 80.0)
Classes = Literal["name", "kind"]


@dataclass(frozen=True, eq=False, slots=True)
class Agreement:
    """How two sets agree.

    Attributes:
        frames: how many were compared.
        classes: whether classes were compared by name or by the kind behind the name.
        overall: over all boxes.
        by_class: of each class that occurs, by its name.
        by_band: of each band of distance from the car.
        confusion: how often each pair of classes occurs, first and second, None where one has no box.
        identity: how tracks go together.
        tracks: objects, the worst first.
        frames_worst_first: frames, the worst first.
        compared: the two sets, unit by unit.
    """

    frames: int
    classes: Classes
    overall: Figures
    by_class: Mapping[str, Figures]
    by_band: Mapping[str, Figures]
    confusion: Mapping[tuple[str | None, str | None], int]
    identity: Identity
    tracks: list[WorstTrack]
    frames_worst_first: list[WorstFrame]
    compared: Compared


def agree(
    a: LabelSet,
    b: LabelSet,
    *,
    log: DriveLog | None = None,
    frames_ns: Collection[int] | None = None,
    matching: Matching | None = None,
    classes: Classes | None = None,
    min_points: int = 0,
    bands_m: tuple[float, ...] = BANDS_M,
    progress: Progress | None = None,
) -> Agreement:
    """Compares two label sets of one log; neither is taken for the truth.

    Args:
        a: by one.
        b: by the other.
        log: needed for `min_points`.
        frames_ns: the frames compared; all in which either has a box unless given.
        matching: when two boxes are one object.
        classes: compared by name or by kind; by name unless the sets have no name in common.
        min_points: objects that fewer points lie on, in both sets' boxes, are left out.
        bands_m: where bands of distance end.
        progress: told how many sweeps were read, where points are counted.

    Raises:
        CrosslabelError: points are asked for and there is no log.
    """
    if min_points > 0 and log is None:
        raise CrosslabelError("counting points in boxes needs the log with its sweeps")
    rows_a, rows_b = Columns.of(a, frames_ns), Columns.of(b, frames_ns)
    units = match(rows_a, rows_b, matching)
    if log is not None and min_points > 0:
        units = units.take(_most_points(log, rows_a, rows_b, units, progress) >= min_points)
    chosen = classes or _usual_classes(rows_a, rows_b)
    compared = Compared.of(rows_a, rows_b, units, chosen == "kind")
    together = identity(compared)
    counted = {*rows_a.frames_ns.tolist(), *rows_b.frames_ns.tolist()} if frames_ns is None else frames_ns
    return Agreement(
        frames=len(counted),
        classes=chosen,
        overall=figures(compared),
        by_class={
            name: figures_of_class(compared, code)
            for code, name in enumerate(compared.classes)
            if ((compared.class_a == code) | (compared.class_b == code)).any()
        },
        by_band={name: figures(compared.take(which)) for name, which in _bands(compared, bands_m).items()},
        confusion=confusion(compared),
        identity=together,
        tracks=worst_tracks(compared, together.partners),
        frames_worst_first=worst_frames(compared, together.partners),
        compared=compared,
    )


def _usual_classes(a: Columns, b: Columns) -> Classes:
    strangers = not set(a.categories) & set(b.categories)
    return "kind" if strangers and len(a) and len(b) else "name"


def _bands(compared: Compared, ends_m: tuple[float, ...]) -> dict[str, Bools]:
    found = {}
    for near_m, far_m in pairwise((0.0, *ends_m, np.inf)):
        name = f"{near_m:g}-{far_m:g} m" if np.isfinite(far_m) else f"> {near_m:g} m"
        found[name] = (compared.range_m >= near_m) & (compared.range_m < far_m)
    return found


def _most_points(log: DriveLog, a: Columns, b: Columns, units: Units, progress: Progress | None) -> I64:
    """(U,) the points in the fuller of each unit's boxes; 0 in frames without a sweep."""
    inside_a, inside_b = np.zeros(len(a) + 1, np.int64), np.zeros(len(b) + 1, np.int64)
    frames_ns = np.union1d(a.frames_ns, b.frames_ns).tolist()
    for number, frame_ns in enumerate(frames_ns):
        if progress is not None:
            progress("sweeps", number, len(frames_ns))
        ref = log.sweep_at(frame_ns)
        if ref is None:
            continue
        cloud = points_in_ego(log, read_deskewed(log, ref))
        for inside, columns in ((inside_a, a), (inside_b, b)):
            rows = columns.rows_at(frame_ns)
            inside[rows] = count_points_in_boxes(cloud, columns.boxes.take(rows))
    # Row -1, of a box that is not there, is the zero at the end.
    return np.maximum(inside_a[units.a], inside_b[units.b])
