"""Settings of what an object's own points say."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from autolabel.settings import Positive, Settings
from fusion.categories import Kind


class SurfaceConfig(Settings):
    """How the points of a kind of object lie on it, and how it moves from frame to frame.

    Attributes:
        cell_m: size of the cells in which the surface is described.
        floor_m: how far points lie off the described surface at least.
        faces: weight, in points, of the faces of the box as a guess of the surface; 0 for what is no box.
        margin_m: how far around the box points are looked at.
        most_points: of one object in one frame; more are thinned evenly.
        sigma_m: how far from the truth an alignment is at best.
        sigma_rad: how far its heading is.
        turns: whether points tell the heading.
        acceleration: white-noise acceleration from frame to frame, m/s^2 in a root second.
        turning: white-noise acceleration of the heading, rad/s^2 in a root second.
        slip_mps: how fast it moves across its heading; 0 where it moves in any direction.
        fastest_mps: speeds that are looked for.
        together: so many points of one surface err together.
    """

    cell_m: Positive = 0.35
    floor_m: Positive = 0.06
    faces: float = 0.5
    margin_m: Positive = 0.5
    most_points: Annotated[int, Field(ge=20)] = 400
    sigma_m: Positive = 0.03
    sigma_rad: Positive = 0.04
    turns: bool = True
    acceleration: Positive = 3.0
    turning: Positive = 0.2
    slip_mps: float = 0.15
    fastest_mps: Positive = 30.0
    together: Positive = 32.0


VEHICLE = SurfaceConfig()
CYCLE = SurfaceConfig(
    cell_m=0.2,
    floor_m=0.08,
    faces=0.0,
    most_points=300,
    sigma_m=0.05,
    sigma_rad=0.05,
    turning=0.6,
    slip_mps=0.4,
    fastest_mps=12.0,
    together=4.0,
)
WALKER = SurfaceConfig(
    cell_m=0.2,
    floor_m=0.1,
    faces=0.0,
    margin_m=0.35,
    most_points=150,
    sigma_m=0.05,
    turns=False,
    acceleration=1.5,
    turning=1.0,
    slip_mps=0.0,
    fastest_mps=3.0,
    together=12.0,
)
THING = WALKER.model_copy(update={"cell_m": 0.15, "floor_m": 0.05, "acceleration": 0.3})

SURFACES: dict[Kind, SurfaceConfig] = {
    Kind.MOTORCYCLE: CYCLE,
    Kind.BICYCLE: CYCLE,
    Kind.PEDESTRIAN: WALKER,
    Kind.ANIMAL: WALKER,
    Kind.OTHER: WALKER,
    Kind.CONE: THING,
    Kind.BARRIER: THING,
}


class PointsConfig(Settings):
    """Following objects by their points.

    Attributes:
        surfaces: by kind; what is not named is a vehicle.
        least_fit: points that must fit for an object to count as found in a frame.
        least_share: share of the points in its box that must fit.
        lost_s: an object not found for so long is looked for no more.
        static_gain: how much better a motion must explain the frames around the seed than rest does.
    """

    surfaces: dict[Kind, SurfaceConfig] = Field(default_factory=lambda: dict(SURFACES))
    least_fit: Positive = 2.0
    least_share: Positive = 0.35
    lost_s: Positive = 4.0
    static_gain: Positive = 1.1

    def of(self, kind: Kind) -> SurfaceConfig:
        """The settings of a kind."""
        return self.surfaces.get(kind, VEHICLE)
