"""The car's trajectory checked, repaired and made, on drives whose truth is known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from autolabel.ego import EgoReport, Verdict, check, odometry, repair
from calib import SE3, SE3Batch
from calib.types import F64
from formats.registry import find_format
from fusion import DriveLog, Sweep, SweepRef, Trajectory
from fusion.align import read_deskewed
from fusion.simulate import Drive, SimulationConfig
from tests.benchmarks.bad_poses import drifting, jumping, without_scans

FRAMES = 30


def in_memory(log: DriveLog, sweeps: list[Sweep]) -> DriveLog:
    refs = tuple(SweepRef(sweep.lidar, sweep.timestamp_ns, lambda sweep=sweep: sweep) for sweep in sweeps)
    return replace(log, sweeps={refs[0].lidar: refs})


@pytest.fixture(scope="module")
def drive() -> DriveLog:
    """Three seconds through a bend at 10 m/s with a sparse LiDAR; the poses go on past the last sweep."""
    config = SimulationConfig(
        name="sparse",
        seed=17,
        seconds=FRAMES / 10,
        cameras=0,
        rings=32,
        azimuth_steps=600,
        ego_speed_mps=10.0,
    )
    log = Drive(config).log()
    return in_memory(log, [ref.read() for ref in log.sweeps["lidar_top"]])


@pytest.fixture(scope="module")
def pandaset(shared_data: Path) -> DriveLog:
    path = shared_data / "pandaset"
    log = find_format(path).open_log(path, "002")
    return in_memory(log, [ref.read() for ref in log.sweeps["pandar64"]])


def off_m(found: Trajectory, truth: Trajectory, log: DriveLog) -> F64:
    """How far each frame is off, seen from the one in the middle."""
    poses, true_poses = found.at_many(log.timestamps_ns), truth.at_many(log.timestamps_ns)
    middle = len(log) // 2
    seen, truly_seen = poses[middle].inverse() @ poses, true_poses[middle].inverse() @ true_poses
    return np.asarray(np.linalg.norm(seen.translations - truly_seen.translations, axis=1))


def same(some: SE3Batch, others: SE3Batch) -> bool:
    return some.rotations.tobytes() == others.rotations.tobytes() and (
        some.translations.tobytes() == others.translations.tobytes()
    )


def test_true_poses_are_left_alone(drive: DriveLog) -> None:
    report = check(drive)
    assert not report.needs_repair
    assert report.off_m.max() < 0.03
    assert report.off_deg.max() < 0.2
    assert repair(drive, report) is drive.trajectory
    assert [span.verdict for span in report.spans] == [Verdict.GOOD]
    assert str(report).startswith(f"frames 0 to {FRAMES - 1}: parked things stay within")


def test_real_poses_are_left_alone(pandaset: DriveLog) -> None:
    report = check(pandaset)
    assert not report.needs_repair
    assert report.off_m.max() < 0.03
    assert repair(pandaset, report) is pandaset.trajectory


@pytest.mark.parametrize("every_pose", [False, True])
def test_jumps_are_found_and_mended_and_nothing_else_moves(drive: DriveLog, every_pose: bool) -> None:
    bad = jumping(drive, 1, 0.1, every_pose)
    report = check(bad.log)
    assert np.flatnonzero(report.jumps).tolist() == bad.jumps.tolist()
    mended = repair(bad.log, report)
    times_ns, given, true_poses = mended.timestamps_ns, bad.log.trajectory, drive.trajectory
    assert times_ns.tolist() == given.timestamps_ns.tolist()
    away = np.linalg.norm(
        given.world_from_ego.translations - true_poses.at_many(times_ns).translations, axis=1
    )
    wrong = away > 0.1
    assert same(mended.world_from_ego.take(~wrong), given.world_from_ego.take(~wrong))
    left = mended.world_from_ego.take(wrong).translations - true_poses.at_many(times_ns[wrong]).translations
    assert np.linalg.norm(left, axis=1).max() < 0.04


def test_a_jump_of_real_poses_is_mended(pandaset: DriveLog) -> None:
    bad = jumping(pandaset, 2, 0.15)
    report = check(bad.log)
    assert np.flatnonzero(report.jumps).tolist() == bad.jumps.tolist()
    found, truth = (t.at_many(pandaset.timestamps_ns) for t in (repair(bad.log, report), pandaset.trajectory))
    assert np.linalg.norm(found.translations - truth.translations, axis=1).max() < 0.04


@pytest.mark.parametrize("frame", [0, 1, FRAMES - 2, FRAMES - 1])
def test_jumps_at_the_ends_are_found(drive: DriveLog, frame: int) -> None:
    times_ns = np.append(drive.timestamps_ns, drive.trajectory.end_ns)
    poses = drive.trajectory.at_many(times_ns)
    places = poses.translations.copy()
    places[frame] += (0.4, -0.5, 0.0)
    bad = replace(drive, trajectory=Trajectory(times_ns, SE3Batch(poses.rotations, places)))
    report = check(bad)
    assert np.flatnonzero(report.jumps).tolist() == [frame]
    mended = repair(bad, report).at_many(drive.timestamps_ns)
    assert np.linalg.norm(mended.translations - poses.translations[:-1], axis=1).max() < 0.05


def test_turned_poses_are_found(drive: DriveLog) -> None:
    poses = [
        pose @ SE3.from_yaw(np.radians(2.0)) if k == 12 else pose
        for k, pose in enumerate(drive.trajectory.at_many(drive.timestamps_ns))
    ]
    bad = replace(drive, trajectory=Trajectory(drive.timestamps_ns, SE3Batch.stack(poses)))
    report = check(bad)
    assert np.flatnonzero(report.jumps).tolist() == [12]
    mended = repair(bad, report).at(int(drive.timestamps_ns[12]))
    true_turn = drive.trajectory.at(int(drive.timestamps_ns[12])).yaw_rad
    assert abs(mended.yaw_rad - true_turn) < np.radians(0.15)


def test_drift_is_found_and_taken_out(drive: DriveLog) -> None:
    bad = drifting(drive, 3, 0.03)
    report = check(bad.log)
    assert not report.jumps.any()
    assert {span.verdict for span in report.spans} == {Verdict.DRIFT}
    assert report.drift_m_per_100m == pytest.approx(3.0, abs=0.3)
    before = off_m(bad.log.trajectory, drive.trajectory, drive)
    after = off_m(repair(bad.log, report), drive.trajectory, drive)
    assert before.max() > 0.2
    assert after.max() < 0.05


def test_a_step_is_no_jump(drive: DriveLog) -> None:
    poses = drive.trajectory.at_many(drive.timestamps_ns)
    places = poses.translations.copy()
    places[14:] += (0.7, 0.4, 0.0)
    bad = replace(drive, trajectory=Trajectory(drive.timestamps_ns, SE3Batch(poses.rotations, places)))
    report = check(bad)
    assert not report.jumps.any()
    assert np.flatnonzero(report.steps).tolist() == [14]
    assert off_m(repair(bad, report), drive.trajectory, drive).max() < 0.05


def test_lost_scans_hide_no_jumps(drive: DriveLog) -> None:
    few = without_scans(drive, 4, 0.3)
    assert len(few.sweeps["lidar_top"]) < FRAMES - 4
    report = check(few)
    assert not report.needs_repair
    assert {span.verdict for span in report.spans} == {Verdict.GOOD, Verdict.UNKNOWN}
    bad = jumping(few, 5, 0.1)
    report = check(bad.log)
    assert set(bad.jumps.tolist()) <= set(np.flatnonzero(report.jumps).tolist())
    assert off_m(repair(bad.log, report), drive.trajectory, drive).max() < 0.06


def test_without_scans_poses_pass_and_leaps_are_bridged(drive: DriveLog) -> None:
    blind = replace(drive, sweeps={})
    report = check(blind)
    assert repair(blind, report) is blind.trajectory
    assert [span.verdict for span in report.spans] == [Verdict.UNKNOWN]
    bad = jumping(blind, 8)
    report = check(bad.log)
    assert np.flatnonzero(report.jumps).tolist() == bad.jumps.tolist()
    assert off_m(repair(bad.log, report), drive.trajectory, drive).max() < 0.1


def test_a_car_without_poses_gets_those_of_its_lidar(drive: DriveLog) -> None:
    blind = replace(drive, trajectory=Trajectory.standing(drive.timestamps_ns))
    report = check(blind)
    assert report.absent
    assert {span.verdict for span in report.spans} == {Verdict.ABSENT}
    found = repair(blind, report)
    assert off_m(found, drive.trajectory, drive).max() < 0.1
    assert found.covers(int(drive.timestamps_ns[-1]) + 100_000_000)
    for ref in drive.sweeps["lidar_top"]:
        read_deskewed(replace(blind, trajectory=found), ref)
    assert same(found.world_from_ego, odometry(blind).world_from_ego)


def test_a_car_that_stands_needs_no_poses(drive: DriveLog) -> None:
    """The same sweep over and over."""
    sweep = drive.sweeps["lidar_top"][0].read()
    still = [
        replace(sweep, timestamp_ns=int(t), offset_ns=None, deskewed=True) for t in drive.timestamps_ns[:8]
    ]
    frames_ns = drive.timestamps_ns[:8]
    log = in_memory(replace(drive, timestamps_ns=frames_ns, trajectory=Trajectory.standing(frames_ns)), still)
    report = check(log)
    assert not report.needs_repair
    assert report.track.way_m < 0.05


def test_sweeps_bent_by_a_jump_are_straight_after_repair(drive: DriveLog) -> None:
    bad = jumping(drive, 1, 0.1)
    mended = replace(bad.log, trajectory=repair(bad.log, check(bad.log)))
    for frame in bad.jumps.tolist():
        ref = drive.sweeps["lidar_top"][frame]
        straight, bent, unbent = (read_deskewed(log, ref).points for log in (drive, bad.log, mended))
        assert np.linalg.norm(bent - straight, axis=1).max() > 0.3
        assert np.linalg.norm(unbent - straight, axis=1).max() < 0.15
        assert np.median(np.linalg.norm(unbent - straight, axis=1)) < 0.03


def test_far_from_the_origin_of_the_world_nothing_changes(drive: DriveLog) -> None:
    times_ns = drive.trajectory.timestamps_ns
    elsewhere = SE3.from_yaw(2.0, (4e5, 5e6, 120.0)) @ drive.trajectory.world_from_ego
    moved = replace(drive, trajectory=Trajectory(times_ns, elsewhere))
    here, there = check(drive), check(moved)
    assert there.off == pytest.approx(here.off, abs=1e-5)
    assert not there.needs_repair


def test_the_same_log_gives_the_same_bytes(drive: DriveLog) -> None:
    bad = jumping(drive, 7, 0.1).log
    reports = [check(bad) for _ in range(2)]
    assert reports[0].off.tobytes() == reports[1].off.tobytes()
    found = [repair(bad, report).world_from_ego for report in reports]
    assert same(found[0], found[1])


@pytest.mark.parametrize("frames", [0, 1, 2, 3])
def test_short_logs_pass(drive: DriveLog, frames: int) -> None:
    short = replace(drive, timestamps_ns=drive.timestamps_ns[:frames])
    report = check(short)
    assert not report.needs_repair
    assert len(report.off_m) == frames
    assert repair(short, report) is short.trajectory


def test_frames_before_the_first_pose_are_left_out(drive: DriveLog) -> None:
    times_ns = drive.timestamps_ns[5:]
    late = replace(drive, trajectory=Trajectory(times_ns, drive.trajectory.at_many(times_ns)))
    report = check(late)
    assert report.frames_ns.tolist() == times_ns.tolist()
    assert not report.needs_repair


def test_empty_sweeps_say_nothing(drive: DriveLog) -> None:
    sweeps = [ref.read() for ref in drive.sweeps["lidar_top"]]
    sweeps = [sweep.keep(np.arange(0)) if k in (0, 9) else sweep for k, sweep in enumerate(sweeps)]
    report = check(in_memory(drive, sweeps))
    assert np.flatnonzero(~report.track.sure).tolist() == [0, 9]
    assert not report.needs_repair


def test_a_report_can_be_drawn(drive: DriveLog, tmp_path: Path) -> None:
    bad = jumping(drive, 1, 0.1).log
    report = check(bad)
    report.plot(tmp_path / "jumps.png", repair(bad, report))
    EgoReport.empty("nothing").plot(tmp_path / "empty.png")
    for name in ("jumps.png", "empty.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
