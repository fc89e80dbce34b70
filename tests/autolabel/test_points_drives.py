"""Objects followed by their points through simulated drives with exact truth and a real drive."""

from dataclasses import replace

import numpy as np
import pytest

from autolabel.points import Seeds, evidence, trace
from autolabel.points.evidence import ObjectPoints
from autolabel.points.index import PointBank
from autolabel.scans import Scans
from autolabel.smoother import Motion
from autolabel.world import LocalWorld, Sightings
from calib.se3 import SE3Batch
from formats.pandaset import PANDASET
from fusion.boxes import Boxes
from fusion.categories import Kind, kind_of
from fusion.overlap import iou_3d_paired
from fusion.simulate import SimulationConfig, simulate
from tests.in_memory import in_memory


def boxes_at(poses, size):
    turns = np.zeros((len(poses), 3, 3))
    c, s = np.cos(poses[:, 3]), np.sin(poses[:, 3])
    turns[:, 0, 0], turns[:, 0, 1], turns[:, 1, 0], turns[:, 1, 1], turns[:, 2, 2] = c, -s, s, c, 1
    return Boxes(SE3Batch(turns, poses[:, :3]), np.tile(size, (len(poses), 1)))


@pytest.fixture(scope="module")
def drive():
    """Two seconds of a busy street, cast once."""
    config = SimulationConfig(
        seed=5, seconds=2.2, cameras=0, azimuth_steps=900, rings=48, vehicles=10, pedestrians=10, cyclists=2
    )
    log, truth = simulate(config)
    log = in_memory(log)
    return log, truth, Scans(LocalWorld.of(log))


def seeds_of(truth, scans, frame):
    present = [*truth.at(int(scans.frames_ns[frame]))]
    seeds = Seeds.of(((track.category, a) for track, a in present), scans.world, scans.frames_ns)
    return [track.id for track, _ in present], seeds


@pytest.fixture(scope="module")
def traced(drive):
    _, truth, scans = drive
    ids, seeds = seeds_of(truth, scans, 11)
    return ids, seeds, trace(scans, seeds)


def quality(truth, scans, ids, seeds, ways, least=15):
    """IoUs of moving vehicles, moving people and of all that is parked, where well seen."""
    groups = {"vehicles": [], "people": [], "parked": []}
    for k, id in enumerate(ids):
        track = truth.tracks[id]
        annotations = [a for a in track.annotations.values() if a.timestamp_ns in set(scans.frames_ns)]
        seen = Sightings.of(annotations, scans.world)
        frames = np.searchsorted(scans.frames_ns, seen.times_ns)
        well = (ways.sights.fits[k, frames, 3] >= least) & (frames != seeds.frames[k])
        if not well.any():
            continue
        mine = boxes_at(ways.poses[k, frames], seeds.sizes_lwh_m[k])
        ious = iou_3d_paired(mine, Boxes(seen.local_from_box, seen.sizes_lwh_m))[well]
        moved = np.ptp(seen.local_from_box.translations[:, :2], axis=0).max() > 1.0
        group = "parked" if not moved else "vehicles" if kind_of(track.category).is_vehicle else "people"
        groups[group].append(ious)
    return {name: np.concatenate(rows) for name, rows in groups.items() if rows}


def test_objects_are_followed_both_ways_from_the_middle(drive, traced) -> None:
    _, truth, scans = drive
    ids, seeds, ways = traced
    ious = quality(truth, scans, ids, seeds, ways)
    assert len(ious["vehicles"]) > 40
    assert (ious["vehicles"] >= 0.5).mean() >= 0.95
    assert (ious["people"] >= 0.5).mean() >= 0.85
    assert (ious["parked"] >= 0.5).mean() >= 0.99


def test_what_is_parked_keeps_exactly_its_box(drive, traced) -> None:
    _, truth, _ = drive
    ids, seeds, ways = traced
    still = [k for k, id in enumerate(ids) if not truth.tracks[id].attributes["moving"]]
    kept = [k for k in still if ways.parked[k]]
    assert len(kept) >= 0.95 * len(still) > 5
    assert all((ways.poses[k] == seeds.poses[k]).all() for k in kept)


def test_the_same_input_gives_the_same_bytes(drive, traced) -> None:
    _, _, scans = drive
    _, seeds, _ = traced
    some = Seeds(seeds.kinds[:8], seeds.frames[:8], seeds.poses[:8], seeds.sizes_lwh_m[:8])
    assert trace(scans, some).poses.tobytes() == trace(scans, some).poses.tobytes()


def test_lost_scans_do_not_lose_the_objects(drive) -> None:
    log, truth, _ = drive
    lossy = {n: tuple(r for k, r in enumerate(refs) if k % 5 != 4) for n, refs in log.sweeps.items()}
    scans = Scans(LocalWorld.of(replace(log, sweeps=lossy)))
    ids, seeds = seeds_of(truth, scans, 11)
    ways = trace(scans, seeds)
    assert np.isfinite(ways.poses).all()
    ious = quality(truth, scans, ids, seeds, ways)
    assert (ious["vehicles"] >= 0.5).mean() >= 0.95


def test_objects_whose_own_frame_has_no_scan_are_found_in_the_others(drive) -> None:
    """Less surely so: how fast they are must be told from the faces of their boxes alone."""
    log, truth, _ = drive
    lossy = {n: tuple(r for k, r in enumerate(refs) if k != 11) for n, refs in log.sweeps.items()}
    scans = Scans(LocalWorld.of(replace(log, sweeps=lossy)))
    ids, seeds = seeds_of(truth, scans, 11)
    assert scans.at(11) is None
    ways = trace(scans, seeds)
    ious = quality(truth, scans, ids, seeds, ways)
    assert (ious["vehicles"] >= 0.5).mean() >= 0.8
    assert (ious["parked"] >= 0.5).mean() >= 0.95


def test_a_pose_keeps_its_instant_where_the_sweep_begins_and_ends(drive) -> None:
    """Straight behind the car, the least error of a place would make a tenth of a second of it."""
    _, _, scans = drive
    bank, frame_s = PointBank(scans), scans.world.seconds(scans.frames_ns[3:4])
    ego = scans.world.local_from_ego(scans.frames_ns[3:4])[0]
    poses = np.array([[*(ego @ np.array([-12.0, side_m, 0.8])), ego.yaw_rad] for side_m in (-1e-6, 1e-6)])
    half, velocity = np.full((2, 3), [2.2, 0.9, 0.8]), np.full((2, 2), 5.0)
    told = bank.beam.seen_s(poses[:, None].repeat(len(scans), axis=1))[:, 3] - frame_s
    assert abs(told[0] - told[1]) > 0.09
    for late_s in (0.0, 0.1):
        times_s = np.full(2, frame_s[0] + late_s)
        moves = bank.beam.moves(np.array([3, 3]), poses, velocity, half, times_s)
        np.testing.assert_allclose(moves[:, 2], late_s, atol=1e-9)
        assert (moves[:, 3] > 0.5).all()
        np.testing.assert_allclose(bank.at(3).moves(poses, velocity, half, times_s), moves, atol=1e-9)


def test_a_log_without_scans_leaves_the_boxes_where_they_are(drive) -> None:
    log, truth, _ = drive
    scans = Scans(LocalWorld.of(replace(log, sweeps={})))
    _, seeds = seeds_of(truth, scans, 11)
    ways = trace(scans, seeds)
    assert ways.parked.all()
    assert (ways.poses == seeds.poses[:, None]).all()


def test_no_objects_make_no_ways(drive) -> None:
    _, _, scans = drive
    none = Seeds((), np.zeros(0, np.int64), np.zeros((0, 4)), np.zeros((0, 3)))
    assert trace(scans, none).poses.shape == (0, len(scans), 4)


def test_measuring_along_a_path_brings_it_nearer_to_the_truth(drive) -> None:
    _, truth, scans = drive
    ids, seeds = seeds_of(truth, scans, 11)
    bank, rng, better = PointBank(scans), np.random.default_rng(0), []
    for k, id in enumerate(ids):
        track = truth.tracks[id]
        if not track.attributes["moving"] or not seeds.kinds[k].is_vehicle:
            continue
        exact = Sightings.of(track.annotations.values(), scans.world)
        poses = exact.local_from_box
        shift = rng.normal(0, 0.15, (len(exact), 3)) * [1, 1, 0]
        path = Sightings(
            exact.times_ns, SE3Batch(poses.rotations, poses.translations + shift), exact.sizes_lwh_m
        )
        times_s = scans.world.seen_s(exact.times_ns, poses.translations)
        velocities = np.gradient(poses.translations, times_s, axis=0)
        sure = np.tile(np.eye(3) * 0.15**2, (len(exact), 1, 1))
        motion = Motion(
            times_s, path.local_from_box.translations, poses.yaws_rad, velocities, 0 * times_s, sure
        )
        report = ObjectPoints(bank, seeds.kinds[k]).measure(path, motion, np.ones(len(path), bool))
        assert len(report.measurements) == len(report.rows)
        assert (report.support[report.rows] >= 2).all()
        well = report.rows[report.support[report.rows] > 40]
        if len(well) > 5:
            found = report.measurements.places[np.isin(report.rows, well), :2]
            off_m = np.linalg.norm(found - poses.translations[well, :2], axis=1)
            assert np.nanmedian(report.crossed[well]) < 0.3
            better.append(np.median(off_m) / np.median(np.linalg.norm(shift[well], axis=1)))
    assert len(better) >= 2
    assert np.median(better) < 0.6


def test_what_is_not_asked_for_changes_no_measurement(drive, monkeypatch) -> None:
    """Of what stands long, frames that are not aligned are read for rays and points alone."""
    monkeypatch.setattr(evidence, "MOST_AT_REST", 8)
    _, truth, scans = drive
    ids, seeds = seeds_of(truth, scans, 11)
    bank, longer = PointBank(scans), 0
    for k, id in enumerate(ids):
        exact = Sightings.of(truth.tracks[id].annotations.values(), scans.world)
        places, count = exact.local_from_box.translations, len(exact)
        sure = np.tile(np.eye(3) * 0.1**2, (count, 1, 1))
        still, times_s = np.zeros((count, 3)), scans.world.seen_s(exact.times_ns, places)
        motion = Motion(times_s, places, exact.local_from_box.yaws_rad, still, still[:, 0], sure)
        points, wanted = ObjectPoints(bank, seeds.kinds[k]), np.ones(count, bool)
        full = points.measure(exact, motion, wanted)
        bare = points.measure(exact, motion, wanted, rays=False, support=False)
        assert bare.rows.tolist() == full.rows.tolist()
        assert bare.measurements.places.tobytes() == full.measurements.places.tobytes()
        assert np.isnan(bare.crossed).all()
        looked = bare.support >= 0
        assert (bare.support[looked] == full.support[looked]).all()
        longer += (full.support >= 0).sum() > looked.sum() == 8
    assert longer >= 1


def test_pandaset_from_the_boxes_of_one_frame(shared_data) -> None:
    """Five frames either side of a seed that no constant was chosen on; all 21 take the benchmark."""
    path = shared_data / "pandaset" / "002"
    log = PANDASET.open_log(path, "002")
    truth = PANDASET.read_labels(path, log)
    short = replace(log, timestamps_ns=log.timestamps_ns[4:11])
    scans = Scans(LocalWorld.of(short))
    ids, seeds = seeds_of(truth, scans, 3)
    ious = quality(truth, scans, ids, seeds, trace(scans, seeds), least=5)
    assert (ious["vehicles"] >= 0.5).mean() >= 0.97
    assert (ious["vehicles"] >= 0.7).mean() >= 0.9
    assert (ious["parked"] >= 0.5).mean() >= 0.99


def test_a_car_that_creeps_is_not_taken_to_stand(shared_data) -> None:
    """Two cars near the LiDAR come 2 m far in two seconds, within their own boxes at first."""
    path = shared_data / "pandaset" / "002"
    log = PANDASET.open_log(path, "002")
    truth = PANDASET.read_labels(path, log)
    short = replace(log, timestamps_ns=log.timestamps_ns[4:15])
    scans = Scans(LocalWorld.of(short))
    ids, seeds = seeds_of(truth, scans, 10)
    creeping = [k for k, id in enumerate(ids) if id.startswith(("d0070c93", "20d13d1d"))]
    some = Seeds(
        tuple(seeds.kinds[k] for k in creeping),
        seeds.frames[creeping],
        seeds.poses[creeping],
        seeds.sizes_lwh_m[creeping],
    )
    ways = trace(scans, some)
    assert not ways.parked.any()


def test_what_was_hidden_when_it_was_known_stays_where_it_was(drive) -> None:
    """A box with nothing in it or near it is not taken along by what comes by."""
    _, truth, scans = drive
    _, seeds = seeds_of(truth, scans, 11)
    nowhere = Seeds(
        (Kind.CAR,), np.array([11]), seeds.poses[:1] + np.array([0, 0, 30.0, 0]), np.array([[4.5, 1.9, 1.6]])
    )
    ways = trace(scans, nowhere)
    assert ways.parked.all()
    assert (ways.poses == nowhere.poses[:, None]).all()
