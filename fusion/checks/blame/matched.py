"""Objects whose rectangle is known twice: as the 3D box says, and as the evidence says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from calib.rig import Rig
from calib.types import F64, I64, Bools
from fusion.checks.blame.pairs import named, paired
from fusion.checks.blame.regress import MAD
from fusion.checks.blame.views import Views
from fusion.checks.evidence import Evidence
from fusion.labels import LabelSet

# What is expected of edges, in pixels and as a share of the size, before the evidence is known; and at least.
NOISE, LEAST_NOISE = (1.5, 0.03), (0.5, 0.005)
SIZE_CLASSES, FEWEST_IN_CLASS = 8, 40
# An object whose rectangles differ more than this in width or height is partly hidden, or another one.
LIKE = 0.75


@dataclass(frozen=True, eq=False, slots=True)
class Matched:
    """N objects in images, each with both rectangles.

    Attributes:
        views: N, as the boxes say.
        columns: (N,) which rectangle of the evidence of its image.
        seen_px: (N, 4) that rectangle.
        usable: (N, 4) which edges can be compared: neither cut off nor hidden, and of things that look alike.
        noise: how far edges of the evidence stray, in pixels and as a share of the size.
    """

    views: Views
    columns: I64
    seen_px: F64
    usable: Bools
    noise: tuple[float, float] = NOISE

    def __len__(self) -> int:
        return len(self.columns)

    @property
    def residuals_px(self) -> F64:
        """(N, 4) observed less projected."""
        return np.asarray(self.seen_px - self.views.ltrb_px)

    @property
    def sizes_px(self) -> F64:
        """(N, 4) of the projected rectangle across each of its edges."""
        size_px = self.views.ltrb_px[:, 2:] - self.views.ltrb_px[:, :2]
        return np.hstack([size_px, size_px])

    @property
    def sigmas_px(self) -> F64:
        """(N, 4) what is expected of residuals where nothing is wrong."""
        return np.asarray(np.hypot(self.noise[0], self.noise[1] * self.sizes_px))


def noise_of(rest_px: F64, sizes_px: F64) -> tuple[float, float]:
    """How far edges stray, in pixels and as a share of the size, from (M,) unexplained residuals."""
    classes = min(SIZE_CLASSES, len(rest_px) // FEWEST_IN_CLASS)
    if classes < 3:
        return NOISE
    parts = np.array_split(np.argsort(sizes_px, kind="stable"), classes)
    squares_px = np.array([(MAD * np.median(np.abs(rest_px[part]))) ** 2 for part in parts])
    known = np.column_stack([np.ones(classes), [np.median(sizes_px[part]) ** 2 for part in parts]])
    weigh = 1 / np.maximum(squares_px, LEAST_NOISE[0] ** 2)
    found = np.linalg.lstsq(known * weigh[:, None], squares_px * weigh, rcond=None)[0]
    even, share = (float(np.sqrt(max(value, 0.0))) for value in found)
    return max(even, LEAST_NOISE[0]), max(share, LEAST_NOISE[1])


def matched(
    rig: Rig,
    labels: LabelSet,
    evidence: Sequence[Evidence],
    views: Views,
    moved_px: F64 | None = None,
    noise: tuple[float, float] = NOISE,
) -> Matched:
    """Finds what shows what: by the ids of tracks where the evidence has them, else by overlap.

    Args:
        rig: with the cameras.
        labels: of the views.
        evidence: of the views.
        views: as the boxes say.
        moved_px: (V, 4) by how much the edges of the views are known to be off.
        noise: of the evidence, as far as it is known.
    """
    expected_px = views.ltrb_px if moved_px is None else views.ltrb_px + moved_px
    tracks = list(labels.tracks.values())
    rows, columns = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    order = np.argsort(views.images, kind="stable")
    images, starts = np.unique(views.images[order], return_index=True)
    for image, here in zip(images.tolist(), np.split(order, starts[1:]), strict=bool(len(images))):
        told = evidence[image]
        those = [tracks[track] for track in views.tracks[here].tolist()]
        if told.track_ids is not None:
            found = named([track.id for track in those], told.track_ids)
        else:
            categories = [track.category for track in those]
            found = paired(expected_px[here], categories, told.ltrb_px, told.categories, told.scores)
        rows.append(here[found[0]])
        columns.append(found[1])
    row, column = np.concatenate(rows), np.concatenate(columns)
    return replace(_compared(rig, evidence, views.take(row), expected_px[row], column), noise=noise)


def _compared(
    rig: Rig, evidence: Sequence[Evidence], views: Views, expected_px: F64, columns: I64
) -> Matched:
    seen_px, cut = np.empty((len(views), 4)), np.empty((len(views), 4), np.bool_)
    models = [camera.model for camera in rig.cameras.values()]
    for image in np.unique(views.images).tolist():
        mine, told = views.images == image, evidence[image]
        model = models[int(views.cameras[mine][0])]
        seen_px[mine] = told.ltrb_px[columns[mine]]
        cut[mine] = told.cut(model.width_px, model.height_px)[columns[mine]]
    size_px, seen_size_px = (ltrb[:, 2:] - ltrb[:, :2] for ltrb in (expected_px, seen_px))
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.minimum(size_px / seen_size_px, seen_size_px / size_px)
    like = np.tile(ratio > LIKE, (1, 2))
    # Where one edge is cut off, the size cannot tell whether the other one is hidden.
    whole = ~cut & views.free
    both = np.tile(whole[:, :2] & whole[:, 2:], (1, 2))
    usable = whole & (like | ~both) & np.isfinite(seen_px)
    return Matched(views, columns, np.nan_to_num(seen_px), usable)
