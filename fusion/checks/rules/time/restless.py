"""T7: a parked thing that wanders. T8: what is said of motion, against motion."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from calib.types import F64
from fusion.checks.facts import Facts
from fusion.checks.finding import Finding, Severity
from fusion.checks.found import boxes_found, frames_said, track_found
from fusion.checks.rule import Limits, Need, rule
from fusion.labels import Attributes, Json, Track

MOVING = ("moving", "object_motion", "motion", "stationary", "static", "activity", "vehicle_state")
STILL_WORDS = ("parked", "stopped", "static", "stationary", "standing", "sitting", "still")
REVERSED = ("stationary", "static")


@rule(
    "T7",
    "parked object wanders",
    Severity.WARNING,
    chance=0.6,
    needs=[Need.POSES],
    spread_m=0.25,
    least_frames=4,
)
def wanders(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """It stays in one place as a whole, and its boxes lie scattered about it."""
    for track in range(len(facts.tracks)):
        rows = np.arange(*facts.rows(track).indices(len(facts)))[facts.covered[facts.rows(track)]]
        if len(rows) < limits["least_frames"]:
            continue
        places = facts.world.dst_from_box.translations[rows, :2]
        if _travelled_m(places) > 2 * limits["spread_m"] or facts.motion.speed_mps[rows].max() > 2.0:
            continue
        off_m = np.linalg.norm(places - np.median(places, axis=0), axis=1)
        spread_m = float(np.sqrt(np.mean(off_m**2)))
        if spread_m > limits["spread_m"]:
            words = f"stands, but its boxes lie {spread_m:.2f} m about its place"
            yield track_found(facts, track, words, value=spread_m, limit=limits["spread_m"])


def _travelled_m(places: F64) -> float:
    """From the middle of the first third to that of the last."""
    third = max(len(places) // 3, 1)
    return float(np.linalg.norm(np.median(places[-third:], axis=0) - np.median(places[:third], axis=0)))


@rule(
    "T8",
    "motion is said wrong",
    Severity.WARNING,
    chance=0.6,
    needs=[Need.POSES],
    fast_mps=1.0,
    slow_mps=0.1,
    least_frames=5,
    least_others=4,
)
def said_wrong(facts: Facts, limits: Limits) -> Iterator[Finding]:
    """It is called parked and moves, or moving and stands, for half a second or more.

    What is said of a track as a whole holds if it moves, or stands, at any time.
    """
    known = facts.motion.others >= limits["least_others"]
    speed_mps = np.where(known, facts.motion.speed_mps, np.nan)
    for track in np.flatnonzero([said_of_track(track) for track in facts.tracks]):
        speed_mps[facts.rows(int(track))] = np.nanmax(speed_mps[facts.rows(int(track))], initial=0.0)
    names = {name for a in facts.annotations for name in a.attributes} | _of_tracks(facts)
    for name in sorted(name for name in names if name.rsplit(".", 1)[-1].lower() in MOVING):
        said = np.array([_said_of(facts, row, name) for row in range(len(facts))], dtype=np.float64)
        for moves, wrong, words in (
            (False, (said == 0) & (speed_mps > limits["fast_mps"]), "is called standing and goes at"),
            (True, (said == 1) & (speed_mps < limits["slow_mps"]), "is called moving and stands, at"),
        ):
            for rows in facts.episodes(known & wrong):
                if len(rows) < limits["least_frames"]:
                    continue
                middle = float(np.median(speed_mps[rows]))
                limit = limits["slow_mps" if moves else "fast_mps"]
                told = f"{words} {middle:.1f} m/s {frames_said(rows)} ({name})"
                yield boxes_found(facts, rows, told, value=middle, limit=limit)


def _of_tracks(facts: Facts) -> set[str]:
    return {name for track in facts.tracks for name in track.attributes}


def _said_of(facts: Facts, row: int, name: str) -> float:
    """1 or 0 by what an attribute of a box, or of its track, says of motion; not a number if nothing."""
    for attributes in (facts.annotations[row].attributes, facts.tracks[int(facts.owners[row])].attributes):
        told = _said({name: attributes[name]}) if name in attributes else None
        if told is not None:
            return float(told)
    return float("nan")


def said_of_track(track: Track) -> bool:
    """Whether it is the track as a whole that something is said of."""
    return _said(track.attributes) is not None


def _said(attributes: Attributes) -> bool | None:
    for name, value in attributes.items():
        last = name.rsplit(".", 1)[-1].lower()
        if last in MOVING and (told := _moves(value, last in REVERSED)) is not None:
            return told
    return None


def _moves(value: Json, reversed_: bool) -> bool | None:
    if isinstance(value, bool):
        return value is not reversed_
    if not isinstance(value, str) or not value:
        return None
    word = value.rsplit(".", 1)[-1].lower()
    if any(still in word for still in STILL_WORDS):
        return False
    return True if "moving" in word else None
