"""Detections to tracks: which are of one object, how likely it is one, and how it moved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from autolabel.config import Config
from autolabel.detections import Detections, detections_by_kind
from autolabel.points.evidence import ObjectPoints
from autolabel.points.index import PointBank
from autolabel.reconstruct.config import ReconstructConfig
from autolabel.reconstruct.estimate import Reconstruction, boxes_along, reconstruct
from autolabel.reconstruct.evidence import Evidence
from autolabel.reconstruct.scope import Scope
from autolabel.reconstruct.trace import trace
from autolabel.scans import ENOUGH_SCANS, Scans
from autolabel.traced import Traced
from autolabel.track.chains import chains_of, without_poses
from autolabel.track.config import TrackConfig
from autolabel.track.score import beside_others, chance, odds_of
from autolabel.world import LocalWorld, Sightings
from calib.types import F64, I64
from fusion.categories import Kind
from fusion.edits import Edit
from fusion.labels import Annotation, LabelSet, Source, Track
from fusion.log import DriveLog
from fusion.progress import Progress
from fusion.stages import stage


@dataclass(frozen=True, eq=False, slots=True)
class Chain:
    """Detections that are held for one object.

    Attributes:
        kind: what it is.
        seen: its detections, in order of time.
        odds: log odds that it is an object at all.
    """

    kind: Kind
    seen: Detections
    odds: float


def tracks_of(
    found: Mapping[Kind, Detections], scans: Scans, config: Config, progress: Progress | None = None
) -> list[Traced]:
    """The tracks which detections add up to.

    Tracks are named "1", "2", ... in order of appearance; their attribute `odds` is the log odds that
    there is an object. Boxes at frames without a detection are `Source.INTERPOLATED`.
    """
    with stage("track"):
        chains = all_chains(found, scans.frames_ns, scans.world, config.track)
    bank = PointBank(scans) if config.use_points and scans.share > ENOUGH_SCANS else None
    tracks: list[Traced] = []
    for number, chain in enumerate(chains):
        if progress:
            progress("reconstruct", number, len(chains))
        tracks.append(_traced(chain, scans, bank, config))
    if progress:
        progress("reconstruct", len(chains), len(chains))
    tracks = sorted((t for t in tracks if t.made), key=lambda traced: traced.made[0].timestamp_ns)
    return [
        replace(traced, track=replace(traced.track, id=str(number)))
        for number, traced in enumerate(tracks, start=1)
    ]


def track_detections(
    log: DriveLog,
    detections: LabelSet,
    config: Config | None = None,
    progress: Progress | None = None,
) -> tuple[Edit, ...]:
    """Edits that put `tracks_of` the annotations of a label set, each one detection, into an empty one."""
    scans = Scans(LocalWorld.of(log))
    found = detections_by_kind(detections, scans.world)
    traced = tracks_of(found, scans, config or Config(), progress)
    return tuple(edit for one in traced for edit in one.edits())


def all_chains(
    by_kind: Mapping[Kind, Detections], frames_ns: I64, world: LocalWorld, settings: TrackConfig
) -> list[Chain]:
    """The chains of all kinds that are worth a track."""
    rules = settings.score
    parts: list[tuple[Kind, Detections, I64]] = []
    for kind, found in by_kind.items():
        chains = chains_of(found, frames_ns, kind, world, settings)
        parts += [(kind, found, members) for members in chains if len(members) >= rules.least_hits]
    if not parts:
        return []
    odds = np.array([odds_of(found, members, frames_ns, rules) for _, found, members in parts])
    odds = beside_others([(found, members) for _, found, members in parts], odds, rules)
    return [
        Chain(kind, found.take(members), float(one))
        for (kind, found, members), one in zip(parts, odds, strict=True)
        if chance(one) >= rules.least
    ]


def _traced(chain: Chain, scans: Scans, bank: PointBank | None, config: Config) -> Traced:
    if bank is None:
        sightings = path_of(chain, scans.frames_ns, scans.world)
    else:
        sightings = with_points(chain, bank, config).sightings
    scores = _scores(chain, sightings.times_ns, scans.world, config.track)
    detected = set(chain.seen.times_ns.tolist())
    made = tuple(
        Annotation(int(t), box, Source.AUTO if t in detected else Source.INTERPOLATED, float(score))
        for t, box, score in zip(sightings.times_ns, sightings.boxes(scans.world), scores, strict=True)
    )
    chances = float(chance(np.array(chain.odds)))
    attributes = {"score": chances, "odds": chain.odds, "detections": len(chain.seen)}
    notes = (f"{len(chain.seen)} detections, an object with a chance of {100 * chances:.0f} %",)
    return Traced(Track("", _category(chain.seen), attributes=attributes), made, chain.seen, notes)


def path_of(chain: Chain, frames_ns: I64, world: LocalWorld) -> Sightings:
    """The boxes of an object at all frames from its first to its last detection."""
    seen = chain.seen
    evidence = Evidence(Sightings.none(), seen)
    wanted_ns = frames_ns[(frames_ns >= seen.times_ns[0]) & (frames_ns <= seen.times_ns[-1])]
    kind = Kind.OTHER if without_poses(world) else chain.kind
    path = trace(evidence, wanted_ns, kind, world, ReconstructConfig())
    return boxes_along(path, evidence, world)


def with_points(chain: Chain, bank: PointBank, config: Config) -> Reconstruction:
    """An object wherever its points say that it is."""
    seen, world, frames_ns = chain.seen, bank.scans.world, bank.scans.frames_ns
    evidence = Evidence(Sightings.none(), seen, ObjectPoints(bank, chain.kind, config.points))
    cars = world.local_from_ego(seen.times_ns).translations
    farthest_m = float(np.linalg.norm(seen.boxes.dst_from_box.translations - cars, axis=1).max())
    scope = Scope(world, (), farthest_m)
    return reconstruct(evidence, frames_ns, chain.kind, world, config.reconstruct, scope)


def _scores(chain: Chain, wanted_ns: I64, world: LocalWorld, settings: TrackConfig) -> F64:
    """(M,) the chance of the whole chain; less in between, the longer nothing was seen."""
    seen_s, wanted_s = world.seconds(chain.seen.times_ns), world.seconds(wanted_ns)
    away_s = np.abs(wanted_s[:, None] - seen_s[None, :]).min(axis=1)
    return np.asarray(chance(np.array(chain.odds)) * 0.5 ** (away_s / settings.score.half_life_s))


def _category(seen: Detections) -> str:
    """The class name with the most weight; the first in the alphabet of those that weigh the same."""
    weights: dict[str, float] = {}
    for name, score in zip(seen.categories, seen.scores, strict=True):
        weights[name] = weights.get(name, 0.0) + float(score)
    return min(weights, key=lambda name: (-weights[name], name))
