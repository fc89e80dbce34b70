"""Labels and logs as nobody wants them: one clear line, or findings, but never a crash."""

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from autolabel.candidates import candidates_of
from calib.errors import CrosslabelError
from calib.se3 import SE3Batch
from fusion.boxes import Box3D
from fusion.checks.check import Checked, check
from fusion.checks.queue import queue
from fusion.checks.statistics import Statistics
from fusion.edits import apply_automatic
from fusion.labels import Annotation, LabelSet, Track
from fusion.log import DriveLog
from fusion.trajectory import Trajectory
from tests.checks.made_streets import (
    RIGHT,
    START_NS,
    STEP_NS,
    labels_of,
    log_of,
)
from tests.viewer import odd_logs

FRAMES = 6


def asked(log: DriveLog, labels: LabelSet) -> Checked:
    """All of it, with the search, and what is made of the answer."""
    search = (lambda see: candidates_of(log, watcher=see)) if any(log.sweeps.values()) else None
    checked = check(log, labels, candidates=search)
    queue(checked.findings)
    Statistics.of(checked.facts)
    for one in checked.findings:
        assert one.words and all(np.isfinite(v) for v in (one.value, one.limit) if v is not None), one
        if one.fix is not None:
            apply_automatic(labels, one.fix)
    return checked


def on_odd(log: DriveLog) -> LabelSet:
    """A car ahead in every frame of an odd log."""
    box = Box3D.upright((11.0, 0.0, 0.75), (4.5, 1.9, 1.5), 0.0)
    return LabelSet.of([Track.of("1", "car", [Annotation(int(t), box) for t in log.timestamps_ns])])


def test_labels_of_another_log_are_refused_before_anything_is_read() -> None:
    log, labels = log_of(RIGHT, FRAMES), labels_of(RIGHT, FRAMES)
    late = LabelSet.of(
        Track.of(
            t.id, t.category, [replace(a, timestamp_ns=a.timestamp_ns + 3) for a in t.annotations.values()]
        )
        for t in labels.tracks.values()
    )

    def never(see: object) -> LabelSet:
        raise AssertionError

    with pytest.raises(
        CrosslabelError, match="none of the 36 labelled boxes lies at a frame of made"
    ) as raised:
        check(log, late, candidates=never)
    assert "\n" not in str(raised.value)


def test_no_labels_at_all() -> None:
    checked = asked(log_of((), FRAMES), LabelSet())
    assert checked.findings == () and len(checked.facts) == 0
    assert check(odd_logs.no_sweeps(), LabelSet()).findings == ()


ODD: dict[str, Callable[[], DriveLog]] = {
    "as usual": odd_logs.log_of,
    "empty sweeps": lambda: odd_logs.log_of(odd_logs.nothing),
    "points that are no numbers": lambda: odd_logs.log_of(odd_logs.holes),
    "points far away": lambda: odd_logs.log_of(odd_logs.far_away),
    "no ground": lambda: odd_logs.log_of(odd_logs.no_ground),
    "no sweeps": odd_logs.no_sweeps,
    "no LiDAR": lambda: odd_logs.log_of(lidar=False),
    "no sensors": lambda: odd_logs.log_of(cameras=0, lidar=False),
    "one frame": lambda: odd_logs.log_of(frames=1),
    "two frames": lambda: odd_logs.log_of(frames=2),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_logs_are_checked_as_far_as_they_go(name: str) -> None:
    log = ODD[name]()
    checked = asked(log, on_odd(log))
    assert ("P1" in checked.skipped) is (not any(log.sweeps.values()))
    assert ("T4" in checked.skipped) is (len(log) == 1)


def test_points_that_are_no_numbers_count_for_nothing() -> None:
    def holes_dropped() -> np.ndarray:
        points = odd_logs.holes()
        return points[np.isfinite(points).all(axis=1)]

    holes, dropped = odd_logs.log_of(odd_logs.holes), odd_logs.log_of(holes_dropped)
    told = [check(log, on_odd(log)).facts.scanned for log in (holes, dropped)]
    for name in ("inside", "standing", "before", "through", "around"):
        np.testing.assert_array_equal(getattr(told[0], name), getattr(told[1], name))


def test_frames_without_sweeps_and_poses() -> None:
    log, labels = log_of(RIGHT, FRAMES), labels_of(RIGHT, FRAMES)
    fewer = replace(log, sweeps={"lidar": log.sweeps["lidar"][::2]})
    checked = asked(fewer, labels)
    assert checked.findings == ()
    assert checked.facts.scanned is not None and checked.facts.scanned.there.sum() == 3 * len(RIGHT)
    drive = log.trajectory
    short = Trajectory(drive.timestamps_ns[1:4], drive.world_from_ego.take(slice(1, 4)))
    assert check(replace(log, trajectory=short), labels).findings == ()
    lost = Trajectory(np.array([5]), SE3Batch(np.eye(3)[None], np.zeros((1, 3))))
    checked = check(replace(log, trajectory=lost), labels)
    assert "T4" in checked.skipped


def test_a_thousand_boxes_in_one_frame() -> None:
    log = log_of((), 3)
    rng = np.random.default_rng(0)
    boxes = [
        Box3D.upright(rng.uniform([-60, -60, 0], [60, 60, 2]), (4.0, 2.0, 1.5), float(rng.uniform(-3, 3)))
        for _ in range(1000)
    ]
    labels = LabelSet.of(
        Track.of(f"{k}", "car", [Annotation(START_NS + STEP_NS, box)]) for k, box in enumerate(boxes)
    )
    asked(log, labels_of((), 3))
    begun_s = time.process_time()
    checked = asked(log, labels)
    assert time.process_time() - begun_s < 3
    assert len(checked.findings) > 100


@pytest.mark.parametrize("size_m", [1e-9, 1e-3, 500.0, 1e6, 1e200])
def test_boxes_of_any_size_and_at_any_place(size_m: float) -> None:
    log = log_of(RIGHT, 3)
    box = Box3D.upright((10, 0, 0), (size_m, size_m, size_m), 0.0)
    far = Box3D.upright((1e12, -1e12, 1e12), (4, 2, 1.5), 0.0)
    labels = labels_of(RIGHT, 3)
    for id, odd in (("odd", box), ("far", far)):
        labels = labels.with_track(
            Track.of(id, "car", [Annotation(START_NS + k * STEP_NS, odd) for k in range(3)])
        )
    checked = asked(log, labels)
    assert {"P8", "I4"} <= {one.rule for one in checked.findings}
    assert {one.track_id for one in checked.findings if one.rule in ("P8", "I4")} == {"odd", "far"}


def test_names_as_nobody_gives_them() -> None:
    log, labels = log_of(RIGHT, 3, sweeps=False), labels_of(RIGHT, 3)
    for id in ("", "=1+1", "[bold]\n", "ü" * 300):
        labels = labels.with_track(replace(labels.tracks["parked"], id=id, category=id))
    checked = asked(log, labels)
    assert {"P11", "P10"} & {one.rule for one in checked.findings}
