"""All detections of one kind in one log, in columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autolabel.world import LocalWorld
from calib.types import F64, I64, frozen
from fusion.boxes import Boxes
from fusion.categories import Kind, kind_of
from fusion.labels import Annotation, LabelSet


@dataclass(frozen=True, eq=False, slots=True)
class Detections:
    """Unconnected boxes in order of time, the surest of an instant first.

    Attributes:
        times_ns: (N,) int64, not falling.
        boxes: N boxes in the local world.
        scores: (N,) in 0..1.
        categories: N class names.
    """

    times_ns: I64
    boxes: Boxes
    scores: F64
    categories: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.times_ns)

    @classmethod
    def joined(cls, parts: Sequence[Detections]) -> Detections:
        """All of several, in order of time, the surest of an instant first."""
        several = [cls(np.zeros(0, np.int64), Boxes.stack(()), np.zeros(0), ()), *parts]
        times_ns = np.concatenate([part.times_ns for part in several])
        scores = np.concatenate([part.scores for part in several])
        boxes = Boxes.concatenate(part.boxes for part in several)
        categories = tuple(name for part in several for name in part.categories)
        return cls(times_ns, boxes, scores, categories).take(np.lexsort((-scores, times_ns)))

    def take(self, indices: I64) -> Detections:
        """Some of them."""
        categories = tuple(self.categories[i] for i in indices)
        return Detections(self.times_ns[indices], self.boxes.take(indices), self.scores[indices], categories)


def detections_by_kind(detections: LabelSet, world: LocalWorld) -> dict[Kind, Detections]:
    """Every annotation of a label set whose instant the world covers, by kind, in a fixed order."""
    found: dict[Kind, list[tuple[Annotation, str]]] = {kind: [] for kind in Kind}
    for track in detections.tracks.values():
        for annotation in track.annotations.values():
            found[kind_of(track.category)].append((annotation, track.category))
    return {kind: _columns(pairs, world) for kind, pairs in found.items() if pairs}


def _columns(pairs: list[tuple[Annotation, str]], world: LocalWorld) -> Detections:
    times_ns = np.array([a.timestamp_ns for a, _ in pairs], dtype=np.int64)
    scores = np.array([1.0 if a.score is None else a.score for a, _ in pairs])
    order = np.lexsort((-scores, times_ns))
    order = order[world.covers(times_ns[order])]
    times_ns = frozen(times_ns[order], np.int64)
    boxes = Boxes.stack(pairs[i][0].box for i in order)
    ego_from_box = boxes.dst_from_box
    local_from_box = world.local_from_ego(times_ns) @ ego_from_box
    categories = tuple(pairs[i][1] for i in order)
    return Detections(times_ns, Boxes(local_from_box, boxes.sizes_lwh_m), scores[order], categories)
