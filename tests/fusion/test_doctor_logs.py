"""The doctor on whole logs: silent on right ones, the mistake named on wrong ones."""

from dataclasses import replace

import numpy as np
import pytest

from calib.doctor.candidates import geometry_of
from calib.doctor.score import score
from calib.doctor.shot import with_edges
from calib.refine.edges import scan_edges
from calib.refine.ringless import edges_around
from fusion.align import read_deskewed
from fusion.doctor import examine, read_shots
from fusion.doctor.shots import edges_of
from fusion.doctor.times import check_times
from fusion.log import SweepRef
from fusion.sweep import Sweep
from tests.benchmarks.doctor import MISTAKES, can_exist, kitti, named, remembered, simulated, sustech
from tests.benchmarks.doctor_memory import remembering

BY_NAME = {mistake.name: mistake for mistake in MISTAKES}
IN_ONE_CAMERA = [
    "cam_from_ego for ego_from_cam",
    "rotation of cam_from_lidar transposed",
    "camera axes x forward, y left, z up",
    "image upside down",
    "quaternion xyzw read as wxyz",
    "angles (xyz) of ego_from_cam: degrees used as radians",
    "angles (xyz) of ego_from_cam: radians used as degrees",
    "translation of cam_from_lidar in mm",
    "intrinsics for images 2 times as large",
    "mounts of two cameras exchanged",
    "width and height exchanged",
]


@pytest.fixture(scope="module")
def drive():
    return remembered(simulated(7, cameras=2))


@pytest.fixture(scope="module")
def street(shared_data):
    return remembered(kitti(shared_data))


@pytest.fixture(scope="module")
def crossing(shared_data):
    """Three frames of a drive of which no poses are known."""
    return remembered(sustech(shared_data))


def loud(log):
    return [f.message for f in examine(log) if f.severity != "note"]


@pytest.mark.slow
def test_nothing_is_said_of_a_simulated_drive(drive):
    assert loud(drive) == []


def test_nothing_is_said_of_kitti_nor_of_parts_of_it(street):
    assert loud(street) == []
    for part in (slice(0, 4), slice(4, 8), slice(8, 12)):
        assert loud(replace(street, timestamps_ns=street.timestamps_ns[part])) == []


@pytest.mark.parametrize("name", IN_ONE_CAMERA)
def test_a_mistake_is_named_in_a_simulated_drive(drive, name):
    mistake, camera = BY_NAME[name], "cam_front"
    assert can_exist(mistake, drive, camera)
    findings = examine(replace(drive, rig=mistake.change(drive.rig, camera)))
    assert named(mistake, findings, camera), [f.message for f in findings]


@pytest.mark.parametrize("name", [m.name for m in MISTAKES if m.of_lidar])
def test_a_turned_lidar_is_blamed_and_not_its_cameras(drive, name):
    findings = examine(replace(drive, rig=BY_NAME[name].change(drive.rig, "")))
    assert named(BY_NAME[name], findings, drive.rig.main_lidar.name), [f.message for f in findings]


def test_what_is_named_is_mended(drive):
    wrong = BY_NAME["cam_from_ego for ego_from_cam"].change(drive.rig, "cam_front")
    (finding,) = [f for f in examine(replace(drive, rig=wrong)) if f.severity == "wrong"]
    mended = finding.mended(wrong).cameras["cam_front"].ego_from_sensor
    assert mended.is_close(drive.rig.cameras["cam_front"].ego_from_sensor)
    assert finding.evidence["rise_mended"] > finding.evidence["rise_as_given"]


@pytest.mark.parametrize("frames", [-1, 1])
def test_images_of_another_frame_are_noticed(drive, frames):
    images = {
        name: tuple(
            replace(ref, load=refs[min(max(k + frames, 0), len(refs) - 1)].load) for k, ref in enumerate(refs)
        )
        for name, refs in drive.images.items()
    }
    (finding,) = [f for f in examine(replace(drive, images=images)) if f.severity == "wrong"]
    assert finding.code == "images_shifted" and finding.sensor == "log"
    assert finding.evidence["frames"] == -frames


@pytest.mark.parametrize(("factor", "unit"), [(1_000, "microseconds"), (1_000_000, "milliseconds")])
def test_units_of_timestamps_are_named(drive, factor, unit):
    (finding,) = check_times(replace(drive, timestamps_ns=drive.timestamps_ns // factor, images={}))
    assert finding.code == "timestamps_unit" and unit in finding.message


def test_timestamps_that_do_not_rise_are_named(drive):
    times_ns = np.array(drive.timestamps_ns)
    times_ns[3] = times_ns[2]
    assert [f.code for f in check_times(replace(drive, timestamps_ns=times_ns, images={}))] == [
        "timestamps_not_rising"
    ]


def test_images_of_another_clock_are_named(drive):
    images = {
        name: tuple(replace(ref, timestamp_ns=ref.timestamp_ns + 10**12) for ref in refs)
        for name, refs in drive.images.items()
    }
    assert {f.code for f in check_times(replace(drive, images=images))} == {"clocks_differ"}


def test_a_log_without_images_or_sweeps_is_no_fault(drive):
    assert [f.code for f in examine(replace(drive, images={})) if f.severity != "note"] == []
    assert [f.code for f in examine(replace(drive, sweeps={})) if f.severity != "note"] == []


def swept(drive, change):
    """The first sweep of a drive, changed."""
    ref = drive.sweep_at(int(drive.timestamps_ns[0]))
    sweep = change(ref.read())
    return SweepRef(ref.lidar, ref.timestamp_ns, lambda: sweep)


def test_edges_follow_the_rings_where_they_are_known(drive):
    ref = swept(drive, lambda sweep: sweep)
    assert edges_of(drive, ref).sharp
    still, sweep = edges_of(drive, ref, still=True), ref.read()
    assert np.array_equal(still.points, scan_edges(sweep.points, sweep.ring).points)


def test_edges_of_a_scan_without_rings_or_order_are_those_all_around(drive):
    def jumbled(sweep):
        rng = np.random.default_rng(1)
        points = sweep.points[rng.permutation(len(sweep))]
        return Sweep(
            sweep.lidar, sweep.timestamp_ns, points + rng.normal(0, 0.1, points.shape), deskewed=True
        )

    ref = swept(drive, jumbled)
    edges, around = edges_of(drive, ref), edges_around(ref.read().points)
    assert not edges.sharp and len(edges) > 500
    assert np.array_equal(edges.points, around.points)


def test_a_scan_without_points_has_no_edges(drive):
    for ring in (None, np.zeros(0, dtype=np.int64)):
        empty = Sweep("lidar_top", int(drive.timestamps_ns[0]), np.zeros((0, 3)), ring=ring, deskewed=True)
        assert len(edges_of(drive, swept(drive, lambda _, empty=empty: empty))) == 0


def test_the_right_rig_stands_out_more_with_edges_along_rings(drive):
    lidar = drive.rig.main_lidar
    for name, shots in read_shots(drive).items():
        refs = [drive.sweep_at(int(shot.name.split()[-1])) for shot in shots]
        around = [
            with_edges(shot, edges_around(read_deskewed(drive, ref).points), shot.ego_at_shot_from_ego)
            for shot, ref in zip(shots, refs, strict=True)
        ]
        right = geometry_of(drive.rig.cameras[name], lidar)
        assert score(shots, right).rise > 1.3 * score(around, right).rise


def test_nothing_is_said_of_a_drive_without_poses(crossing):
    assert loud(crossing) == []


@pytest.mark.parametrize("name", ["image upside down", "translation of cam_from_lidar in mm"])
def test_a_mistake_is_named_without_poses(crossing, name):
    findings = examine(replace(crossing, rig=BY_NAME[name].change(crossing.rig, "front")))
    assert named(BY_NAME[name], findings, "front"), [f.message for f in findings]


def test_what_the_benchmark_remembers_changes_nothing_that_is_said(drive):
    rigs = [BY_NAME[name].change(drive.rig, "cam_front") for name in IN_ONE_CAMERA[:2]]
    fresh = [examine(replace(drive, rig=rig)) for rig in rigs]
    with remembering():
        for _ in range(2):
            known = [examine(replace(drive, rig=rig)) for rig in rigs]
            for one, other in zip(fresh, known, strict=True):
                assert [(f.code, f.sensor, f.evidence) for f in one] == [
                    (f.code, f.sensor, f.evidence) for f in other
                ]
