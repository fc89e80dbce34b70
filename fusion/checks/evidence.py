"""What is known of images in 2D: rectangles that people drew or a network found."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from calib.errors import CrosslabelError
from calib.types import F64, Bools, frozen
from fusion.labels import LabelSet, Source

BORDER_PX = 2.0


@dataclass(frozen=True, eq=False, slots=True)
class Evidence:
    """What one image shows, as rectangles that do not come from 3D boxes.

    Attributes:
        camera: name in the rig.
        timestamp_ns: of the image, as in the log.
        ltrb_px: (M, 4) left, top, right, bottom; the centre of the first pixel is (0, 0).
        categories: M class names.
        scores: (M,) how sure each is, 0 to 1; ones where nothing is said.
        track_ids: M ids of tracks where they are known, None where not.

    Raises:
        CrosslabelError: the columns differ in length.
    """

    camera: str
    timestamp_ns: int
    ltrb_px: F64
    categories: tuple[str, ...]
    scores: F64 | None = None
    track_ids: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        ltrb_px = frozen(self.ltrb_px, np.float64).reshape(-1, 4)
        scores = np.ones(len(ltrb_px)) if self.scores is None else self.scores
        object.__setattr__(self, "ltrb_px", ltrb_px)
        object.__setattr__(self, "scores", frozen(scores, np.float64))
        ids = self.categories if self.track_ids is None else self.track_ids
        if not len(ltrb_px) == len(self.categories) == len(scores) == len(ids):
            raise CrosslabelError(f"{self.camera}: rectangles, classes, scores and ids differ in number")

    def __len__(self) -> int:
        return len(self.ltrb_px)

    def cut(self, width_px: int, height_px: int) -> Bools:
        """(M, 4) which edges lie on the border of the image, so that the object may go on beyond."""
        last_px = np.array([width_px, height_px], dtype=np.float64) - 1
        low, high = self.ltrb_px[:, :2] <= BORDER_PX, self.ltrb_px[:, 2:] >= last_px - BORDER_PX
        return np.hstack([low, high])


def evidence_in(labels: LabelSet) -> list[Evidence]:
    """The rectangles of a label set that people drew or that came with a data set, image by image.

    Those that were computed from 3D boxes say nothing about these and are left out.
    """
    told: defaultdict[tuple[str, int], list[tuple[str, str, list[float]]]] = defaultdict(list)
    for track in labels.tracks.values():
        for key, box in track.image_boxes.items():
            if box.source in (Source.HUMAN, Source.IMPORTED):
                ltrb_px = [box.left_px, box.top_px, box.right_px, box.bottom_px]
                told[key].append((track.id, track.category, ltrb_px))
    return [_of_image(*key, told[key]) for key in sorted(told)]


def _of_image(camera: str, timestamp_ns: int, told: Iterable[tuple[str, str, list[float]]]) -> Evidence:
    track_ids, categories, ltrb_px = zip(*told, strict=True)
    return Evidence(camera, timestamp_ns, np.array(ltrb_px), categories, track_ids=track_ids)
