"""Search by example: scores from 1, like the liked, over 0, like nothing shown, to -1, like the unliked.

How much an object is like some examples is a Gaussian process through 1 at each of them, its kernel rational
quadratic (Rasmussen and Williams, 2006, chapters 2 and 4). Likeness to the unliked is taken off with less
weight than likeness to the liked is given (Rocchio, 1971): they stand for all that is wrong, and lie close
to what is right. What the liked have in common counts more (relevance feedback: Rui, Huang, Ortega and
Mehrotra, 1998; Ishikawa, Subramanya and Faloutsos, 1998).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from autolabel.similar.pool import Pool
from autolabel.similar.scale import ASPECTS, Vectors, share_of
from calib.errors import CrosslabelError
from calib.types import F64, I64

# At this squared distance an object is half as like as one that is the same; 1 is usual within a kind.
REACH, NUGGET, UNLIKED = 0.6, 0.05, 0.3
# One pair of likes is believed as much as that they have nothing in common; and nobody is ever quite alike.
DOUBT, LEAST_SPREAD = 1.0, 0.05
OTHERS = 5.0


@dataclass(frozen=True, eq=False, slots=True)
class Query:
    """What was asked.

    Attributes:
        liked: rows of the pool, at least one.
        unliked: rows of the pool.
        aspects: names out of `ASPECTS` that count; all where empty.

    Raises:
        CrosslabelError: no example, one that is both, or no such aspect.
    """

    liked: Sequence[int]
    unliked: Sequence[int] = ()
    aspects: Collection[str] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "liked", tuple(sorted(set(self.liked))))
        object.__setattr__(self, "unliked", tuple(sorted(set(self.unliked))))
        if not self.liked:
            raise CrosslabelError("a search needs an object that is liked")
        for name in self.aspects:
            if name not in ASPECTS:
                raise CrosslabelError(f"there is no aspect {name!r}; known are {', '.join(ASPECTS)}")


@dataclass(frozen=True, eq=False, slots=True)
class Answer:
    """How much each object of a pool is like the examples.

    Attributes:
        scores: (N,) in -1..1; of the examples 1 and -1.
        away: (N,) distance to the nearest liked one.
        nearest: (N,) row of that.
        shares: by block, how much it counted; they add up to 1.
    """

    scores: F64
    away: F64
    nearest: I64
    shares: dict[str, float]

    def first(self, rows: I64, count: int, query: Query) -> I64:
        """At most so many of these rows, the most alike first, without the examples."""
        rows = np.setdiff1d(rows, [*query.liked, *query.unliked])
        order = np.lexsort((rows, self.away[rows], -self.scores[rows]))
        return np.asarray(rows[order[:count]], dtype=np.int64)


def search(pool: Pool, query: Query, among: I64 | None = None) -> Answer:
    """Compares all objects of a pool with the examples.

    Args:
        pool: of all logs.
        query: the examples.
        among: rows of those that are looked through: what the liked have in common is told against these.

    Raises:
        CrosslabelError: an object is liked and unliked.
    """
    both = set(query.liked) & set(query.unliked)
    if both:
        raise CrosslabelError(f"{pool.ids[min(both)]} is both liked and unliked")
    shares = _shares(pool.vectors, query, np.arange(len(pool)) if among is None else among)
    examples = np.array([*query.liked, *query.unliked])
    squares = np.zeros((len(pool), len(examples)))
    for name, share in shares.items():
        usual = share_of(name, pool.vectors.columns)
        squares += share / usual * unlikeness(pool.vectors, name, examples)
    alike = 1.0 / (1.0 + squares / REACH)
    count = len(query.liked)
    scores = likeness(alike[:, :count], query.liked) - UNLIKED * likeness(alike[:, count:], query.unliked)
    scores = np.where(scores < 0, scores / UNLIKED, scores)
    scores[examples] = [1.0] * count + [-1.0] * len(query.unliked)
    liked = squares[:, :count]
    nearest = np.array(query.liked)[liked.argmin(axis=1)]
    return Answer(scores, np.sqrt(liked.min(axis=1)), nearest, shares)


def likeness(alike: F64, examples: Sequence[int]) -> F64:
    """(N,) from 0 to 1, of (N, M) likeness to each of the examples, given the rows that these are."""
    if not examples:
        return np.zeros(len(alike))
    pulls = np.linalg.solve(alike[list(examples)] + NUGGET * np.eye(len(examples)), np.ones(len(examples)))
    return np.asarray(np.clip(alike @ pulls, 0.0, 1.0), dtype=np.float64)


def unlikeness(vectors: Vectors, block: str, others: Sequence[int] | I64) -> F64:
    """(N, M) squared distances of all objects to some in one block; 0 of an object to itself."""
    part = vectors.rows[:, vectors.columns[block]].astype(np.float64)
    doubts, rows = vectors.doubts[:, [*vectors.columns].index(block)], np.asarray(others)
    lengths = np.einsum("ij,ij->i", part, part)
    squares = np.maximum(lengths[:, None] + lengths[rows] - 2 * (part @ part[rows].T), 0.0)
    squares += doubts[:, None] + doubts[rows]
    squares[rows, np.arange(len(rows))] = 0.0
    return np.asarray(squares, dtype=np.float64)


def _shares(vectors: Vectors, query: Query, among: I64) -> dict[str, float]:
    """By block how much it counts, 1 in all: the less the liked differ in it, the more."""
    chosen = {name for aspect in query.aspects for name in ASPECTS[aspect]} or set(vectors.columns)
    blocks = [name for name in vectors.columns if name in chosen]
    freed = {
        name: share_of(name, vectors.columns) / (_spread(vectors, query, name, among) + LEAST_SPREAD)
        for name in blocks
    }
    return {name: value / sum(freed.values()) for name, value in freed.items()}


def _spread(vectors: Vectors, query: Query, block: str, among: I64) -> float:
    """How much the liked differ in a block, against how they differ from the others; about 1 if not known."""
    count = len(query.liked)
    if count < 2:
        return 1.0
    squares = unlikeness(vectors, block, query.liked)
    within = float(squares[list(query.liked)].sum()) / (count * (count - 1))
    beyond = float(squares[among].mean())
    if query.unliked:
        unliked = float(squares[list(query.unliked)].mean())
        beyond = (OTHERS * beyond + len(query.unliked) * unliked) / (OTHERS + len(query.unliked))
    told = (count - 1) * (within / beyond if beyond > 0 else 1.0)
    return (DOUBT + told) / (DOUBT + count - 1)
