"""Labels of what stands still, carried from trip to trip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autolabel.trips.alignment import Alignment
from autolabel.trips.config import ShareConfig
from autolabel.trips.looks import Look, Verdict, look
from autolabel.trips.things import Thing, mean_box, protected, stacked, things
from calib.se3 import SE3
from calib.types import F64
from fusion.boxes import Box3D, Boxes
from fusion.edits import Edit, PutAnnotations, PutTrack
from fusion.labels import Annotation, LabelSet, Source, Track
from fusion.log import DriveLog
from fusion.overlap import iou_bev

# Attributes of a track that was carried over.
FROM_TRIP, FROM_TRACK = "from_trip", "from_track"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one trip says of an object of another.

    Attributes:
        trip: the name of the log that it is labelled in.
        track_id: there.
        other: the log that was looked into.
        verdict: whether it stands there too.
        confidence: 0 to 1, in that.
        frames: in how many frames of the other trip it was seen.
        other_id: the track that it is there, if any.
    """

    trip: str
    track_id: str
    other: str
    verdict: Verdict
    confidence: float
    frames: int
    other_id: str | None

    @property
    def changed(self) -> bool:
        """Whether the place is not as it was."""
        return self.verdict in (Verdict.GONE, Verdict.REPLACED)


@dataclass(frozen=True, slots=True)
class Shared:
    """What trips say to each other.

    Attributes:
        edits: for each trip those of its labels.
        findings: one an object and other trip.
    """

    edits: tuple[tuple[Edit, ...], ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, eq=False, slots=True)
class _Object:
    """One thing of the world, as one or more trips have labelled it."""

    members: tuple[Thing, ...]
    looks: dict[int, Look]
    world_from_box: SE3
    size_lwh_m: F64


def share(
    trips: Sequence[tuple[DriveLog, LabelSet]], alignment: Alignment, config: ShareConfig | None = None
) -> Shared:
    """Carries what stands still from the labels of each trip into those of the others.

    It gets a box in the frames in which its points are there and no beam goes through it, unless another
    object stands there. What several trips have labelled gets one box, made of all of theirs; annotations
    of a person, and locked ones, stay as they are and decide. Who lives is not carried over, nor what a
    trip has seen move.
    """
    config = config or ShareConfig()
    logs = alignment.applied([log for log, _ in trips])
    labels = [labels for _, labels in trips]
    meeting = [k for k, trip in enumerate(alignment.trips) if trip.meets]
    found = [thing for k in meeting for thing in things(k, logs[k], labels[k], config)]
    looks: list[dict[int, Look]] = [{} for _ in found]
    for k in meeting:
        others = [n for n, thing in enumerate(found) if thing.trip != k]
        for n, seen in zip(others, look([found[n] for n in others], logs[k], config), strict=True):
            looks[n][k] = seen
    partners = _partners(found, looks, config)
    objects = _objects(found, looks, partners)
    names = [log.name for log in logs]
    edits = [
        _edits(k, log, labels[k], objects, names, config) if k in meeting else ()
        for k, log in enumerate(logs)
    ]
    findings = [
        Finding(
            logs[thing.trip].name,
            thing.track.id,
            logs[k].name,
            seen.verdict,
            seen.confidence,
            len(seen.frames_ns),
            next((found[m].track.id for m in partners[n] if found[m].trip == k), None),
        )
        for n, thing in enumerate(found)
        for k, seen in looks[n].items()
        if thing.chance >= config.least_chance or not seen.changed
    ]
    return Shared(tuple(edits), tuple(findings))


def _partners(found: list[Thing], looks: list[dict[int, Look]], config: ShareConfig) -> list[list[int]]:
    """For each thing the one of each other trip that is the same: it overlaps and looks alike."""
    partners: list[list[int]] = [[] for _ in found]
    if not found:
        return partners
    boxes = stacked(found)
    iou = iou_bev(boxes, boxes)
    for n, thing in enumerate(found):
        for k, seen in looks[n].items():
            if seen.verdict is not Verdict.SAME:
                continue
            there = [m for m, other in enumerate(found) if other.trip == k and iou[n, m] >= config.same_iou]
            there = [m for m in there if not looks[m][thing.trip].changed]
            if there:
                best = max(there, key=lambda m: (iou[n, m], -m))
                partners[n].append(best)
    return [[m for m in some if n in partners[m]] for n, some in enumerate(partners)]


def _objects(found: list[Thing], looks: list[dict[int, Look]], partners: list[list[int]]) -> list[_Object]:
    """Things that are the same, together."""
    left, objects = set(range(len(found))), list[_Object]()
    for n in range(len(found)):
        if n not in left:
            continue
        group: list[int] = []
        queue = [n]
        while queue:
            m = queue.pop()
            if m in left and all(found[m].trip != found[g].trip for g in group):
                left.discard(m)
                group.append(m)
                queue += partners[m]
        members = tuple(found[m] for m in sorted(group))
        seen: dict[int, Look] = {}
        for m in group:
            for k, one in looks[m].items():
                if k not in seen or one.looked > seen[k].looked:
                    seen[k] = one
        objects.append(_Object(members, seen, *_fused(members)))
    return objects


def _fused(members: tuple[Thing, ...]) -> tuple[SE3, F64]:
    """One box of what several trips have labelled; what a person drew decides alone."""
    firm = np.array([thing.is_protected for thing in members])
    weights = np.array([max(thing.weight, 1.0) for thing in members])
    if firm.any():
        weights = np.where(firm, weights, 0.0)
    boxes = stacked([*members])
    return mean_box(boxes.dst_from_box, boxes.sizes_lwh_m, weights)


def _edits(
    trip: int,
    log: DriveLog,
    labels: LabelSet,
    objects: list[_Object],
    names: list[str],
    config: ShareConfig,
) -> tuple[Edit, ...]:
    edits: list[Edit] = []
    ids = set(labels.tracks)
    for one in objects:
        own = next((thing for thing in one.members if thing.trip == trip), None)
        seen = one.looks.get(trip)
        sure = any(thing.chance >= config.least_chance for thing in one.members)
        if own is None and seen is not None and seen.verdict is Verdict.SAME and sure:
            annotations = _placed(log, labels, one, seen, seen.frames_ns, None, config)
            if annotations:
                edits.append(PutTrack(_new_track(one, annotations, ids, names)))
        elif own is not None and len(one.members) > 1 and seen is not None:
            kept = {t for t, a in own.track.annotations.items() if protected(a)}
            drawn = {t for t in own.track.annotations if log.trajectory.covers(t)}
            frames = sorted((drawn | set(seen.frames_ns)) - kept)
            annotations = _placed(log, labels, one, seen, frames, own.track, config)
            if annotations:
                edits.append(PutAnnotations(own.track.id, tuple(annotations)))
    return tuple(edits)


def _placed(
    log: DriveLog,
    labels: LabelSet,
    one: _Object,
    seen: Look,
    frames_ns: Sequence[int],
    own: Track | None,
    config: ShareConfig,
) -> list[Annotation]:
    """The object's box at frames, where nothing else stands."""
    source = max(one.members, key=lambda thing: thing.weight)
    score = seen.confidence * source.score
    placed = []
    for frame_ns in frames_ns:
        ego_from_world = log.trajectory.at(frame_ns).inverse()
        box = Box3D(ego_from_world @ one.world_from_box, *(float(v) for v in one.size_lwh_m))
        before = None if own is None else own.annotations.get(frame_ns)
        if before is None and _taken(labels, frame_ns, box, own, config):
            continue
        attributes = {} if before is None else before.attributes
        kept_score = score if before is None or before.score is None else max(before.score, score)
        placed.append(Annotation(frame_ns, box, Source.AUTO, kept_score, attributes=attributes))
    return placed


def _taken(labels: LabelSet, frame_ns: int, box: Box3D, own: Track | None, config: ShareConfig) -> bool:
    others = [a.box for track, a in labels.at(frame_ns) if own is None or track.id != own.id]
    if not others:
        return False
    return bool(iou_bev(Boxes.stack([box]), Boxes.stack(others)).max() > config.taken_iou)


def _new_track(one: _Object, annotations: list[Annotation], ids: set[str], names: list[str]) -> Track:
    """A track for another trip, with an id that is free there, that says where it is from."""
    source = max(one.members, key=lambda thing: thing.weight)
    id, n = source.track.id, 1
    while id in ids:
        n += 1
        id = f"{source.track.id}-{n}"
    ids.add(id)
    origin = {FROM_TRIP: names[source.trip], FROM_TRACK: source.track.id}
    return Track.of(id, source.track.category, annotations, {**source.track.attributes, **origin})
