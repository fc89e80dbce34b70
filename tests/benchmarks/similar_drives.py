"""Logs with kinds of objects that are known more finely than their categories, for search by example."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from autolabel.similar.catalogue import NUMBERS
from autolabel.similar.features import Features, described, features_of, size_of
from calib.se3 import SE3
from calib.types import F64
from formats.argoverse2 import ARGOVERSE2
from formats.format import Format
from formats.pandaset import PANDASET
from formats.sustech import SUSTECHPOINTS
from fusion.boxes import Box3D
from fusion.labels import Annotation, LabelSet, Track
from fusion.log import DriveLog
from fusion.simulate import Drive, SimulationConfig, visible_only
from fusion.simulate.actors import Actor, Body
from fusion.simulate.cast import PAINTS
from fusion.simulate.config import Style
from fusion.simulate.materials import Material
from fusion.simulate.vehicles import CARS, car

CHOOSE, REPORT = range(1, 9), range(101, 111)
STYLES: tuple[Style, ...] = ("straight", "curve", "stop")
# How far boxes as people draw them are off: of a side, and of a centre.
SIDE_SHARE, SIDE_M, CENTER_M = 0.08, 0.10, 0.03
FEWEST_POINTS = 5
COLOURS = {"red car": (5,), "blue car": (4, 8), "white car": (0, 9), "black car": (3, 10)}


@dataclass(frozen=True, eq=False, slots=True)
class Objects:
    """The objects of some logs, their features, and what each of them is.

    Attributes:
        features: of all.
        sizes_lwh_m: (N, 3).
        kinds: for each object all kinds that it is of.
    """

    features: Features
    sizes_lwh_m: F64
    kinds: Sequence[frozenset[str]]

    @classmethod
    def joined(cls, parts: Sequence[Objects]) -> Objects:
        """Those of several logs together."""
        sizes = np.concatenate([part.sizes_lwh_m for part in parts])
        kinds = [kinds for part in parts for kinds in part.kinds]
        return cls(Features.joined([part.features for part in parts]), sizes, kinds)


def kept(cache: Path | None, name: str, made: Callable[[], Objects]) -> Objects:
    """What was measured once, in a folder of our own; drives take half a minute each."""
    if cache is None:
        return made()
    file = cache / f"{name}.npz"
    if not file.exists():
        objects = made()
        kinds = np.array(["|".join(sorted(one)) for one in objects.kinds], dtype=np.str_)
        columns = {name: getattr(objects.features, name) for name in NUMBERS}
        cache.mkdir(parents=True, exist_ok=True)
        np.savez(file, sizes=objects.sizes_lwh_m, kinds=kinds, **columns)
    with np.load(file) as found:
        features = Features(*(found[name] for name in NUMBERS))
        return Objects(
            features, found["sizes"], [frozenset(one.split("|")) for one in found["kinds"].tolist()]
        )


Kinds = Callable[[Track], set[str]]


def measured(log: DriveLog, labels: LabelSet, kinds: Kinds) -> Objects:
    """All objects of a log that were met by enough points to be told from nothing."""
    tracks = described(labels)
    found = features_of(log, labels)
    keep = np.flatnonzero(found.points >= FEWEST_POINTS)
    kept = Features(found.values[keep], found.points[keep], found.sides_px[keep], found.embeddings[keep])
    sizes = np.array([size_of(track) for track in tracks])[keep]
    return Objects(kept, sizes, [frozenset(kinds(tracks[k])) for k in keep])


def simulated(seed: int, exact: bool = False) -> Objects:
    """A drive whose boxes are off by as much as those that people draw, or by nothing."""
    config = SimulationConfig(
        name=f"simulated-{seed}",
        seed=seed,
        seconds=6.0,
        sweep_hz=5.0,
        style=STYLES[seed % len(STYLES)],
        image_size_px=(640, 360),
    )
    drive = Drive(config)
    log, labels = drive.log(), visible_only(drive.log(), drive.labels(), FEWEST_POINTS)
    actors = {actor.id: actor for actor in drive.actors}
    if not exact:
        labels = as_drawn(labels, seed)
    return measured(log, labels, lambda track: kinds_of(actors[track.id]))


def as_drawn(labels: LabelSet, seed: int) -> LabelSet:
    """Boxes that are off, each track's in size and each box in place."""
    rng = np.random.default_rng((seed, 17))

    def track_off(track: Track) -> Track:
        sides_m = size_of(track)
        sides_m = np.maximum(
            sides_m + rng.normal(size=3) * np.minimum(SIDE_M, SIDE_SHARE * sides_m), 0.6 * sides_m
        )
        return Track.of(track.id, track.category, [box_off(a, sides_m) for a in track.annotations.values()])

    def box_off(annotation: Annotation, sides_m: F64) -> Annotation:
        ego_from_box = annotation.box.ego_from_box
        moved = SE3(ego_from_box.rotation, ego_from_box.translation + rng.normal(0, CENTER_M, 3))
        return replace(annotation, box=Box3D(moved, *(float(side) for side in sides_m)))

    return LabelSet.of(track_off(labels.tracks[id]) for id in sorted(labels.tracks))


def kinds_of(actor: Actor) -> set[str]:
    """Category, make, paint and motion of what the simulator cast."""
    category = actor.body.category
    if category == "pedestrian":
        grown = actor.body.size_lwh_m[2] >= 1.45
        return {category, "walking person" if actor.moving else "standing person"} | (
            set() if grown else {"child"}
        )
    if category != "car":
        return {category}
    mesh = actor.body.meshes[0]
    paint = np.median(mesh.color[mesh.material == Material.PAINT], axis=0)
    number = int(np.abs(np.array(PAINTS) - paint).sum(axis=1).argmin())
    colours = {name for name, numbers in COLOURS.items() if number in numbers}
    return {category, make_of(actor), "moving car" if actor.moving else "parked car"} | colours


def make_of(actor: Actor) -> str:
    """The shape of car whose proportions an actor has exactly."""
    off = {
        name: float(np.ptp(np.log(actor.body.size_lwh_m / Body.of("", [car(shape, PAINTS[0])]).size_lwh_m)))
        for name, shape in CARS.items()
    }
    best = min(off, key=lambda name: off[name])
    assert off[best] < 1e-6, f"a car of no known make: {off}"
    return best


def real(source: Format, folder: Path, name: str, kinds: Kinds) -> Objects:
    """A real log with its own labels."""
    assert source.open_log is not None and source.read_labels is not None
    log = source.open_log(folder, name)
    return measured(log, source.read_labels(folder, log), kinds)


def sustech(data: Path) -> Objects:
    """Three frames of a Chinese street; chosen on, not reported on."""
    return real(SUSTECHPOINTS, data / "sustechpoints", "sustechpoints", lambda track: {track.category})


def pandaset(data: Path) -> Objects:
    """Sequence 002 of PandaSet: categories, and which cars move."""

    def kinds(track: Track) -> set[str]:
        if track.category != "Car":
            return {track.category}
        motions = {str(a.attributes.get("object_motion")) for a in track.annotations.values()}
        return {"Car", "moving Car" if "Moving" in motions else "Car at rest"}

    return real(PANDASET, data / "pandaset", "002", kinds)


def argoverse2(data: Path) -> Objects:
    """The log of Argoverse 2, of which two sweeps are there."""
    folder = data / "argoverse2"
    return real(ARGOVERSE2, folder, ARGOVERSE2.log_ids(folder)[0], lambda track: {track.category})
