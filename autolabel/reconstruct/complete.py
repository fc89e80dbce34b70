"""A log's key frames and detections to labels at all frames."""

from __future__ import annotations

import numpy as np

from autolabel.config import Config
from autolabel.detections import Detections
from autolabel.reconstruct.followed import follow_single_boxes
from autolabel.reconstruct.keyframes import fill
from autolabel.scans import ENOUGH_SCANS, Scans
from autolabel.traced import Traced
from autolabel.track import TrackConfig, chains_of
from autolabel.world import LocalWorld
from calib.types import I64
from fusion.categories import Kind, kind_of
from fusion.labels import LabelSet
from fusion.progress import Progress
from fusion.stages import stage


def complete(
    scans: Scans,
    keyframes: LabelSet,
    detections: LabelSet | None = None,
    config: Config | None = None,
    progress: Progress | None = None,
) -> list[Traced]:
    """Completes the tracks of key frames with what detections and points tell.

    Objects of which a single box is given are followed by their points; of others `fill` tells the way
    between their boxes.
    """
    config, world = config or Config(), scans.world
    followed: dict[str, Traced] = {}
    if config.use_points and scans.share > ENOUGH_SCANS:
        followed = follow_single_boxes(keyframes, scans, config.points)
    return fill(
        keyframes,
        LabelSet() if detections is None else detections,
        world,
        config.reconstruct,
        lambda some: chains_by_kind(some, world, config.track),
        followed,
        progress,
    )


def chains_by_kind(detections: Detections, world: LocalWorld, tracking: TrackConfig) -> list[I64]:
    """Chains of detections that follow each other, each of one kind."""
    kinds = [kind_of(name) for name in detections.categories]
    chains: list[I64] = []
    with stage("track"):
        for kind in Kind:
            own = np.array([i for i, k in enumerate(kinds) if k is kind], dtype=np.int64)
            if len(own):
                parts = chains_of(detections.take(own), world.frames_ns, kind, world, tracking)
                chains += [own[part] for part in parts]
    return chains
