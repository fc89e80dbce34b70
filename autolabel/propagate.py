"""Key frames to all frames: boxes that a person gave now and then, filled in between."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from autolabel.config import Config, KindConfig, PropagationConfig
from autolabel.headings import flipped, poses_from, steady, tilts_at, tilts_of
from autolabel.motion import Path, evenly, smoothest_path
from autolabel.world import LocalWorld, Sightings
from calib.types import F64, I64
from fusion.categories import Kind, kind_of
from fusion.edits import Edit, PutAnnotations, RemoveAnnotations
from fusion.labels import Annotation, LabelSet, Source, Track
from fusion.log import DriveLog
from fusion.progress import Progress


def propagate(
    log: DriveLog, keyframes: LabelSet, config: Config | None = None, progress: Progress | None = None
) -> tuple[Edit, ...]:
    """Edits that fill the frames between the given annotations of each track, and some beyond its ends.

    Given is what a person, a file or a detector made, and whatever is locked; it stays as it is. What an
    earlier run interpolated is replaced. The edits apply to `keyframes`.
    """
    config = config or Config()
    world = LocalWorld.of(log)
    frames_ns = log.timestamps_ns[world.covers(log.timestamps_ns)]
    labelled_ns = _given_instants(keyframes)
    edits: list[Edit] = []
    for number, track in enumerate(keyframes.tracks.values()):
        if progress:
            progress("propagate", number, len(keyframes.tracks))
        given = [a for a in track.annotations.values() if is_given(a)]
        filled = fill(track.category, given, frames_ns, labelled_ns, world, config)
        edits += _edits(track, filled)
    if progress:
        progress("propagate", len(keyframes.tracks), len(keyframes.tracks))
    return tuple(edits)


def is_given(annotation: Annotation) -> bool:
    """Whether propagation starts from an annotation rather than replacing it."""
    return annotation.locked or annotation.source is not Source.INTERPOLATED


def fill(
    category: str,
    given: list[Annotation],
    frames_ns: I64,
    labelled_ns: I64,
    world: LocalWorld,
    config: Config,
) -> list[Annotation]:
    """The annotations of one object at the frames where it has none, as far as they can be told.

    `frames_ns` and `labelled_ns` rise: all frames, and those at which anything at all is given.
    """
    seen = [a for a in given if world.covers(np.array([a.timestamp_ns]))[0]]
    taken_ns = np.array([a.timestamp_ns for a in given], dtype=np.int64)
    if not seen:
        return []
    keys = Sightings.of(seen, world)
    wanted_ns = np.setdiff1d(_reachable(frames_ns, keys.times_ns, labelled_ns, config.propagation), taken_ns)
    if len(wanted_ns) == 0:
        return []
    boxes = interpolate(keys, wanted_ns, kind_of(category), world, config).boxes(world)
    scores = _scores(keys.times_ns, wanted_ns, config.propagation)
    return [
        Annotation(int(t), box, Source.INTERPOLATED, float(score))
        for t, box, score in zip(wanted_ns, boxes, scores, strict=True)
    ]


def interpolate(keys: Sightings, wanted_ns: I64, kind: Kind, world: LocalWorld, config: Config) -> Sightings:
    """Where an object was at other instants than those of its given boxes.

    On the ground it follows the smoothest path along its headings; what a given box is off that path is
    carried over evenly, because it is mostly the slow drift of the car's own poses. Height, tilt and size
    go evenly from box to box. What counts as time is when the beam passes the object, not the frame.
    """
    places, tilts = keys.local_from_box.translations, tilts_of(keys.local_from_box)
    about = evenly(world.seconds(keys.times_ns), places, world.seconds(wanted_ns))
    times_s, wanted_s = world.seen_s(keys.times_ns, places), world.seen_s(wanted_ns, about)
    yaws_rad = _true_yaws(times_s, keys, kind, config.of(kind))
    wanted_places = evenly(times_s, places, wanted_s)
    wanted_yaws_rad = evenly(times_s, yaws_rad, wanted_s)
    if not _is_parked(places, config.propagation):
        path = _path(times_s, places[:, :2], yaws_rad, kind, config)
        offsets = places[:, :2] - path.at(times_s)[0]
        wanted_places[:, 2] = evenly(times_s, places[:, 2], wanted_s, onward=True)
        wanted_places[:, :2] = path.at(wanted_s)[0] + evenly(times_s, offsets, wanted_s)
    local_from_box = poses_from(wanted_places, wanted_yaws_rad, tilts_at(times_s, tilts, wanted_s))
    return Sightings(wanted_ns, local_from_box, evenly(times_s, keys.sizes_lwh_m, wanted_s))


def _is_parked(places: F64, settings: PropagationConfig) -> bool:
    away_m = np.linalg.norm((places - np.median(places, axis=0))[:, :2], axis=1)
    return bool(away_m.max() < settings.parked_m)


def _path(times_s: F64, places: F64, yaws_rad: F64, kind: Kind, config: Config) -> Path:
    habits, sigmas_m = config.of(kind), np.full(len(times_s), config.propagation.sigma_m)
    headings_rad = yaws_rad if kind.is_vehicle else None
    return smoothest_path(times_s, places, sigmas_m, habits.acceleration, headings_rad, habits.slip_mps)


def _true_yaws(times_s: F64, keys: Sightings, kind: Kind, habits: KindConfig) -> F64:
    yaws_rad, places = keys.local_from_box.yaws_rad, keys.local_from_box.translations
    velocities = np.gradient(places, times_s, axis=0) if len(times_s) > 1 else np.zeros_like(places)
    if not kind.is_vehicle:
        velocities = np.zeros_like(velocities)
    weights, turn = np.ones(len(times_s)), habits.fastest_turn_rad_per_s
    flips = flipped(times_s, yaws_rad, weights, velocities, turn, motion_weight=0.9)
    return steady(yaws_rad, flips)


def _given_instants(labels: LabelSet) -> I64:
    instants = {a.timestamp_ns for t in labels.tracks.values() for a in t.annotations.values() if is_given(a)}
    return np.array(sorted(instants), dtype=np.int64)


def _reachable(frames_ns: I64, keys_ns: I64, labelled_ns: I64, settings: PropagationConfig) -> I64:
    """The frames that lie in a gap that is not too long, or beyond the ends but before other key frames."""
    after = np.searchsorted(keys_ns, frames_ns)
    inside = (after > 0) & (after < len(keys_ns))
    gaps_ns = np.diff(keys_ns)
    own_gap_ns = gaps_ns[np.clip(after - 1, 0, max(len(gaps_ns) - 1, 0))] if len(gaps_ns) else np.zeros(1)
    bridged = inside & (own_gap_ns <= settings.longest_gap_s * 1e9)
    reach_ns = round(settings.reach * _spacing_ns(keys_ns, labelled_ns, settings))
    first_ns, last_ns = int(keys_ns[0]) - reach_ns, int(keys_ns[-1]) + reach_ns
    earlier, later = labelled_ns[labelled_ns < keys_ns[0]], labelled_ns[labelled_ns > keys_ns[-1]]
    first_ns = max([first_ns, *(earlier[-1:] + 1).tolist()])
    last_ns = min([last_ns, *(later[:1] - 1).tolist()])
    beyond = ~inside & (frames_ns >= first_ns) & (frames_ns <= last_ns)
    return np.asarray(frames_ns[bridged | beyond], dtype=np.int64)


def _spacing_ns(keys_ns: I64, labelled_ns: I64, settings: PropagationConfig) -> float:
    """The usual time between an object's key frames, or where it has a single one, between all of them."""
    gaps_ns = np.diff(keys_ns if len(keys_ns) > 1 else labelled_ns)
    return min(float(np.median(gaps_ns)), settings.longest_gap_s * 1e9) if len(gaps_ns) else 0.0


def _scores(keys_ns: I64, wanted_ns: I64, settings: PropagationConfig) -> F64:
    """Halved with every half-life from the nearest given box, twice as fast beyond the ends."""
    distance_s = np.abs(wanted_ns[:, None] - keys_ns[None, :]).min(axis=1) / 1e9
    outside = (wanted_ns < keys_ns[0]) | (wanted_ns > keys_ns[-1])
    return np.asarray(0.5 ** (distance_s * np.where(outside, 2.0, 1.0) / settings.half_life_s))


def _edits(track: Track, filled: list[Annotation]) -> Iterable[Edit]:
    stale = {t for t, a in track.annotations.items() if not is_given(a)} - {a.timestamp_ns for a in filled}
    if stale:
        yield RemoveAnnotations(track.id, tuple(sorted(stale)))
    if filled:
        yield PutAnnotations(track.id, tuple(filled))
