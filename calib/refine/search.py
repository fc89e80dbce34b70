"""Finding the highest place of a rough landscape of six numbers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from calib.types import F64

POPULATION, ELITE = 160, 0.2
LEARNED = 0.6

Scores = Callable[[F64], F64]


def climb(scores: Scores, start: F64, spread: F64, generations: int, rng: np.random.Generator) -> F64:
    """Samples about a place, moves to the mean of the best, and again (the cross-entropy method).

    The shape of the cloud follows the best samples as in CMA-ES (rank-mu update, Hansen 2016), so that it
    can run along a ridge.

    Args:
        scores: of (C, 6) places, the higher the better.
        start: (6,) first place.
        spread: (6,) standard deviations of the first samples; zero keeps a number as it is.
        generations: how often.
        rng: source of the samples.

    Returns:
        (6,) the last mean.
    """
    free = np.flatnonzero(spread > 0)
    mean, covariance = start.copy(), np.eye(len(free))
    count = max(int(ELITE * POPULATION), 2)
    shares = np.log(count + 0.5) - np.log(np.arange(1, count + 1))
    shares /= shares.sum()
    for _ in range(generations):
        axes = np.linalg.cholesky(covariance + 1e-9 * np.eye(len(free)))
        half = rng.standard_normal((POPULATION // 2, len(free)))
        steps = np.concatenate([half, -half]) @ axes.T
        places = np.tile(mean, (POPULATION, 1))
        places[:, free] += steps * spread[free]
        best = steps[np.argsort(scores(places), kind="stable")[::-1][:count]]
        mean[free] += shares @ best * spread[free]
        covariance = (1 - LEARNED) * covariance + LEARNED * (best * shares[:, None]).T @ best
    return mean
