"""What stands still is aligned in some frames only."""

import numpy as np

from autolabel.points.evidence import MOST_AT_REST, _chosen
from autolabel.smoother import Motion


def motion(count: int, speed_mps: float) -> Motion:
    still = np.zeros((count, 3))
    velocities = np.tile([speed_mps, 0.0, 0.0], (count, 1))
    return Motion(np.arange(count) / 10, still, still[:, 0], velocities, still[:, 0], np.zeros((count, 3, 3)))


def test_what_moves_is_aligned_in_every_frame():
    assert _chosen(300, motion(300, 2.0)).all()


def test_what_stands_is_aligned_in_some_frames_spread_over_all():
    chosen = np.flatnonzero(_chosen(300, motion(300, 0.0)))
    assert len(chosen) == MOST_AT_REST
    assert chosen[0] == 0 and chosen[-1] == 299
    assert np.diff(chosen).max() - np.diff(chosen).min() <= 1


def test_few_frames_are_all_looked_at():
    assert _chosen(MOST_AT_REST, motion(MOST_AT_REST, 0.0)).all()
