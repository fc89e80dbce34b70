"""Settings of the checks on the car's own trajectory."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from autolabel.settings import Positive, Settings, Share


class MatchingConfig(Settings):
    """How scans are laid on the map of those before them.

    Attributes:
        nearest_m: what is nearer may be the car itself.
        farthest_m: what is farther is left out.
        kept_cell_m: of the points of a scan one in each cell of this size goes into the map.
        matched_cell_m: and one in each cell of this size is matched.
        coarse_cell_m: size of the planes that a first guess is matched with.
        fine_cell_m: size of those that decide.
        least_points: so many make a plane.
        most_points: a cell with so many stays as it is, so that the map does not follow its own drift.
        noise_m: how far from its plane a point lies.
        reach_m: the map ends this far from the car.
    """

    nearest_m: Positive = 3.0
    farthest_m: Positive = 80.0
    kept_cell_m: Positive = 0.5
    matched_cell_m: Positive = 1.2
    coarse_cell_m: Positive = 3.0
    fine_cell_m: Positive = 1.0
    least_points: Annotated[int, Field(ge=4)] = 6
    most_points: Annotated[int, Field(ge=4)] = 60
    noise_m: Positive = 0.03
    reach_m: Positive = 100.0


class EgoConfig(Settings):
    """When the car's poses are not believed.

    Attributes:
        matching: how scans are matched.
        jump_m: a pose this far from where its neighbours and the scans put it has jumped.
        jump_deg: or turned so much.
        sigmas: and so many times farther than the scans leave open.
        neighbours: frames on each side that a pose is compared with.
        drift_over_m: drift is measured over ways of this length.
        drift_share: poses that drift more than this share of the way do drift.
        drift_floor_m: beyond what single poses scatter.
        turn_floor_deg: the same of the heading.
        tilt_floor_deg: the same of pitch and roll.
        turn_deg_per_100m: and so much a way.
        moved_m: a car that went farther while its poses stand still has none.
        prior_m: how far a drifting trajectory may lie from the truth.
        prior_deg: the same of its turn.
    """

    matching: MatchingConfig = MatchingConfig()
    jump_m: Positive = 0.15
    jump_deg: Positive = 1.0
    sigmas: Positive = 5.0
    neighbours: Annotated[int, Field(ge=2)] = 10
    drift_over_m: Positive = 25.0
    drift_share: Share = 0.005
    drift_floor_m: Positive = 0.04
    turn_floor_deg: Positive = 0.3
    tilt_floor_deg: Positive = 0.6
    turn_deg_per_100m: Positive = 1.0
    moved_m: Positive = 1.0
    prior_m: Positive = 2.0
    prior_deg: Positive = 5.0
