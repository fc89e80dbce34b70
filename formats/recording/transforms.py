"""The frames of a recording: which is fixed to which, and where the moving ones were when (REP 105)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import reduce
from operator import matmul
from typing import Any

import numpy as np

from calib.se3 import SE3, SE3Batch
from calib.types import F64, I64, Bools
from formats.recording.decode import stamp_ns
from fusion.trajectory import Trajectory

STILL_M, STILL = 1e-6, 1e-7
# No frame is so many metres off, not even one of the earth's.
FARTHEST = 1e8
Numbers = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Edge:
    """One frame in another, over time.

    Attributes:
        parent: the frame that the numbers are in.
        child: the frame that they place.
        times_ns: rising; of one entry for what never moves.
        parent_from_child: a pose an instant.
        still: whether it is everywhere the same.
    """

    parent: str
    child: str
    times_ns: I64
    parent_from_child: SE3Batch
    still: bool


@dataclass(slots=True)
class Gathered:
    """Transforms as they come."""

    rows: dict[tuple[str, str], dict[int, Numbers]] = field(default_factory=dict)
    static: set[tuple[str, str]] = field(default_factory=set)

    def add(self, message: Any, *, static: bool) -> None:
        """Those of one message, of ROS or of Foxglove.

        Raises:
            ValueError: a time that cannot be.
        """
        if not hasattr(message, "transforms"):
            self._add(message, static)
        for one in getattr(message, "transforms", ()):
            self._add(one, static)

    def _add(self, one: Any, static: bool) -> None:
        if hasattr(one, "parent_frame_id"):
            ends, turn, place = (one.parent_frame_id, one.child_frame_id), one.rotation, one.translation
        else:
            ends = one.header.frame_id, one.child_frame_id
            turn, place = one.transform.rotation, one.transform.translation
        key = ends[0].lstrip("/"), ends[1].lstrip("/")
        numbers = (turn.w, turn.x, turn.y, turn.z, place.x, place.y, place.z)
        self.rows.setdefault(key, {})[stamp_ns(one)] = tuple(float(number) for number in numbers)
        if static:
            self.static.add(key)

    def edges(self) -> Iterator[Edge]:
        """All that were told of, without those whose numbers are no transform."""
        for (parent, child), rows in self.rows.items():
            table: F64 = np.array([rows[t] for t in sorted(rows)], dtype=np.float64).reshape(-1, 7)
            fit: Bools = np.asarray((np.abs(table) < FARTHEST).all(axis=1))
            fit[fit] = np.abs(np.linalg.norm(table[fit, :4], axis=1) - 1) < 0.01
            times_ns: I64 = np.array(sorted(rows), dtype=np.int64)[fit]
            if parent == child or not len(times_ns):
                continue
            poses = SE3Batch.from_quaternions_wxyz(table[fit, :4], table[fit, 4:])
            still = (parent, child) in self.static or _is_still(poses)
            if still:
                times_ns, poses = times_ns[-1:], poses.take(slice(len(poses) - 1, None))
            yield Edge(parent, child, times_ns, poses, still)


def _is_still(poses: SE3Batch) -> bool:
    moved_m = float(np.abs(poses.translations - poses.translations[0]).max())
    return moved_m <= STILL_M and float(np.abs(poses.rotations - poses.rotations[0]).max()) <= STILL


@dataclass(frozen=True, slots=True)
class Frames:
    """All frames and what connects them."""

    edges: tuple[Edge, ...]

    def names(self) -> set[str]:
        """Of all frames."""
        return {name for edge in self.edges for name in (edge.parent, edge.child)}

    def way(self, dst: str, src: str, *, still: bool) -> list[tuple[Edge, bool]] | None:
        """Edges from one frame to another, each with whether it is walked from parent to child.

        Args:
            dst: where the way begins.
            src: where it ends.
            still: whether only edges count that never move.

        Returns:
            None where the frames are not connected.
        """
        usable = [edge for edge in self.edges if edge.still or not still]
        around: dict[str, list[tuple[str, Edge, bool]]] = {}
        for edge in usable:
            around.setdefault(edge.parent, []).append((edge.child, edge, True))
            around.setdefault(edge.child, []).append((edge.parent, edge, False))
        found: dict[str, list[tuple[Edge, bool]]] = {dst: []}
        todo = deque([dst])
        while todo and src not in found:
            name = todo.popleft()
            for other, edge, down in around.get(name, ()):
                if other not in found:
                    found[other] = [*found[name], (edge, down)]
                    todo.append(other)
        return found.get(src)

    def fixed(self, dst: str, src: str) -> SE3 | None:
        """Returns dst_from_src of two frames that never move against each other; None where they are not."""
        way = self.way(dst, src, still=True)
        if way is None:
            return None
        steps = [(edge.parent_from_child[0], down) for edge, down in way]
        return reduce(
            matmul,
            (parent_from_child if down else parent_from_child.inverse() for parent_from_child, down in steps),
            SE3.identity(),
        )

    def moving(self, world: str, ego: str) -> Trajectory | None:
        """Where a frame was in another, at the instants of the edge that tells most often.

        Slower ones between the two are interpolated; where one of them is silent, nothing is known.
        """
        way = self.way(world, ego, still=False)
        if not way or all(edge.still for edge, _ in way):
            return None
        times_ns = max((edge.times_ns for edge, _ in way if not edge.still), key=len)
        first_ns = max(int(edge.times_ns[0]) for edge, _ in way if not edge.still)
        last_ns = min(int(edge.times_ns[-1]) for edge, _ in way if not edge.still)
        times_ns = times_ns[(times_ns >= first_ns) & (times_ns <= last_ns)]
        if not len(times_ns):
            return None
        count = len(times_ns)
        steps = []
        for edge, down in way:
            instants = np.full(count, edge.times_ns[0]) if edge.still else times_ns
            parent_from_child = Trajectory(edge.times_ns, edge.parent_from_child).at_many(instants)
            steps.append(parent_from_child if down else parent_from_child.inverse())
        return Trajectory(times_ns, reduce(matmul, steps))

    def top(self, name: str) -> str:
        """The frame that a frame hangs on in the end, from child to parent."""
        above = {edge.child: edge.parent for edge in self.edges}
        seen = {name}
        while name in above and above[name] not in seen:
            name = above[name]
            seen.add(name)
        return name

    def fixed_top(self, name: str) -> str:
        """The highest frame that a frame is fixed to."""
        above = {edge.child: edge.parent for edge in self.edges if edge.still}
        seen = {name}
        while name in above and above[name] not in seen:
            name = above[name]
            seen.add(name)
        return name


def first_of(names: Iterable[str], known: Iterable[str]) -> str | None:
    """The first of some names that is known."""
    there = set(known)
    return next((name for name in names if name in there), None)
