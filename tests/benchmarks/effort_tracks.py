"""Whole tracks made by a scripted annotator: one box is drawn, the rest solved, what is wrong repaired."""

from __future__ import annotations

import time

import numpy as np

from fusion.boxes import Boxes
from fusion.categories import kind_of
from fusion.labels import Track
from fusion.overlap import count_points_in_boxes
from tests.benchmarks.effort_drives import LEAST_POINTS, Drive, desk_with
from tests.benchmarks.effort_page import Cost
from tests.benchmarks.effort_person import GOOD, Person, iou
from viewer.frames.cache import FrameCache

STANDS_M, DRIVES_M = 0.3, 5.0
MOST, ROUNDS, REPAIRS = 12, 3, 4
SEEN_POINTS, SEEN_FRAMES = 5, 8
ENOUGH = 0.9
WAIT_S, BY_ITSELF_S = 120.0, 1.0


def track_costs(drive: Drive, hand_px: float) -> list[Cost]:
    """Of parked and of moving vehicles over all frames in which they are seen."""
    cache, found = FrameCache(drive.log), []
    counts = _counts(drive, cache)
    random = np.random.default_rng(0)
    with desk_with(drive, cache, 0) as desk:
        person = Person(desk, random, hand_px)
        for job in ("parked", "moving"):
            tracks = [t for t in drive.truth.tracks.values() if _job(drive, t) == job]
            mine = [track for track in tracks if _seen_well(counts[track.id])]
            some = [mine[number] for number in random.permutation(len(mine))[:MOST]]
            found += [_cost(drive, cache, person, track, counts[track.id], job) for track in some]
    cache.close()
    return found


def _cost(
    drive: Drive, cache: FrameCache, person: Person, truth: Track, counts: dict[int, int], job: str
) -> Cost:
    """One object: drawn where most of it is seen, solved, and repaired in its worst frame while not good."""
    session, before = person.desk.session, person.actions
    best_ns = max(counts, key=lambda t: counts[t])
    frame = int(np.searchsorted(drive.log.timestamps_ns, best_ns))
    cache.wait(frame)
    session.go_to(frame)
    session.select(None)
    person.desk.category, box = truth.category, truth.annotations[best_ns].box
    person.draw(box, truth.category)
    while person.iou(box) < GOOD and session.annotation is not None and person.actions - before < REPAIRS:
        person.improve(box)
    seen: list[float] = []
    for _ in range(ROUNDS):
        _solve(person)
        good = _ious(session.track, truth, counts)
        seen.append(float(np.mean([value >= GOOD for value in good.values()])))
        if seen[-1] >= ENOUGH or len(seen) == ROUNDS:
            break
        _repair(person, cache, truth, min(good, key=lambda t: good[t]))
    away_m, actions = float(np.hypot(*box.center[:2])), person.actions - before
    done = 1.0 if seen[-1] >= ENOUGH else 0.0
    return Cost(job, drive.real, "vehicles", away_m, counts[best_ns], actions, seen[0], done)


def _solve(person: Person) -> None:
    """Has the track solved again and takes that over: R, and R again; once where it is solved by itself."""
    proposals, began_s = person.desk.proposals, time.monotonic()
    while proposals.ghost is None and (proposals.busy or time.monotonic() - began_s < BY_ITSELF_S):
        time.sleep(0.01)
    if proposals.ghost is None:
        person.press("track.refit")
    while proposals.ghost is None and time.monotonic() - began_s < WAIT_S:
        time.sleep(0.01)
    person.press("track.refit")


def _repair(person: Person, cache: FrameCache, truth: Track, time_ns: int) -> None:
    """A click on the timeline at the worst frame, then the box there is put right."""
    session, box = person.desk.session, truth.annotations[time_ns].box
    frame = int(np.searchsorted(person.desk.session.log.timestamps_ns, time_ns))
    cache.wait(frame)
    person.desk.effort.noticed()
    session.go_to(frame)
    person.desk.effort.did("mouse")
    if session.annotation is None:
        person.press("object.paste")
    if session.annotation is not None:
        person.press("box.fit")
        if person.iou(box) < GOOD:
            person.improve(box)


def _ious(made: Track | None, truth: Track, counts: dict[int, int]) -> dict[int, float]:
    """How good the box is in each frame in which the object is seen; 0 where there is none."""
    there = {} if made is None else made.annotations
    seen = [t for t, count in counts.items() if count >= SEEN_POINTS]
    return {t: iou(there[t].box, truth.annotations[t].box) if t in there else 0.0 for t in seen}


def _job(drive: Drive, track: Track) -> str | None:
    """Whether a vehicle stands all the while, or drives."""
    if not kind_of(track.category).is_vehicle or len(track.annotations) < SEEN_FRAMES:
        return None
    places = []
    for t, annotation in track.annotations.items():
        world_from_ego = drive.log.trajectory.at(t)
        places.append((world_from_ego @ annotation.box.center)[:2])
    reach_m = float(np.linalg.norm(np.ptp(places, axis=0)))
    return "parked" if reach_m < STANDS_M else "moving" if reach_m > DRIVES_M else None


def _seen_well(counts: dict[int, int]) -> bool:
    seen = sum(count >= SEEN_POINTS for count in counts.values())
    return seen >= SEEN_FRAMES and max(counts.values()) >= LEAST_POINTS


def _counts(drive: Drive, cache: FrameCache) -> dict[str, dict[int, int]]:
    """By track and instant, how many points lie in each true box."""
    found: dict[str, dict[int, int]] = {name: {} for name in drive.truth.tracks}
    for frame, time_ns in enumerate(drive.log.timestamps_ns.tolist()):
        there = [(t.id, a.box) for t in drive.truth.tracks.values() if (a := t.annotations.get(time_ns))]
        boxes = Boxes.stack(box for _, box in there)
        counts = count_points_in_boxes(cache.wait(frame).cloud.points, boxes)
        for (name, _), count in zip(there, counts, strict=True):
            found[name][time_ns] = int(count)
    return found
