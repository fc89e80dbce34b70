"""A robust regression whose observations come in groups, each with effects of its own.

Observations of one object are wrong together: its box is off, or its shape is unusual. Such effects are
random with a spread that the data tell, and whole groups may lie far out (Student's t; Lange, Little and
Taylor, 1989); single observations may be plain wrong (Huber's weights, then Tukey's biweight; Yohai, 1987).
How well the common numbers are known is told by leaving out one group after the other (jackknife; Quenouille,
Tukey), which holds for few groups and for errors that are alike within a group in ways that are not modelled.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from calib.types import F64, I64

HUBER, TUKEY = 1.345, 4.685
ROUNDS_HUBER, ROUNDS_TUKEY = 8, 8
FREEDOM = 4.0
MAD = 1.4826
SCALES = (0.5, 3.0)


@dataclass(frozen=True, eq=False, slots=True)
class Problem:
    """M observations in groups.

    Attributes:
        residuals: (M,) in units of their nominal standard deviation.
        common: (M, P) what the common numbers do to each, same units.
        own: (M, L) what the effects of its group do to each, same units.
        groups: (M,) number of the group, not falling.
        stiffness: (P,) one over the variance that the common numbers have beforehand; above zero.
        kinds: (L,) which of the effects share one spread.
        spreads: (K, 2) least and largest standard deviation of each kind of effects.
    """

    residuals: F64
    common: F64
    own: F64
    groups: I64
    stiffness: F64
    kinds: I64
    spreads: F64


@dataclass(frozen=True, eq=False, slots=True)
class Fit:
    """What came out.

    Attributes:
        values: (P,) the common numbers.
        scatter: (P, P) their covariance as groups tell it that are left out one after the other.
        expected: (P, P) their covariance as the spreads tell it.
        groups: (G,) the numbers of the groups.
        effects: (G, L) of each group.
        known: (G, L) the standard deviation of each effect, given the common numbers.
        spread: (L,) standard deviation of the effects between ordinary groups.
        rest: (M,) what is left of the observations, in units of what they scatter.
        scale: by how much observations scatter more than their nominal standard deviation.
    """

    values: F64
    scatter: F64
    expected: F64
    groups: I64
    effects: F64
    known: F64
    spread: F64
    rest: F64
    scale: float


def fit(problem: Problem) -> Fit:
    """The common numbers, the effects of every group, and how well they are known."""
    return _Solver(problem).solve()


class _Solver:
    """The state of the iteration: numbers, weights, spreads."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        groups, starts = np.unique(problem.groups, return_index=True)
        self.groups: I64 = groups
        bounds = np.append(starts, len(problem.groups)).tolist()
        self.parts = [slice(begin, end) for begin, end in pairwise(bounds)]
        shape = len(self.parts), problem.own.shape[1]
        self.values = np.zeros(problem.common.shape[1])
        self.effects: F64 = np.zeros(shape)
        self.known: F64 = np.zeros(shape)
        self.belief: F64 = np.ones(shape[0])
        self.spread: F64 = problem.spreads.mean(axis=1)[problem.kinds]
        self.weights: F64 = np.ones(len(problem.residuals))
        self.scale = 1.0
        # What each group adds to the curvature of the common numbers, and to the pull on them.
        self.curvatures = np.zeros((shape[0], len(self.values), len(self.values)))
        self.pulls = np.zeros((shape[0], len(self.values)))

    def solve(self) -> Fit:
        if self.parts:
            for _ in range(ROUNDS_HUBER):
                self._step()
                rest = np.abs(self._rest())
                self.scale = float(np.clip(MAD * np.median(rest), *SCALES))
                self.weights = np.minimum(1.0, HUBER * self.scale / np.maximum(rest, 1e-9))
            for _ in range(ROUNDS_TUKEY):
                far = self._rest() / (TUKEY * self.scale)
                self.weights = np.maximum(1 - far**2, 0.0) ** 2
                self._step()
        scatter, expected = self._covariances()
        effects = (self.groups, self.effects, self.known, self.spread)
        return Fit(self.values, scatter, expected, *effects, self._rest() / self.scale, self.scale)

    def _rest(self) -> F64:
        problem = self.problem
        rest = problem.residuals - problem.common @ self.values
        for group, part in enumerate(self.parts):
            rest[part] -= problem.own[part] @ self.effects[group]
        return np.asarray(rest)

    def _step(self) -> None:
        """Solves for all numbers with the weights as they are, then for the spread of the effects."""
        problem, solved = self.problem, []
        for group, part in enumerate(self.parts):
            root = np.sqrt(self.weights[part])[:, None] / self.scale
            common, own = problem.common[part] * root, problem.own[part] * root
            residuals = problem.residuals[part] * root[:, 0]
            inverse = np.linalg.inv(own.T @ own + np.diag(self.belief[group] / self.spread**2))
            across, toward = own.T @ common, own.T @ residuals
            self.curvatures[group] = common.T @ common - across.T @ inverse @ across
            self.pulls[group] = common.T @ residuals - across.T @ inverse @ toward
            solved.append((inverse, across, toward))
        curvature = self.curvatures.sum(axis=0) + np.diag(problem.stiffness)
        self.values = np.linalg.solve(curvature, self.pulls.sum(axis=0))
        for group, (inverse, across, toward) in enumerate(solved):
            self.effects[group] = inverse @ (toward - across @ self.values)
            self.known[group] = np.sqrt(np.diag(inverse))
        self._learn()

    def _learn(self) -> None:
        """How far each group is believed, and how much the effects of ordinary groups differ."""
        problem, squares = self.problem, self.effects**2 + self.known**2
        far = (squares / self.spread**2).sum(axis=1)
        self.belief = (FREEDOM + squares.shape[1]) / (FREEDOM + far)
        usual = (self.belief[:, None] * squares).mean(axis=0)
        for kind, (least, most) in enumerate(problem.spreads.tolist()):
            mine = problem.kinds == kind
            # Twice the step in the logarithm: the plain one comes near its end only slowly.
            self.spread[mine] = np.clip(usual[mine].mean() / self.spread[mine].mean(), least, most)

    def _covariances(self) -> tuple[F64, F64]:
        beforehand, count = np.diag(self.problem.stiffness), len(self.parts)
        curvature = self.curvatures.sum(axis=0) + beforehand
        inverse = np.linalg.inv(curvature)
        if count < 2:
            return inverse, inverse
        pull = self.pulls.sum(axis=0)
        without = np.linalg.solve(curvature - self.curvatures, (pull - self.pulls)[..., None])[..., 0]
        moved = without - self.values
        scatter = self._slack() ** 2 * (count - 1) / count * moved.T @ moved
        return np.asarray(scatter + inverse @ beforehand @ inverse), inverse

    def _slack(self) -> float:
        """By how much more the numbers follow the observations than with weights that are given."""
        square = np.minimum((self._rest() / (TUKEY * self.scale)) ** 2, 1.0)
        slopes = (1 - square) * (1 - 5 * square)
        return float(np.sum((1 - square) ** 2) / max(np.sum(slopes), 0.5 * len(square)))
