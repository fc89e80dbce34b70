"""Errors of what is said of an object: its class and its attributes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from fusion.categories import Kind, kind_of
from fusion.labels import Attributes, Json, LabelSet, Track
from fusion.seeded.boxes import MOVING_MPS, is_standing
from fusion.seeded.kinds import ErrorKind, Level
from fusion.seeded.site import Change, Site, spots
from fusion.seeded.survey import POINT_ATTRIBUTES, Life

ALIKE = (
    {Kind.CAR, Kind.TRUCK},
    {Kind.TRUCK, Kind.BUS},
    {Kind.TRUCK, Kind.TRAILER},
    {Kind.TRUCK, Kind.CONSTRUCTION},
    {Kind.MOTORCYCLE, Kind.BICYCLE},
    {Kind.CONE, Kind.BARRIER},
)
HEAVY = frozenset({Kind.CAR, Kind.TRUCK, Kind.BUS, Kind.TRAILER, Kind.CONSTRUCTION})
SMALL = frozenset({Kind.PEDESTRIAN, Kind.CONE, Kind.ANIMAL})
USUAL_SHARE = 0.9
STILL_WORDS = ("parked", "stopped", "standing", "stationary", "static")


def wrong_classes(site: Site, level: Level) -> Iterator[Change]:
    """An object with the class of another one of the label set, alike or not at all."""
    known = sorted({track.category for track in site.survey.labels.tracks.values()})
    fits = _alike if level.kind is ErrorKind.CLASS_LIKE else _unlike
    for life in site.lives():
        old = life.track.category
        others = [name for name in known if fits(old, name)]
        if not others or not life.enough_points(0, len(life), site.config.min_points):
            continue
        new = str(site.rng.choice(others))
        yield _on_track(site, level, life, replace(life.track, category=new), f"called {new}")


def _alike(a: str, b: str) -> bool:
    one, other = kind_of(a), kind_of(b)
    return a != b and Kind.OTHER not in (one, other) and (one is other or {one, other} in ALIKE)


def _unlike(a: str, b: str) -> bool:
    one, other = kind_of(a), kind_of(b)
    return (one in HEAVY and other in SMALL) or (one in SMALL and other in HEAVY)


def missing_attributes(site: Site, level: Level) -> Iterator[Change]:
    """An attribute that nearly every object of a class has throughout, taken from one of them."""
    usual = _usual_attributes(site.survey.labels)
    for life in site.lives():
        held = sorted(usual.get(life.track.category, set()) & _held_throughout(life.track))
        if held:
            name = str(site.rng.choice(held))
            track = _with_attribute(life.track, name, None)
            yield _on_track(site, level, life, track, f"without the attribute {name}")


def _usual_attributes(labels: LabelSet) -> dict[str, set[str]]:
    """By class the names of the attributes that nearly all of its objects have throughout."""
    tracks = Counter(track.category for track in labels.tracks.values())
    held: dict[str, Counter[str]] = {}
    for track in labels.tracks.values():
        held.setdefault(track.category, Counter()).update(_held_throughout(track))
    return {
        category: {name for name, count in counter.items() if count >= USUAL_SHARE * tracks[category]}
        for category, counter in held.items()
    }


def _held_throughout(track: Track) -> set[str]:
    """Names of the attributes of a track, and of those that every one of its boxes has."""
    each = [a.attributes.keys() for a in track.annotations.values()]
    common = set(each[0]).intersection(*each) if each else set()
    return (common | track.attributes.keys()) - set(POINT_ATTRIBUTES)


def wrong_motion(site: Site, level: Level) -> Iterator[Change]:
    """An attribute that says "moving" of what stands, or the other way round."""
    values = _motion_values(site.survey.labels)
    for life in site.lives():
        moving = life.speed_mps(0, len(life)) >= MOVING_MPS
        if not site.survey.knows_motion or not (moving or is_standing(site, life)):
            continue
        for name in sorted(values):
            told = {str(value): says_moving(name, value) for value in _values(life.track, name)}
            wrong = next((v for v in values[name] if says_moving(name, v) is not moving), None)
            if told and all(said is moving for said in told.values()) and wrong is not None:
                track = _with_attribute(life.track, name, wrong)
                yield _on_track(site, level, life, track, f"{name} says {wrong}")


def _motion_values(labels: LabelSet) -> dict[str, list[Json]]:
    """The attributes that tell of motion, with their values, the most frequent first."""
    counts: dict[str, Counter[bool | str]] = {}
    for track in labels.tracks.values():
        for each in (track.attributes, *(a.attributes for a in track.annotations.values())):
            for name, value in each.items():
                if isinstance(value, bool | str) and says_moving(name, value) is not None:
                    counts.setdefault(name, Counter())[value] += 1
    return {name: [value for value, _ in counter.most_common()] for name, counter in counts.items()}


def says_moving(name: str, value: Json) -> bool | None:
    """Whether an attribute says that an object moves; None where it says nothing of that."""
    if isinstance(value, bool):
        if name.lower() in ("moving", "is_moving"):
            return value
        return not value if name.lower() in ("stationary", "is_stationary") else None
    if not isinstance(value, str):
        return None
    if "moving" in value.lower():
        return True
    return False if any(word in value.lower() for word in STILL_WORDS) else None


def _values(track: Track, name: str) -> list[Json]:
    every: list[Attributes] = [track.attributes, *(a.attributes for a in track.annotations.values())]
    return [attributes[name] for attributes in every if name in attributes]


def _with_attribute(track: Track, name: str, value: Json) -> Track:
    """The track with another value wherever the attribute stands; without it where the value is None."""

    def changed(attributes: Attributes) -> Attributes:
        rest = {k: v for k, v in attributes.items() if k != name}
        return rest if value is None or name not in attributes else {**rest, name: value}

    each = (replace(a, attributes=changed(a.attributes)) for a in track.annotations.values())
    return replace(track.with_annotations(each), attributes=changed(track.attributes))


def _on_track(site: Site, level: Level, life: Life, track: Track, words: str) -> Change:
    error = site.told(level, life, 0, len(life), words)
    return Change(error, (track,), uses=(track.id,), spots=spots(life, 0, len(life)))
