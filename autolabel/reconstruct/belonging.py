"""Which detection is whose, where some boxes of each object are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from autolabel.associate import best_pairs
from autolabel.detections import Detections
from autolabel.reconstruct.config import ReconstructConfig
from autolabel.reconstruct.evidence import Evidence
from autolabel.reconstruct.measure import doubts
from autolabel.reconstruct.trace import Trace, trace
from autolabel.world import LocalWorld
from calib.se3 import SE3Batch
from calib.types import F64, I64
from fusion.boxes import Boxes
from fusion.categories import Kind, kind_of
from fusion.overlap import iou_bev

ROUNDS = 8
GATE = 4.0
FARTHEST_SIGMA_M = 2.0


@dataclass(frozen=True, eq=False, slots=True)
class Known:
    """An object of which some boxes are known.

    Attributes:
        kind: what it is.
        evidence: what is known of it.
        frames_ns: where it may be.
    """

    kind: Kind
    evidence: Evidence
    frames_ns: I64


def claimed(
    objects: Sequence[Known],
    detections: Detections,
    chains: Sequence[I64],
    labelled_ns: I64,
    world: LocalWorld,
    settings: ReconstructConfig,
) -> list[I64]:
    """For each object the detections that are its own, at most one an instant, none of two objects'.

    Chains of detections that pass a given box begin it. Then paths grow from what is known: in each round
    every detection near a path, as sure as that is there, goes to the object that it fits best (Hungarian
    method), and the paths are drawn anew.
    """
    if len(detections) == 0:
        return [np.zeros(0, dtype=np.int64) for _ in objects]
    kinds = [kind_of(name) for name in detections.categories]
    own = [np.array([known.kind is k for k in kinds], dtype=np.bool_) for known in objects]
    claims = _begun(objects, detections, chains, labelled_ns, world)
    costs: list[tuple[I64, F64]] = [(np.zeros(0, dtype=np.int64), np.zeros(0))] * len(objects)
    stale = [True] * len(objects)
    for _ in range(ROUNDS):
        for number, known in enumerate(objects):
            if stale[number]:
                with_claims = replace(known.evidence, detections=detections.take(claims[number]))
                path = trace(with_claims, known.frames_ns, known.kind, world, settings)
                costs[number] = _costs(path, known, detections, own[number], settings)
        fresh = _assigned(costs, detections.times_ns)
        stale = [not np.array_equal(a, b) for a, b in zip(fresh, claims, strict=True)]
        claims = fresh
        if not any(stale):
            break
    return claims


def _costs(
    path: Trace, known: Known, detections: Detections, own: np.ndarray, settings: ReconstructConfig
) -> tuple[I64, F64]:
    """The detections within the gate, and how ill each fits: squared deviations less what sureness gains."""
    row = np.searchsorted(path.times_ns, detections.times_ns)
    row[row == len(path.times_ns)] = 0
    at = np.nonzero(own & (path.times_ns[row] == detections.times_ns))[0]
    allowed = np.isin(detections.times_ns[at], known.frames_ns)
    at = at[allowed]
    there = row[at]
    away = detections.boxes.dst_from_box.translations[at, :2] - path.motion.places[there, :2]
    longest_m = 0.5 * path.size_lwh_m[0] + 2.0
    covariance = path.motion.covariances[there, :2, :2]
    sure = np.trace(covariance, axis1=1, axis2=2) < 2 * FARTHEST_SIGMA_M**2
    kept = sure & (np.linalg.norm(away, axis=1) < longest_m)
    at, away, covariance = at[kept], away[kept], covariance[kept]
    sigmas_m = settings.accuracy_of(known.kind).along_m * doubts(detections.scores[at], settings)
    total = covariance + (sigmas_m**2 + 0.1**2)[:, None, None] * np.eye(2)
    squared = np.einsum("ni,nij,nj->n", away, np.linalg.inv(total), away)
    cost = squared + np.log(np.linalg.det(total))
    near = squared < GATE**2
    return at[near], cost[near]


def _assigned(costs: list[tuple[I64, F64]], times_ns: I64) -> list[I64]:
    from scipy.optimize import linear_sum_assignment

    number = np.concatenate([np.full(len(at), n) for n, (at, _) in enumerate(costs)] or [np.zeros(0)])
    at = np.concatenate([a for a, _ in costs]).astype(np.int64)
    cost = np.concatenate([c for _, c in costs])
    order = np.argsort(times_ns[at], kind="stable")
    number, at, cost = number[order].astype(np.int64), at[order], cost[order]
    claims: list[list[int]] = [[] for _ in costs]
    for part in np.split(np.arange(len(at)), np.nonzero(np.diff(times_ns[at]))[0] + 1):
        if len(part) == 0:
            continue
        rows, r = np.unique(number[part], return_inverse=True)
        columns, c = np.unique(at[part], return_inverse=True)
        matrix = np.full((len(rows), len(columns)), 1e4)
        matrix[r, c] = cost[part]
        for i, j in zip(*linear_sum_assignment(matrix), strict=True):
            if matrix[i, j] < 1e4:
                claims[rows[i]].append(int(columns[j]))
    return [np.array(c, dtype=np.int64) for c in claims]


def _begun(
    objects: Sequence[Known],
    detections: Detections,
    chains: Sequence[I64],
    labelled_ns: I64,
    world: LocalWorld,
) -> list[I64]:
    """For each object the detections of the chains that pass its given boxes, up to the next such box.

    A chain that passes a labelled instant where no object is given is cut there.
    """
    owner = _owners(objects, detections, labelled_ns)
    claims: list[list[int]] = [[] for _ in objects]
    for chain in chains:
        marks = np.nonzero(np.isin(detections.times_ns[chain], labelled_ns))[0]
        if len(marks) == 0:
            continue
        position = np.arange(len(chain))
        nearest = marks[np.abs(position[:, None] - marks).argmin(axis=1)]
        for number in {owner[i] for i in chain[marks]} - {-1}:
            own = chain[[owner[i] == number for i in chain[nearest]]]
            own = own[np.isin(detections.times_ns[own], objects[number].frames_ns)]
            claims[number] += own.tolist()
    return [_one_an_instant(np.array(sorted(c), dtype=np.int64), detections) for c in claims]


def _owners(objects: Sequence[Known], detections: Detections, labelled_ns: I64) -> I64:
    """(N,) for detections at labelled instants the object whose given box they overlap most; else -1."""
    owner = np.full(len(detections), -1, dtype=np.int64)
    given_ns = np.concatenate([known.evidence.keys.times_ns for known in objects])
    number = np.repeat(np.arange(len(objects)), [len(known.evidence.keys) for known in objects])
    row = np.concatenate([np.arange(len(known.evidence.keys)) for known in objects])
    for instant in np.intersect1d(given_ns, detections.times_ns):
        here = np.nonzero(detections.times_ns == instant)[0]
        who, which = number[given_ns == instant], row[given_ns == instant]
        keys = [objects[n].evidence.keys for n in who]
        local_from_box = SE3Batch.stack(k.local_from_box[r] for k, r in zip(keys, which, strict=True))
        given = Boxes(local_from_box, np.array([k.sizes_lwh_m[r] for k, r in zip(keys, which, strict=True)]))
        found = detections.boxes.take(here)
        for r, c in zip(*best_pairs(iou_bev(given, found), 0.2), strict=True):
            owner[here[c]] = who[r]
    return owner


def _one_an_instant(own: I64, detections: Detections) -> I64:
    """The surest of each instant: detections of an instant stand with the surest first."""
    return own[np.unique(detections.times_ns[own], return_index=True)[1]]
