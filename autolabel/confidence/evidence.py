"""What speaks for and against each box, and each track, in numbers with names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autolabel.confidence.columns import Columns
from autolabel.confidence.looks import Looks
from autolabel.confidence.shown import shown_of
from autolabel.confidence.told import of_detections, of_motion, of_times, of_track
from autolabel.traced import Traced
from autolabel.world import LocalWorld
from calib.types import F64, I64


@dataclass(frozen=True, eq=False, slots=True)
class Evidence:
    """Columns of evidence by name; NaN where something is not known.

    Attributes:
        boxes: (N,) each, of every box.
        tracks: (K,) each, of every track.
    """

    boxes: dict[str, F64]
    tracks: dict[str, F64]

    @classmethod
    def of(cls, traced: Sequence[Traced], columns: Columns, looks: Looks, world: LocalWorld) -> Evidence:
        """Gathers the evidence of all tracks."""
        boxes: list[dict[str, F64]] = []
        tracks: list[dict[str, float]] = []
        for number, one in enumerate(traced):
            rows = columns.of_track(number)
            if rows.stop == rows.start:
                continue
            own = columns.take(rows)
            of_boxes, of_object = shown_of(own, looks.take(rows))
            motion, moved = of_motion(own, world)
            boxes.append(of_boxes | motion | of_times(own, one, world))
            tracks.append(of_object | moved | of_track(own, one) | of_detections(own, one))
        full = np.flatnonzero(np.diff(columns.starts))
        return cls(
            {name: np.concatenate([part[name] for part in boxes]) for name in (boxes[0] if boxes else ())},
            {
                name: _spread([part[name] for part in tracks], full, len(traced))
                for name in (tracks[0] if tracks else ())
            },
        )

    def columns(self, rows: I64, owners: I64) -> dict[str, F64]:
        """All evidence of some boxes, (M,) each; what is told of their tracks is repeated."""
        of_boxes = {name: values[rows] for name, values in self.boxes.items()}
        return of_boxes | {name: values[owners] for name, values in self.tracks.items()}


def _spread(values: list[float], places: I64, count: int) -> F64:
    """(count,) values at their places, NaN elsewhere."""
    whole = np.full(count, np.nan)
    whole[places] = values
    return whole
