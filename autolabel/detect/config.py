"""Settings of the learning-free detector."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from autolabel.settings import Count, Positive, Settings, Share


class DetectConfig(Settings):
    """From scans to boxes.

    Attributes:
        range_m: nothing farther from the LiDAR is looked at.
        lowest_m: points nearer to the ground are left out.
        voxel_m: cells in which it is noted when something was there.
        stride: what stands is told from one in so many frames,
        least_frames: but from so many at least.
        standing_s: what stays in a cell this long stands still.
        standing_share: in at least this share of the frames between the first and the last.
        looks: in so many frames, evenly spread, it is checked where beams pass freely.
        free_share: what is seen through in more than this share of them does not stand there.
        restless_share: of the points of what seems to stand, so many may lie where nothing stands.
        fine_m: points of what stands are averaged in cells of this size.
        gap_m: things further apart than this are two, where many sweeps add up.
        gap_per_m: and how much more with each metre that the LiDAR stayed away.
        sweep_gap_m: the same in a single sweep, close to the car.
        sweep_gap_per_m: and how much more with each metre of distance.
        tall_m: what is higher is neither a car nor a person.
        right_hand: whether traffic keeps to the right: parked cars face as it goes.
        least_points: a cluster of fewer points is not looked at.
        least_seen: what stands is said to be there in frames that have so many points of it.
        least_score: boxes with a lower score are left out.
        survey_frames: a longer drive is surveyed in stretches of so many frames, each with a sixth more at
            both ends, so that what is kept of it, and how often each place is looked at, does not depend on
            its length.
    """

    range_m: Positive = 60.0
    lowest_m: Positive = 0.08
    voxel_m: Positive = 0.25
    stride: Count = 4
    least_frames: Annotated[int, Field(ge=3)] = 40
    standing_s: Positive = 0.8
    standing_share: Share = 0.4
    looks: Annotated[int, Field(ge=2)] = 16
    free_share: Share = 0.4
    restless_share: Share = 0.25
    fine_m: Positive = 0.06
    gap_m: Positive = 0.25
    gap_per_m: Positive = 0.006
    sweep_gap_m: Positive = 0.3
    sweep_gap_per_m: Positive = 0.008
    tall_m: Positive = 2.6
    right_hand: bool = True
    least_points: Count = 8
    least_seen: Count = 3
    least_score: Share = 0.1
    survey_frames: Annotated[int, Field(ge=30)] = 600
