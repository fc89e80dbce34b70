"""Which detections are of one object."""

from __future__ import annotations

from autolabel.detections import Detections
from autolabel.track.columns import Columns
from autolabel.track.config import TrackConfig
from autolabel.track.link import linked
from autolabel.track.passes import tracklets
from autolabel.world import LocalWorld
from calib.types import I64
from fusion.categories import Kind

CAR_MPS = 20.0


def chains_of(
    detections: Detections, frames_ns: I64, kind: Kind, world: LocalWorld, settings: TrackConfig
) -> list[I64]:
    """For each object the indices of its detections, rising in time; the objects in order of appearance.

    Forward and backward passes, cut where they disagree, linked over gaps. Every detection of a frame
    that is no double is in one chain, however weak.
    """
    gait = settings.gait(kind)
    if without_poses(world):
        fastest_mps = gait.fastest_mps + CAR_MPS
        gait = gait.model_copy(update={"rolls": False, "fastest_mps": fastest_mps})
    columns = Columns.of(detections, frames_ns, world, gait, settings)
    if len(columns) == 0:
        return []
    chains = linked(tracklets(columns, settings), columns, settings)
    return [columns.indices[chain] for chain in chains]


def without_poses(world: LocalWorld) -> bool:
    """Whether a log does not know how the car moved: as seen from it, anything may move in any direction."""
    places = world.trajectory.world_from_ego.translations
    return bool((places == places[0]).all())
