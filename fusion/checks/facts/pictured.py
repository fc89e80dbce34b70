"""What 2D evidence in the images says of boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calib.types import F64, I64
from fusion.categories import Kind, kind_of
from fusion.checks.blame import Judgement, Views, judge, views_of
from fusion.checks.blame.pairs import overlaps
from fusion.checks.evidence import Evidence
from fusion.labels import LabelSet
from fusion.log import DriveLog


@dataclass(frozen=True, eq=False, slots=True)
class Pictured:
    """Boxes and rectangles, image by image.

    Attributes:
        evidence: one an image.
        views: every object that an image should show well.
        judgement: who is to blame for what does not agree.
        own_iou: (V,) how well a view overlaps the best rectangle of its own kind, 0 to 1.
        any_iou: (V,) the same of any kind.
        other: (V,) the class of the best rectangle of another kind, where that overlaps better.
    """

    evidence: tuple[Evidence, ...]
    views: Views
    judgement: Judgement
    own_iou: F64
    any_iou: F64
    other: tuple[str, ...]

    @classmethod
    def of(cls, log: DriveLog, labels: LabelSet, evidence: Sequence[Evidence]) -> Pictured:
        """Projects all labels into the images of the evidence, and judges what does not agree."""
        views = views_of(log, labels, evidence)
        kinds = [kind_of(track.category) for track in labels.tracks.values()]
        own, best, other = np.zeros(len(views)), np.zeros(len(views)), [""] * len(views)
        for image in np.unique(views.images).tolist():
            rows = np.flatnonzero(views.images == image)
            _compare(views, rows, evidence[image], kinds, own, best, other)
        return cls(tuple(evidence), views, judge(log, labels, evidence, views), own, best, tuple(other))


def _compare(
    views: Views, rows: I64, told: Evidence, kinds: Sequence[Kind], own: F64, best: F64, other: list[str]
) -> None:
    """Fills the columns of the views of one image."""
    seen = [kind_of(name) for name in told.categories]
    for row, shares in zip(rows.tolist(), overlaps(views.ltrb_px[rows], told.ltrb_px), strict=True):
        alike = np.array([kind is kinds[views.tracks[row]] for kind in seen], dtype=np.bool_)
        own[row] = shares.max(initial=0.0, where=alike)
        best[row] = shares.max(initial=0.0)
        if best[row] > own[row]:
            other[row] = told.categories[int(np.argmax(shares))]
