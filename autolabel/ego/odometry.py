"""Where the car went, as its LiDAR alone tells."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import chain, islice

import numpy as np

from autolabel.ego.config import MatchingConfig
from autolabel.ego.scans import FIRST_FRAMES, ThinSweep, thinned
from autolabel.ego.screws import screw, screw_of, screws, screws_of
from autolabel.ego.surfels import Match, SurfelMap
from calib.se3 import SE3, SE3Batch
from calib.types import F32, F64, I64, Bools
from fusion.trajectory import Trajectory

COARSE_SCALES, FINE_SCALES = (10.0, 3.0), (5.0, 2.0)
COARSE_ROUNDS, FINE_ROUNDS = 8, 10
SURE_SHARE, SURE_POINTS, KEPT_SHARE = 0.1, 80, 0.85
BENT_M = 0.03
FIRST_SCANS = 6
STARTING_STEPS, STEP_NS = 8, 100_000_000
FITTING_M, FITTING_RAD = 0.12, 0.01
STARTING_MPS = tuple(np.arange(0.0, 42.0, 4.0).tolist())


@dataclass(frozen=True, eq=False, slots=True)
class Track:
    """The car's way from scan to scan, in the frame of the first of them.

    Attributes:
        frames_ns: (K,) the frames that have a scan.
        start_from_ego: K poses.
        information: (K, 6, 6) of a turn about the car (rad) and a shift (m), in the axes of `start`.
        shares: (K,) of the points that met something known.
        costs: (K,) how badly the points fit.
        sure: (K,) whether the scan could be laid on those before; the first always.
    """

    frames_ns: I64
    start_from_ego: SE3Batch
    information: F64
    shares: F64
    costs: F64
    sure: Bools

    @property
    def way_m(self) -> float:
        """How far the car went."""
        return float(np.linalg.norm(np.diff(self.start_from_ego.translations, axis=0), axis=1).sum())


@dataclass(eq=False, slots=True)
class Follower:
    """Lays scan after scan on the map of those before.

    Attributes:
        config: how.
        given: poses that may help; those that do not fit the scans are not believed.
        twist: how the car moves, rad/s and m/s in its own axes.
    """

    config: MatchingConfig
    given: Trajectory | None = None
    twist: F64 = field(default_factory=lambda: np.zeros(6))
    _coarse: SurfelMap = field(init=False, repr=False)
    _fine: SurfelMap = field(init=False, repr=False)
    _rows: list[tuple[int, Match, bool]] = field(init=False, repr=False, default_factory=list)

    def __post_init__(self) -> None:
        self._coarse = SurfelMap(self.config.coarse_cell_m, self.config)
        self._fine = SurfelMap(self.config.fine_cell_m, self.config)

    def add(self, scan: ThinSweep) -> Match:
        """Finds where the car was at the next scan, and adds what it saw to the map."""
        if not self._rows:
            start = Match(SE3.identity(), 0.0, 0, 1.0, np.zeros((6, 6)))
            points, _ = self._unbent(scan)
            few = thinned(points, self.config.matched_cell_m, self.config)
            return self._keep(scan, points, few, start, True)
        last_ns, last, _ = self._rows[-1]
        step_s = (scan.frame_ns - last_ns) / 1e9
        points, as_given = self._unbent(scan)
        few = thinned(points, self.config.matched_cell_m, self.config)
        match = self._matched(points[few], self._steps(last_ns, scan.frame_ns), last)
        sure = _is_sure(match)
        if sure:
            twist = screw_of(last.map_from_ego.inverse() @ match.map_from_ego) / step_s
            bent_m = np.abs((twist - self.twist)[3:] * step_s).max()
            self.twist = twist
            if scan.is_bent and not as_given and bent_m > BENT_M:
                points, _ = self._unbent(scan)
                match = self._fine.align(points[few], match.map_from_ego, FINE_SCALES, FINE_ROUNDS)
                self.twist = screw_of(last.map_from_ego.inverse() @ match.map_from_ego) / step_s
        return self._keep(scan, points, few, match, sure)

    def track(self) -> Track:
        """What was found so far."""
        matches = [match for _, match, _ in self._rows]
        return Track(
            np.array([frame_ns for frame_ns, _, _ in self._rows], dtype=np.int64),
            SE3Batch.stack(match.map_from_ego for match in matches),
            np.array([match.information for match in matches]).reshape(-1, 6, 6),
            np.array([match.share for match in matches]),
            np.array([match.cost for match in matches]),
            np.array([sure for _, _, sure in self._rows], dtype=bool),
        )

    def _keep(self, scan: ThinSweep, points: F32, few: I64, match: Match, sure: bool) -> Match:
        self._rows.append((scan.frame_ns, match, sure))
        self._coarse.insert(points if len(self._rows) <= FIRST_FRAMES else points[few], match.map_from_ego)
        self._fine.insert(points, match.map_from_ego)
        return match

    def _steps(self, last_ns: int, frame_ns: int) -> list[SE3]:
        """How the car may have moved to the next frame.

        As given where that is about as before; else either way; any speed at the beginning.
        """
        step_s = (frame_ns - last_ns) / 1e9
        even = screw(self.twist * step_s)
        steps, given = [even], self.given
        if given is not None and given.covers(last_ns) and given.covers(frame_ns):
            world_from_ego = given.at_many([last_ns, frame_ns])
            ego_at_last_from_ego = world_from_ego[0].inverse() @ world_from_ego[1]
            if len(self._rows) > 1 and _alike(SE3Batch.stack([even]), SE3Batch.stack([ego_at_last_from_ego])):
                return [ego_at_last_from_ego]
            steps.append(ego_at_last_from_ego)
        if len(self._rows) == 1:
            steps += [SE3(np.eye(3), np.array([v * step_s, 0, 0])) for v in STARTING_MPS]
        return steps

    def _matched(self, points: F32, steps: list[SE3], last: Match) -> Match:
        """How points lie on the map: at once where the step is clear, else by way of a coarser map."""
        guesses = [last.map_from_ego @ ego_at_last_from_ego for ego_at_last_from_ego in steps]
        if len(guesses) == 1:
            match = self._fine.align(points, guesses[0], FINE_SCALES, FINE_ROUNDS)
            if match.share > KEPT_SHARE * last.share:
                return match
        guess = min(guesses, key=lambda guess: self._coarse.cost(points, guess, COARSE_SCALES[0]))
        rough = self._coarse.align(points, guess, COARSE_SCALES, COARSE_ROUNDS)
        match = self._fine.align(points, rough.map_from_ego, FINE_SCALES, FINE_ROUNDS)
        if not _is_sure(match) and _is_sure(rough):
            return rough
        if not _is_sure(match):
            return replace(match, map_from_ego=guesses[-1] if len(steps) == 2 else guesses[0])
        return match

    def _unbent(self, scan: ThinSweep) -> tuple[F32, bool]:
        """The points as the car standing still would see them, and whether it moved as given meanwhile."""
        if not scan.is_bent:
            return scan.points_ego(), False
        motion, as_given = self._motion_in(scan)
        return scan.points_ego(motion), as_given

    def _motion_in(self, scan: ThinSweep) -> tuple[SE3Batch, bool]:
        """How the car moved in a sweep: as given (True) where that fits its motion so far, else evenly."""
        knots_ns = scan.knots_ns()
        even = screws(self.twist * ((knots_ns - scan.frame_ns) / 1e9)[:, None])
        given = self.given
        if given is None or not (given.covers(int(knots_ns[0])) and given.covers(int(knots_ns[-1]))):
            return even, False
        world_from_ego = given.at_many(np.append(knots_ns, scan.frame_ns))
        ego_at_frame_from_world = world_from_ego[len(knots_ns)].inverse()
        said = ego_at_frame_from_world @ world_from_ego.take(slice(None, -1))
        return (said, True) if _alike(even, said) else (even, False)


def _is_sure(match: Match) -> bool:
    return match.share >= SURE_SHARE and match.met >= SURE_POINTS


def _alike(some: SE3Batch, others: SE3Batch) -> bool:
    """Whether two motions are about the same."""
    apart_m = np.abs(some.translations - others.translations).max()
    return bool(apart_m < FITTING_M and np.abs(some.rotations - others.rotations).max() < FITTING_RAD)


def usual_twist(given: Trajectory, start_ns: int) -> F64:
    """(6,) how a car moves at the beginning, rad/s and m/s, whatever single poses say."""
    times_ns = start_ns + np.arange(STARTING_STEPS + 1, dtype=np.int64) * STEP_NS
    times_ns = times_ns[(times_ns >= given.start_ns) & (times_ns <= given.end_ns)]
    if len(times_ns) < 2:
        return np.zeros(6)
    world_from_ego = given.at_many(times_ns)
    ego_from_ego_at_next = world_from_ego.take(slice(None, -1)).inverse() @ world_from_ego.take(
        slice(1, None)
    )
    return np.asarray(np.median(screws_of(ego_from_ego_at_next), axis=0) / (STEP_NS / 1e9))


def follow(
    scans: Iterable[ThinSweep | None],
    config: MatchingConfig,
    given: Trajectory | None = None,
) -> Track:
    """Lays all scans of a drive on each other, one after the other; few of them are held at a time."""
    seen = (scan for scan in scans if scan is not None and len(scan.sweep))
    first = list(islice(seen, FIRST_SCANS))
    follower = Follower(config, given, _first_twist(first, config, given))
    for scan in chain(first, seen):
        follower.add(scan)
    return follower.track()


def _first_twist(scans: list[ThinSweep], config: MatchingConfig, given: Trajectory | None) -> F64:
    """How the car moves at the beginning: as given or, where nothing is, as the first scans tell."""
    if given is not None and scans:
        return usual_twist(given, scans[0].frame_ns)
    trial = Follower(config)
    for scan in scans:
        trial.add(scan)
    if len(scans) < 3:
        return trial.twist
    # The first step is the one that bent scans spoil.
    found = trial.track()
    poses, seconds = found.start_from_ego.take(slice(1, None)), np.diff(found.frames_ns[1:]) / 1e9
    steps = poses.take(slice(None, -1)).inverse() @ poses.take(slice(1, None))
    return np.asarray((screws_of(steps) / seconds[:, None])[0])


def completed(track: Track, frames_ns: I64, world_from_ego: SE3Batch) -> Track:
    """The track at all frames: between those that scans were laid on, the poses give its shape.

    Args:
        track: at some of the frames.
        frames_ns: (F,) all frames.
        world_from_ego: F poses without jumps.
    """
    count, rows = len(frames_ns), np.flatnonzero(track.sure)
    nothing, none = np.zeros((count, 6, 6)), np.zeros(count, dtype=bool)
    filled = Track(frames_ns, world_from_ego, nothing, np.zeros(count), np.ones(count), none)
    if len(rows) == 0:
        return filled
    frames = np.searchsorted(frames_ns, track.frames_ns[rows])
    start_from_ego = track.start_from_ego.take(rows)
    ego_at_given_from_world = world_from_ego[int(frames[0])].inverse()
    start_from_ego_at_given = start_from_ego[0] @ ego_at_given_from_world @ world_from_ego
    ego_at_given_from_ego = start_from_ego_at_given.take(frames).inverse() @ start_from_ego
    amends = Trajectory(track.frames_ns[rows], ego_at_given_from_ego)
    ego_at_given_from_ego = amends.at_many(np.clip(frames_ns, amends.start_ns, amends.end_ns))
    for column, values in (
        (filled.sure, track.sure),
        (filled.shares, track.shares),
        (filled.costs, track.costs),
        (filled.information, track.information),
    ):
        column[frames] = values[rows]
    return replace(filled, start_from_ego=start_from_ego_at_given @ ego_at_given_from_ego)
