"""All boxes of a label set in columns, frame after frame."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from calib.types import F64, I64
from fusion.boxes import Boxes
from fusion.labels import LabelSet


@dataclass(frozen=True, eq=False, slots=True)
class Columns:
    """One row a box, in order of time, then of tracks.

    Attributes:
        frames_ns: (N,) int64, not falling.
        track_ids: whose each box is.
        categories: of those tracks.
        boxes: each in the ego frame of its own frame.
    """

    frames_ns: I64
    track_ids: tuple[str, ...]
    categories: tuple[str, ...]
    boxes: Boxes

    @classmethod
    def of(cls, labels: LabelSet, frames_ns: Collection[int] | None = None) -> Columns:
        """All boxes of the labels, or those in some frames."""
        wanted = None if frames_ns is None else set(frames_ns)
        rows = [
            (instant, track, annotation.box)
            for track in labels.tracks.values()
            for instant, annotation in track.annotations.items()
            if wanted is None or instant in wanted
        ]
        rows.sort(key=lambda row: row[0])
        return cls(
            np.array([instant for instant, _, _ in rows], dtype=np.int64),
            tuple(track.id for _, track, _ in rows),
            tuple(track.category for _, track, _ in rows),
            Boxes.stack(box for _, _, box in rows),
        )

    def __len__(self) -> int:
        return len(self.frames_ns)

    @property
    def range_m(self) -> F64:
        """(N,) distance of each box from the car, over ground."""
        return np.asarray(np.linalg.norm(self.boxes.dst_from_box.translations[:, :2], axis=1))

    def rows_at(self, frame_ns: int) -> slice:
        """The rows of one frame."""
        first = np.searchsorted(self.frames_ns, frame_ns, side="left")
        return slice(int(first), int(np.searchsorted(self.frames_ns, frame_ns, side="right")))
