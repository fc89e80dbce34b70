"""The drift alarm: exact synthetic views, and the KITTI frames."""

import gc
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calib import SE3, CalibrationError, Pinhole
from calib.drift import DriftMonitor, DriftReport, DriftVerdict, detect_drift
from calib.drift.cusum import LIMIT, TurnCusum
from calib.drift.turns import SMALLEST, SMALLEST_RAD, STILL, TURNS_RAD, Turn, best_turn, turned
from calib.drift.words import in_words, main_axis, pixels_moved
from calib.refine.field import image_edges
from calib.refine.view import View
from calib.types import F64, U8

MODEL = Pinhole(420.0, 420.0, 319.5, 179.5, 640, 360)
EGO_FROM_CAM = SE3(np.array([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]]), np.array([1.6, 0.1, 1.5]))
REFERENCE = 6


def synthetic(seed: int, turn_rad: F64 | None = None, noise_px: float = 1.0) -> View:
    """A view whose image shows short borders where the edges of its scan are, after the camera has turned."""
    rng = np.random.default_rng(seed)
    rays = np.column_stack([rng.uniform(-0.72, 0.72, 420), rng.uniform(-0.4, 0.4, 420), np.ones(420)])
    points_cam = rays * rng.uniform(5, 50, 420)[:, None]
    upright = rng.random(420) < 0.6
    cam_from_given_cam = SE3.from_rotation_vector(np.zeros(3) if turn_rad is None else turn_rad)
    uv_px = MODEL.project(cam_from_given_cam @ points_cam).uv_px + rng.normal(0, noise_px, (420, 2))
    field = image_edges(drawn(uv_px, upright))
    weights = np.stack([upright, ~upright]).astype(np.float32) / 420
    points_ego = np.ascontiguousarray((EGO_FROM_CAM @ points_cam).T.astype(np.float32))
    return View(points_ego, weights, field, field.mean(axis=(1, 2)), MODEL)


def drawn(uv_px: F64, upright: np.ndarray) -> U8:
    """(H, W) grey: a border between dark and bright, nine pixels long, at each place."""
    image = np.full((MODEL.height_px, MODEL.width_px), 90.0)
    v, u = np.mgrid[-4:5, -4:5]
    for (x, y), is_upright in zip(uv_px, upright, strict=True):
        column, row = round(x), round(y)
        if not (5 < column < MODEL.width_px - 6 and 5 < row < MODEL.height_px - 6):
            continue
        beyond = (u - (x - column)) if is_upright else (v - (y - row))
        image[row + v, column + u] += 70.0 * np.clip(beyond + 0.5, 0, 1)
    return np.clip(image, 0, 255).astype(np.uint8)


def drive(turn_rad: F64 | None = None, moved_at: int = 10, frames: int = 20) -> list[View]:
    """Frames of which the later ones come from a camera that has turned."""
    return [synthetic(k, turn_rad if k >= moved_at else None) for k in range(frames)]


def watched(views: list[View | None] | list[View], **options: int) -> DriftReport:
    return detect_drift(views, EGO_FROM_CAM, reference_frames=REFERENCE, **options)


@pytest.fixture(scope="module")
def steady() -> list[View]:
    return drive()


def blank(view: View) -> View:
    """What a camera sees at night, nearly nothing."""
    rng = np.random.default_rng(len(view))
    field = image_edges(rng.integers(3, 6, (MODEL.height_px, MODEL.width_px)).astype(np.uint8))
    return replace(view, field=field, neutral=field.mean(axis=(1, 2)))


def test_a_steady_drive_is_steady(steady: list[View]) -> None:
    report = watched(steady)
    assert report.verdict == DriftVerdict.STEADY
    assert report.alarm is None
    assert (report.frames, report.seen) == (20, 20)
    assert [(w.first, w.last) for w in report.windows] == [(6, 10), (11, 15), (16, 19)]
    for window in report.windows:
        assert window.turn is not None
        assert np.abs(window.turn.turn_rad).max() < np.radians(0.08)
        assert window.share > 0.95
        assert window.verdict == DriftVerdict.STEADY


@pytest.mark.parametrize("size_deg", [0.25, 0.5, 1.2])
@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_turn_is_found_with_its_axis_way_and_size(axis: int, sign: int, size_deg: float) -> None:
    turn_rad = sign * np.radians(size_deg) * np.eye(3)[axis]
    report = watched(drive(turn_rad))
    assert report.verdict == DriftVerdict.MOVED
    alarm = report.alarm
    assert alarm is not None
    assert 10 <= alarm.frame < (20 if size_deg < 0.5 else 15)
    assert alarm.axis == ("pitch", "yaw", "roll")[axis]
    off_rad = alarm.turn.turn_rad - turn_rad
    assert np.degrees(np.linalg.norm(off_rad)) < 0.12
    assert (np.abs(off_rad) < 4 * alarm.turn.sigma_rad).all()
    assert abs(alarm.since - 10) <= 1
    assert report.windows[-1].verdict == DriftVerdict.MOVED
    by_axis = report.plot().cusum[-1]
    assert by_axis[axis, (sign + 1) // 2] > LIMIT
    assert by_axis[axis, (1 - sign) // 2] == 0
    assert report.windows[-1].evidence >= by_axis.max() == by_axis[axis].max()


def test_a_slow_turn_is_found() -> None:
    creep = np.radians(0.03) * np.eye(3)[1]
    views = [synthetic(k, max(k - 7, 0) * creep) for k in range(25)]
    alarm = watched(views).alarm
    assert alarm is not None
    assert alarm.axis == "yaw"
    assert "left" in alarm.words
    assert alarm.frame < 21  # turned by less than 0.4 degrees


def test_a_mount_wrong_from_the_beginning_is_no_drift(steady: list[View]) -> None:
    off_rad = np.radians([0.4, -0.5, 0.3])
    report = detect_drift(steady, turned(EGO_FROM_CAM, off_rad), reference_frames=REFERENCE)
    assert report.verdict == DriftVerdict.STEADY
    assert report.reference is not None
    np.testing.assert_allclose(report.reference.turn.turn_rad, -off_rad, atol=np.radians(0.06))
    found = report.reference.ego_from_cam.inverse() @ EGO_FROM_CAM
    assert np.degrees(np.linalg.norm(found.rotation_vector_rad)) < 0.1


def test_an_earlier_reference_serves_a_later_drive(steady: list[View]) -> None:
    reference = watched(steady).reference
    moved = [synthetic(k, np.radians([0.0, 0.0, -0.5])) for k in range(30, 36)]
    report = detect_drift(moved, EGO_FROM_CAM, reference=reference)
    assert report.alarm is not None
    assert report.alarm.axis == "roll"
    assert "right" in report.alarm.words
    assert detect_drift(steady[:6], EGO_FROM_CAM, reference=reference).verdict == DriftVerdict.STEADY


def test_a_dark_camera_cannot_say_and_raises_no_alarm(steady: list[View]) -> None:
    night = [blank(view) for view in steady]
    assert watched(night).reference is None
    assert watched(night).verdict == DriftVerdict.CANNOT_SAY
    report = watched([*steady[:6], *night])
    assert report.verdict == DriftVerdict.CANNOT_SAY
    assert report.alarm is None
    assert report.seen == REFERENCE
    assert "agree nowhere" in report.reason
    assert np.isnan(report.plot().estimate_deg).all()


def test_images_that_do_not_belong_to_their_scans_make_no_reference(steady: list[View]) -> None:
    mirrored = [replace(view, field=np.ascontiguousarray(view.field[:, :, ::-1])) for view in steady]
    assert watched(mirrored).verdict == DriftVerdict.CANNOT_SAY


def test_missing_frames_and_few_edges_are_said(steady: list[View]) -> None:
    views: list[View | None] = [*steady[:4], None, *steady[4:6], *[None] * 5, *steady[6:11]]
    report = watched(views)
    assert report.windows[0].verdict == DriftVerdict.CANNOT_SAY
    assert report.windows[0].reason == "image or scan missing"
    assert report.windows[1].verdict == DriftVerdict.STEADY
    view = steady[0]
    thin = replace(view, points_ego=view.points_ego[:, :50], weights=view.weights[:, :50])
    report = watched([*steady[:6], *[thin] * 5])
    assert report.windows[0].reason == "only 50 edges in view"
    assert watched([]).verdict == DriftVerdict.CANNOT_SAY
    assert watched(list(steady[:6])).reason == "the drive ends with the reference"


def test_one_bad_frame_raises_no_alarm(steady: list[View]) -> None:
    bad = synthetic(12, np.radians([0.8, 0.8, 0.0]))
    assert watched([*steady[:12], bad, *steady[13:]]).alarm is None


@pytest.mark.slow
def test_memory_does_not_grow_with_the_drive(steady: list[View]) -> None:
    alive: list[weakref.ref[F64]] = []
    most = 0

    def endless() -> Iterator[View]:
        nonlocal most
        for k in range(30):
            view = replace(steady[k % 20], neutral=steady[k % 20].neutral.copy())
            alive.append(weakref.ref(view.neutral))
            yield view
            del view
            gc.collect()
            most = max(most, sum(ref() is not None for ref in alive))

    detect_drift(endless(), EGO_FROM_CAM, reference_frames=REFERENCE)
    assert most <= 12


def test_the_same_views_give_the_same_report() -> None:
    views = drive(np.radians([0.0, 0.3, 0.0]))
    first, second = watched(views), watched(views)
    for name in ("centre_ns", "estimate_deg", "sigma_deg", "share", "evidence", "cusum"):
        np.testing.assert_array_equal(getattr(first.plot(), name), getattr(second.plot(), name))
    assert first.alarm is not None
    assert second.alarm is not None
    assert (first.alarm.frame, first.alarm.words) == (second.alarm.frame, second.alarm.words)


def test_times_are_handed_through() -> None:
    times_ns = 1_700_000_000_000_000_000 + 100_000_000 * np.arange(20, dtype=np.int64)
    views = drive(np.radians([0.5, 0.0, 0.0]))
    report = detect_drift(views, EGO_FROM_CAM, times_ns, reference_frames=REFERENCE)
    alarm, plot = report.alarm, report.plot()
    assert alarm is not None
    assert alarm.timestamp_ns == times_ns[alarm.frame]
    assert alarm.since_ns == times_ns[alarm.since]
    np.testing.assert_array_equal(plot.centre_ns[:2], times_ns[[8, 13]])
    assert plot.estimate_deg.shape == plot.sigma_deg.shape == (3, 3)
    assert plot.cusum.shape == (3, 3, 2)
    assert (plot.limit, plot.smallest_deg) == (LIMIT, pytest.approx(0.25))


def test_a_window_takes_at_least_two_frames() -> None:
    for options in ({"window": 1}, {"reference_frames": 1}):
        with pytest.raises(CalibrationError, match="at least two frames"):
            DriftMonitor(EGO_FROM_CAM, **options)


@pytest.mark.parametrize(
    ("axis", "seen_cam", "word"),
    [
        # What was straight ahead, or to the right, is now seen there in the image.
        (0, (0.0, 0.1, 1.0), "up"),
        (0, (0.0, -0.1, 1.0), "down"),
        (1, (0.1, 0.0, 1.0), "left"),
        (1, (-0.1, 0.0, 1.0), "right"),
        (2, (1.0, 0.1, 0.0), "left"),
        (2, (1.0, -0.1, 0.0), "right"),
    ],
)
def test_words_say_which_way(axis: int, seen_cam: tuple[float, float, float], word: str) -> None:
    before = np.array([1.0, 0, 0]) if axis == 2 else np.array([0.0, 0, 1])
    angle_rad = np.arcsin(np.cross(before, np.array(seen_cam)) / np.linalg.norm(seen_cam))
    cam_from_given_cam = SE3.from_rotation_vector(angle_rad)
    now = cam_from_given_cam @ before[None]
    np.testing.assert_allclose(now[0], np.array(seen_cam) / np.linalg.norm(seen_cam), atol=1e-12)
    turn = Turn(angle_rad, np.radians(0.03) ** 2 * np.eye(3))
    assert main_axis(turn) == axis
    assert f"further {word}" in in_words(turn) or f"to the {word}" in in_words(turn)


def test_every_sure_axis_is_named() -> None:
    turn = Turn(np.radians([0.3, -0.6, 0.05]), np.radians(0.03) ** 2 * np.eye(3))
    said = in_words(turn)
    assert said.startswith(
        "looks 0.60 degrees further right than before, and looks 0.30 degrees further down"
    )
    assert "leans" not in said


def test_pixels_are_those_of_the_lens() -> None:
    assert pixels_moved(MODEL, np.radians([0.0, 0.5, 0.0])) == pytest.approx(420 * np.radians(0.5), rel=0.4)
    assert pixels_moved(MODEL, np.zeros(3)) == pytest.approx(0.0, abs=1e-9)
    small, large = (pixels_moved(MODEL, np.radians([0.0, 0.0, d])) for d in (0.25, 0.5))
    assert large == pytest.approx(2 * small, rel=0.01)


def test_windows_know_how_well_they_know() -> None:
    """Ninety-five of a hundred windows should lie within two sigma, on each axis."""
    normalised = []
    for k in range(25):
        views = [synthetic(1000 + 5 * k + j) for j in range(5)]
        turn = best_turn(views, EGO_FROM_CAM, np.zeros(3), noise=0.005)
        normalised.append(turn.turn_rad / turn.sigma_rad)
    assert (np.abs(normalised) < 2).mean() > 0.9


def test_a_turn_and_its_lattice_agree() -> None:
    assert np.abs(TURNS_RAD[STILL]).max() == 0
    np.testing.assert_allclose(np.abs(TURNS_RAD[list(SMALLEST)]).max(axis=1), SMALLEST_RAD)
    assert len(set(SMALLEST)) == 6


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_sums_are_those_of_page(seed: int, frames: int) -> None:
    """Each sum is the largest total over the last frames, clipped a frame at a time, or zero."""
    rng = np.random.default_rng(seed)
    cusum, gains = TurnCusum(), []
    for frame in range(frames):
        likelihood = rng.normal(0, 5, len(TURNS_RAD))
        gains.append(np.clip(likelihood - likelihood[STILL], -cusum.most_a_frame, cusum.most_a_frame))
        cusum.add(frame, likelihood)
    totals = np.cumsum(gains[::-1], axis=0)
    np.testing.assert_allclose(cusum.values, np.maximum(totals.max(axis=0), 0), atol=1e-9)
    positive = np.flatnonzero(cusum.values > 1e-9)
    from_there = totals[frames - 1 - cusum.since[positive], positive]
    np.testing.assert_allclose(from_there, cusum.values[positive], atol=1e-9)
    assert cusum.by_axis().max() <= cusum.values.max()


@given(st.floats(-1e6, 1e6))
def test_two_frames_never_suffice(gain: float) -> None:
    cusum = TurnCusum()
    for frame in range(2):
        likelihood = np.full(len(TURNS_RAD), gain)
        likelihood[STILL] = 0.0
        cusum.add(frame, likelihood)
    assert not cusum.alarmed


def test_real_frames(shared_data: Path) -> None:
    """KITTI: six frames are the reference; the other six are steady, or seen after a turn to the right."""
    from formats.registry import find_format
    from fusion.views import views_of

    path = shared_data / "kitti_camera_lidar" / "training"
    data_set = find_format(path)
    log = data_set.open_log(path, data_set.log_ids(path)[0])
    (name,) = log.rig.cameras
    views = views_of(log, name)
    mount = log.rig.cameras[name].ego_from_sensor
    report = detect_drift(views, mount, reference_frames=REFERENCE)
    assert report.verdict == DriftVerdict.STEADY
    # Points turned to the left under the old image are what an image of a camera turned to the right shows.
    ego_from_turned_ego = mount @ SE3.from_rotation_vector(np.radians([0.0, 0.5, 0.0])) @ mount.inverse()
    turned_views = [
        replace(
            view, points_ego=np.ascontiguousarray((ego_from_turned_ego @ view.points_ego.T).T, np.float32)
        )
        for view in views[6:]
    ]
    alarm = detect_drift([*views[:6], *turned_views], mount, reference_frames=REFERENCE).alarm
    assert alarm is not None
    assert alarm.frame < 11
    assert alarm.axis == "yaw"
    assert "right" in alarm.words
