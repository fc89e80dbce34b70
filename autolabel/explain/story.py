"""One track of a proposal: its way, its points in its own frame, what it was seen as."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autolabel.confidence import CONFIDENCE, LOOK
from autolabel.pipeline import Proposal
from autolabel.scans import Scans
from autolabel.traced import Traced
from autolabel.world import LocalWorld, Sightings
from calib.errors import CrosslabelError
from calib.types import F32, F64, I64
from fusion.boxes import Boxes
from fusion.labels import Annotation

AROUND_M = 1.5
MOST_A_FRAME = 3_000


@dataclass(frozen=True, eq=False, slots=True)
class Story:
    """Everything about one track that a page can show.

    Attributes:
        traced: what the pipeline says of it.
        annotations: given and made, in order of time.
        sightings: the same in the local world.
        times_s: (N,) since the first frame.
        points_box: (P, 3) float32 points around it from all frames, each in the frame of its box there.
        point_frames: (P,) which of the annotations each is from.
        support: (N,) points in the box; -1 where there is no scan.
        nearby: (Q, 3) float32 points of its best scan around its way, in the local world.
        detections: what a detector saw and is held for it, in the local world.
    """

    traced: Traced
    annotations: tuple[Annotation, ...]
    sightings: Sightings
    times_s: F64
    points_box: F32
    point_frames: I64
    support: I64
    nearby: F32
    detections: Boxes

    @property
    def confidences(self) -> F64:
        """(N,) the chance that each box needs no edit; NaN of those that were given."""
        told = [annotation.attributes.get(CONFIDENCE) for annotation in self.annotations]
        return np.array([chance if isinstance(chance, float) else np.nan for chance in told])

    @property
    def looks(self) -> list[str]:
        """(N) why each box wants a look, empty where it does not."""
        return [str(annotation.attributes.get(LOOK, "")) for annotation in self.annotations]

    @property
    def speeds_mps(self) -> F64:
        """(N,) over the ground, from box to box."""
        if len(self.times_s) < 2:
            return np.zeros(len(self.times_s))
        places = self.sightings.local_from_box.translations[:, :2]
        return np.asarray(np.linalg.norm(np.gradient(places, self.times_s, axis=0), axis=1))


def story_of(proposal: Proposal, track_id: str) -> Story:
    """Gathers what there is to show of one track.

    Raises:
        CrosslabelError: there is no such track, or it has no box.
    """
    known = {traced.track.id: traced for traced in proposal.traced}
    if track_id not in known:
        names = ", ".join(list(known)[:12])
        raise CrosslabelError(f"{proposal.log.name}: there is no track {track_id!r}; there are {names}")
    traced = known[track_id]
    by_time = {a.timestamp_ns: a for a in (*traced.track.annotations.values(), *traced.made)}
    world = LocalWorld.of(proposal.log)
    covered = [t for t in sorted(by_time) if world.covers(np.array([t]))[0]]
    if not covered:
        raise CrosslabelError(f"{proposal.log.name}: track {track_id!r} has no box")
    annotations = tuple(by_time[t] for t in covered)
    sightings = Sightings.of(annotations, world)
    points, frames, support, nearby = _points(sightings, Scans(world))
    seen = traced.detections
    nothing = Boxes.stack([])
    return Story(
        traced,
        annotations,
        sightings,
        world.seconds(sightings.times_ns),
        points,
        frames,
        support,
        nearby,
        nothing if seen is None else seen.boxes,
    )


def _points(sightings: Sightings, scans: Scans) -> tuple[F32, I64, I64, F32]:
    """Points around the object in its own frame, whose they are, how many lie in it, and its best scan."""
    clouds, owners = [np.empty((0, 3), np.float32)], [np.empty(0, np.int64)]
    support = np.full(len(sightings), -1, dtype=np.int64)
    nearby, most = np.empty((0, 3), np.float32), 0
    places = sightings.local_from_box.translations
    low, high = places.min(axis=0)[:2] - 12, places.max(axis=0)[:2] + 12
    for row, timestamp_ns in enumerate(sightings.times_ns):
        frame = int(np.searchsorted(scans.frames_ns, timestamp_ns))
        known = frame < len(scans) and scans.frames_ns[frame] == timestamp_ns
        scan = scans.at(frame) if known else None
        if scan is None:
            continue
        half = sightings.sizes_lwh_m[row] / 2
        box_from_local = sightings.local_from_box[row].inverse()
        reach = float(np.linalg.norm(half)) + AROUND_M
        close = scan.points[np.abs(scan.points - places[row].astype(np.float32)).max(axis=1) < reach]
        points_box = box_from_local @ close.astype(np.float64)
        support[row] = int((np.abs(points_box) <= half).all(axis=1).sum())
        kept = points_box[(np.abs(points_box) <= half + AROUND_M).all(axis=1)]
        kept = kept[:: max(1, len(kept) // MOST_A_FRAME)]
        clouds.append(kept.astype(np.float32))
        owners.append(np.full(len(kept), row))
        if support[row] >= most:
            most = int(support[row])
            inside = ((scan.points[:, :2] > low) & (scan.points[:, :2] < high)).all(axis=1)
            nearby = scan.points[inside]
    return np.concatenate(clouds), np.concatenate(owners), support, nearby
