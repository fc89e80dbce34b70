"""Whether what stood on one trip stands there on another."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from autolabel.trips.config import ShareConfig
from autolabel.trips.things import FACE_M, Thing, inside, rows_near, seen_in, spaced_views, stacked, thinned
from calib.types import F64, I64
from fusion.log import DriveLog

MET, FREE = 1, 2


class Verdict(StrEnum):
    """What another trip says of a thing."""

    SAME = "same"
    GONE = "gone"
    REPLACED = "replaced"
    UNSEEN = "unseen"


@dataclass(frozen=True, eq=False, slots=True)
class Look:
    """What one trip saw of a thing of another.

    Attributes:
        verdict: in a word.
        looked: places of the thing that were looked at.
        free: share of these that beams went through.
        alien: share of what was seen in and around its box that stands where it does not.
        frames_ns: the frames in which its points are there and nothing is seen through it.
        surface_box: (N, 3) what was seen in and around its box, in the box frame.
    """

    verdict: Verdict
    looked: int
    free: float
    alien: float
    frames_ns: tuple[int, ...]
    surface_box: F64

    @property
    def changed(self) -> bool:
        """Whether the place is not as it was."""
        return self.verdict in (Verdict.GONE, Verdict.REPLACED)

    @property
    def confidence(self) -> float:
        """0 to 1, in the verdict."""
        if self.verdict is Verdict.UNSEEN:
            return 0.0
        enough = self.looked / (self.looked + 20.0)
        same = (1 - self.free) * (1 - self.alien)
        return enough * (same if self.verdict is Verdict.SAME else 1 - same)


@dataclass(eq=False, slots=True)
class _Tally:
    met: I64
    free: I64
    frames_ns: list[int] = field(default_factory=list)
    seen_box: list[F64] = field(default_factory=list)


def look(found: list[Thing], log: DriveLog, config: ShareConfig) -> list[Look]:
    """Looks for things of other trips in every scan of a log, whose poses are in the common world."""
    if not found:
        return []
    boxes = stacked(found)
    owns = [thing.own for thing in found]
    places = [thing.world_from_box @ own for thing, own in zip(found, owns, strict=True)]
    tallies = [_Tally(np.zeros(len(p), np.int64), np.zeros(len(p), np.int64)) for p in places]
    for frame_ns, view in spaced_views(log, 0.0):
        near = [int(k) for k in rows_near(view, boxes, config.far_m) if len(places[int(k)])]
        if not near:
            continue
        verdicts = view.judge(np.concatenate([places[k] for k in near]), config.margin_m, config.far_m)
        ends = np.cumsum([len(places[k]) for k in near])[:-1]
        seen = seen_in(view, boxes, near, config)
        for k, said, points_box in zip(near, np.split(verdicts, ends), seen, strict=True):
            _count(tallies[k], said, points_box, found[k], frame_ns, config)
    return [_judged(thing, tally, config) for thing, tally in zip(found, tallies, strict=True)]


def _count(
    tally: _Tally, said: I64, points_box: F64, thing: Thing, frame_ns: int, config: ShareConfig
) -> None:
    tally.met += said == MET
    tally.free += said == FREE
    if len(points_box):
        tally.seen_box.append(thinned([points_box], config.voxel_m / 2))
    own = int(inside(points_box, thing.size_lwh_m, FACE_M).sum())
    met, free = int((said == MET).sum()), int((said == FREE).sum())
    if own >= config.least_points and free <= config.most_frame_free * (met + free):
        tally.frames_ns.append(frame_ns)


def _judged(thing: Thing, tally: _Tally, config: ShareConfig) -> Look:
    looked = (tally.met + tally.free) > 0
    free = looked & (tally.free > tally.met)
    count, free_share = int(looked.sum()), float(free.sum() / max(looked.sum(), 1))
    surface = thinned(tally.seen_box, config.voxel_m)
    alien = _alien_share(thing, surface, config)
    if count < config.least_looked:
        verdict = Verdict.UNSEEN
    elif free_share > config.most_free:
        verdict = Verdict.REPLACED if len(surface) > config.least_looked else Verdict.GONE
    elif alien > config.most_alien:
        verdict = Verdict.REPLACED
    else:
        verdict = Verdict.SAME
    return Look(verdict, count, free_share, alien, tuple(tally.frames_ns), surface)


def _alien_share(thing: Thing, surface_box: F64, config: ShareConfig) -> float:
    """Of what was seen in and around a box, the share outside of it where the thing's trip saw nothing."""
    from scipy.spatial import cKDTree

    if len(surface_box) == 0 or len(thing.surface_box) == 0:
        return 0.0
    away_m, _ = cKDTree(thing.surface_box).query(surface_box)
    outside = ~inside(surface_box, thing.size_lwh_m, FACE_M)
    return float(((away_m > config.margin_m) & outside).mean())
