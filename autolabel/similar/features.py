"""What is measured of every track: blocks of numbers, not yet brought to one scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autolabel.similar import look, motion, shape
from autolabel.similar.embedding import Embedding
from autolabel.similar.gather import ObjectCloud, gather
from autolabel.similar.views import ObjectView, views_of
from autolabel.world import LocalWorld
from calib.types import F32, F64
from fusion.labels import LabelSet, Track
from fusion.log import DriveLog
from fusion.progress import Progress

# What a block measures, and how many numbers it has; a change of what they mean changes the version.
VERSION = 1
BLOCKS: dict[str, int] = {
    "size": 3,
    "outline": shape.COLUMNS + 3 * shape.LAYERS,
    "occupancy": int(np.prod(shape.GRID)),
    "distances": shape.DISTANCES,
    "surfaces": shape.LOCAL,
    "brightness": shape.BRIGHTNESS + 2,
    "motion": motion.MOTION,
    "colours": look.HUES + look.GREYS,
    "gradients": look.GRADIENTS,
}
FROM_POINTS = frozenset({"outline", "occupancy", "distances", "surfaces", "brightness"})
FROM_IMAGES = frozenset({"colours", "gradients", "embedding"})
WIDTH = sum(BLOCKS.values())


def columns_of() -> dict[str, slice]:
    """Where each block stands in a row of features."""
    ends = np.cumsum([0, *BLOCKS.values()]).tolist()
    return {name: slice(a, b) for name, a, b in zip(BLOCKS, ends[:-1], ends[1:], strict=True)}


@dataclass(frozen=True, eq=False, slots=True)
class Features:
    """What was measured of the tracks of a log.

    Attributes:
        values: (N, WIDTH) float32, blocks in the order of `BLOCKS`; NaN where nothing can be told.
        points: (N,) float32 how many thinned points there are behind it.
        sides_px: (N,) float32 the shorter side of the object in its best image; 0 where none shows it.
        embeddings: (N, E) float32 of unit length, zeros without an image; E is 0 where nobody asked.
    """

    values: F32
    points: F32
    sides_px: F32
    embeddings: F32

    def __len__(self) -> int:
        return len(self.values)

    @classmethod
    def none(cls) -> Features:
        """Of no object."""
        return cls(*(np.zeros(shape, np.float32) for shape in ((0, WIDTH), 0, 0, (0, 0))))

    @classmethod
    def joined(cls, parts: Sequence[Features]) -> Features:
        """Those of several logs, one after the other; at least one."""
        columns = ("values", "points", "sides_px", "embeddings")
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in columns))


def features_of(
    log: DriveLog, labels: LabelSet, embedding: Embedding | None = None, progress: Progress | None = None
) -> Features:
    """Measures all tracks of a log that have boxes; sweeps and images are read one at a time.

    Raises:
        CrosslabelError: the embedding network does not answer as one.
    """
    tracks = described(labels)
    clouds = gather(log, tracks, progress)
    views = views_of(log, labels, tracks, [cloud.counts for cloud in clouds], progress)
    world = LocalWorld.of(log)
    values = np.array(
        [_row(world, *one) for one in zip(tracks, clouds, views, strict=True)], np.float32
    ).reshape(-1, WIDTH)
    seen = [None if view is None else view.rgb for view in views]
    return Features(
        values,
        np.array([len(cloud.points_box) for cloud in clouds], np.float32),
        np.array([0.0 if view is None else view.side_px for view in views], np.float32),
        np.zeros((len(tracks), 0), np.float32) if embedding is None else embedding.of(seen),
    )


def described(labels: LabelSet) -> Sequence[Track]:
    """The tracks that can be compared: those with boxes, by their ids."""
    return [labels.tracks[id] for id in sorted(labels.tracks) if labels.tracks[id].annotations]


def size_of(track: Track) -> F64:
    """(3,) median length, width, height of a track."""
    sizes = [annotation.box.size_lwh_m for annotation in track.annotations.values()]
    return np.asarray(np.median(sizes, axis=0), dtype=np.float64)


def _row(world: LocalWorld, track: Track, cloud: ObjectCloud, view: ObjectView | None) -> F64:
    size_lwh_m, points = size_of(track), cloud.points_box
    places = shape.relative(points, size_lwh_m)
    blocks = {
        "size": np.sqrt(size_lwh_m),
        "outline": shape.outline(places),
        "occupancy": shape.occupancy(places),
        "distances": shape.distances(points, size_lwh_m),
        "surfaces": shape.surfaces(points),
        "brightness": shape.brightness(cloud.brightness),
        "motion": motion.motion(world, track),
        "colours": np.full(BLOCKS["colours"], np.nan) if view is None else look.colours(view.rgb),
        "gradients": np.full(BLOCKS["gradients"], np.nan) if view is None else look.gradients(view.rgb),
    }
    return np.concatenate([blocks[name] for name in BLOCKS])
