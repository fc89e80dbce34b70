"""Settings of laying several drives through one place on each other."""

from __future__ import annotations

from autolabel.ego.config import MatchingConfig
from autolabel.settings import Count, Positive, Settings, Share

STANDING = MatchingConfig(farthest_m=60.0, reach_m=1e9)


class SearchConfig(Settings):
    """How trips whose poses are metres off find each other.

    Attributes:
        cell_m: of the view from above in which they are compared.
        standing_m: what rises so far above the lowest point of its cell stands there.
        tallest_m: what is taller counts as so tall.
        reach_m: how far off the poses may be.
        turn_deg: and how far turned.
        step_deg: between the turns that are tried.
        stretch_m: of the way, which is compared as a whole.
        stretches: at most so many are tried.
        peaks: of each stretch so many places are looked at closely.
    """

    cell_m: Positive = 0.5
    standing_m: Positive = 0.7
    tallest_m: Positive = 3.0
    reach_m: Positive = 14.0
    turn_deg: Positive = 6.0
    step_deg: Positive = 1.0
    stretch_m: Positive = 20.0
    stretches: Count = 8
    peaks: Count = 4


class AlignConfig(Settings):
    """How the poses of a trip are laid on those of others.

    Attributes:
        matching: how single scans are laid on the map of the others.
        search: how the first of them finds its place.
        station_m: a scan every so many metres of the way is used.
        near_m: a scan farther than this from all others' has nothing to be laid on.
        least_share: of its points so many must meet something known.
        least_agreement: of what stands around it so much must stand there on the other trip too.
        least_trip_agreement: and so much on the whole: streets are built alike.
        least_stations: trips that meet at fewer places do not meet.
        sigma_m: how well a scan is laid at best.
        sigma_deg: the same of its turn.
        drift_share: how fast the poses of a trip drift, as a share of the way.
        drift_deg_per_m: and turn.
        step_m: by how much a single pose may be off whatever the way.
        step_deg: the same of its turn.
        loop_m: a trip that is near a place again after so much way has come back to it.
        loop_near_m: so near.
        outlier_sigmas: a scan so far from where its neighbours are laid counts little.
    """

    matching: MatchingConfig = STANDING
    search: SearchConfig = SearchConfig()
    station_m: Positive = 1.0
    near_m: Positive = 25.0
    least_share: Share = 0.25
    least_agreement: Share = 0.6
    least_trip_agreement: Share = 0.85
    least_stations: Count = 3
    sigma_m: Positive = 0.01
    sigma_deg: Positive = 0.06
    drift_share: Share = 0.01
    drift_deg_per_m: Positive = 0.01
    step_m: Positive = 0.01
    step_deg: Positive = 0.01
    loop_m: Positive = 60.0
    loop_near_m: Positive = 12.0
    outlier_sigmas: Positive = 3.0


class ShareConfig(Settings):
    """When an object of one trip is believed to stand there on another one as well.

    Attributes:
        least_chance: what is less likely an object is not carried over, and tells of no change.
        parked_m: the boxes of what stands still lie this near to each other.
        voxel_m: one point of an object is kept in each cell of this size.
        margin_m: what another scan sees this near to a place is there.
        around_m: so far around a box others' points are looked at: another object may stand there.
        above_ground_m: lower points are the ground's.
        least_looked: so many places of an object must have been looked at.
        least_points: in a frame that gets a box so many points must lie in it.
        most_free: no more of an object may be seen through.
        most_frame_free: nor so much in a single frame that gets a box.
        most_alien: no more of what is seen around may stand where the object does not.
        same_iou: boxes of two trips that overlap so much from above may be of one object.
        taken_iou: a box that overlaps another object's so much is not put.
        far_m: objects farther than this from the car are not looked at.
        spacing_m: objects are looked at every so many metres of the way.
    """

    least_chance: Share = 0.5
    parked_m: Positive = 0.4
    voxel_m: Positive = 0.1
    margin_m: Positive = 0.15
    around_m: Positive = 0.4
    above_ground_m: Positive = 0.25
    least_looked: Count = 12
    least_points: Count = 5
    most_free: Share = 0.12
    most_frame_free: Share = 0.25
    most_alien: Share = 0.12
    same_iou: Share = 0.4
    taken_iou: Share = 0.05
    far_m: Positive = 120.0
    spacing_m: Positive = 0.5


class TripsConfig(Settings):
    """Several drives through one place.

    Attributes:
        align: how they are laid on each other.
        share: how their labels are carried over.
    """

    align: AlignConfig = AlignConfig()
    share: ShareConfig = ShareConfig()
