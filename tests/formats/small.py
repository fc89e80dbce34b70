"""Small samples of the formats here, valid, quick to make and the same every time."""

from functools import partial
from pathlib import Path

import numpy as np

from calib import SE3, SE3Batch
from formats.images import write_rgb
from formats.kitti.oxts import oxts_text
from formats.kitti_object import KITTI_OBJECT
from fusion import DriveLog, ImageRef, LabelSet, SweepRef
from tests.formats.conftest import (
    FRAME_NS,
    START_NS,
    curved_way,
    image_of,
    labels_of,
    rig_of_three_cameras,
    sweep_of,
)

DAY, DRIVE = "2011_09_26", "2011_09_26_drive_0005_sync"
VELO_TO_CAM = SE3.from_quaternion_wxyz((0.5, -0.502, 0.498, -0.5), (-0.004, -0.076, -0.272))
IMU_TO_VELO = SE3.from_yaw(0.001, (-0.81, 0.32, -0.8))
POSE = ("tx", "ty", "tz", "rx", "ry", "rz")
RECT = SE3.from_rotation_vector((0.004, -0.01, 0.007))


def small_log(frames: int = 3, name: str = "drive") -> tuple[DriveLog, LabelSet]:
    """A log in memory of one LiDAR and the pinhole camera, with labels."""
    rig = rig_of_three_cameras()
    frames_ns = [START_NS + k * FRAME_NS for k in range(frames)]
    sweeps = {"roof": tuple(SweepRef("roof", t, partial(sweep_of, "roof", t, 1.0)) for t in frames_ns)}
    images = {"ahead": tuple(ImageRef("ahead", t - 50_000_000, partial(image_of, t)) for t in frames_ns)}
    log = DriveLog(name, rig, curved_way(frames), np.array(frames_ns), sweeps, images)
    return log, labels_of(frames_ns)


def make_kitti_object(folder: Path) -> None:
    """A tree of the object benchmark, two frames."""
    assert KITTI_OBJECT.write is not None
    KITTI_OBJECT.write(folder, [small_log(2)])


def make_kitti_raw(folder: Path) -> None:
    """A day of raw data with one drive of three frames, tracklets and all four cameras."""
    day = folder / DAY
    for name, text in calibration_texts().items():
        _text(day / name, text)
    drive = day / DRIVE
    poses = SE3Batch.stack(SE3.from_yaw(0.02 * k, (0.9 * k, 0.1 * k, 0.0)) for k in range(3))
    lines = oxts_text(poses).splitlines()
    for number in range(3):
        _text(drive / "oxts" / "data" / f"{number:010d}.txt", lines[number] + "\n")
        sweep = sweep_of("roof", number, 1.0)
        rows = np.column_stack([sweep.points, np.linspace(0, 1, len(sweep))]).astype("<f4")
        file = drive / "velodyne_points" / "data" / f"{number:010d}.bin"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(rows.tobytes())
        for camera in range(4):
            write_rgb(drive / f"image_0{camera}" / "data" / f"{number:010d}.png", image_of(number))
    parts = ("oxts", "velodyne_points", *(f"image_0{k}" for k in range(4)))
    for late, part in enumerate(parts):
        stamps = [f"2011-09-26 13:02:{25 + 0.1 * k:.1f}51{late}99337\n" for k in range(3)]
        _text(drive / part / "timestamps.txt", "".join(stamps))
    _text(drive / "tracklet_labels.xml", tracklets_text())


def calibration_texts() -> dict[str, str]:
    """The three files of a day."""
    cameras = ["calib_time: 09-Jan-2012 13:57:47"]
    for number in range(4):
        projection = [100.0, 0, 64, -50.0 * number, 0, 100.0, 40, 0.2 * number, 0, 0, 1, 0.003 * number]
        rows = {"S": (128, 80), "K": (100, 0, 64, 0, 100, 40, 0, 0, 1), "D": (0.0,) * 5}
        rows |= {"R": tuple(np.eye(3).ravel()), "T": (-0.5 * number, 0, 0), "S_rect": (128, 80)}
        rows |= {"R_rect": tuple(RECT.rotation.ravel()), "P_rect": tuple(projection)}
        cameras += [f"{key}_0{number}: {' '.join(f'{v:.9e}' for v in row)}" for key, row in rows.items()]
    rigid = {"calib_velo_to_cam.txt": VELO_TO_CAM, "calib_imu_to_velo.txt": IMU_TO_VELO}
    texts = {
        name: f"calib_time: 15-Mar-2012 11:37:16\nR: {_row(motion.rotation)}\nT: {_row(motion.translation)}\n"
        for name, motion in rigid.items()
    }
    return {"calib_cam_to_cam.txt": "\n".join(cameras) + "\n", **texts}


def tracklets_text() -> str:
    """A car over three frames and a pedestrian in the last two, as KITTI's tool writes them."""
    items = []
    for name, size_hwl, first, poses in (
        ("Car", (1.5, 1.7, 4.2), 0, [(10 + k, 2, -1.7, 0, 0, 0.1 * k) for k in range(3)]),
        ("Pedestrian", (1.8, 0.6, 0.7), 1, [(6, -3, -1.6, 0, 0, -2.0)] * 2),
    ):
        text = "".join(
            "<item>"
            + "".join(f"<{key}>{v}</{key}>" for key, v in zip(POSE, pose, strict=True))
            + "<state>2</state><occlusion>1</occlusion><truncation>0</truncation>"
            + "<amt_occlusion>0.5</amt_occlusion></item>"
            for pose in poses
        )
        h, w, length = size_hwl
        items.append(
            f"<item><objectType>{name}</objectType><h>{h}</h><w>{w}</w><l>{length}</l><first_frame>{first}</first_frame>"
            f"<poses><count>{len(poses)}</count><item_version>2</item_version>{text}</poses><finished>1</finished></item>"
        )
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes" ?>\n<!DOCTYPE boost_serialization>\n'
        '<boost_serialization signature="serialization::archive" version="9">\n<tracklets class_id="0">'
        f"<count>{len(items)}</count><item_version>1</item_version>{''.join(items)}</tracklets>\n"
        "</boost_serialization>\n"
    )


def _row(values: np.ndarray) -> str:
    return " ".join(f"{value:.9e}" for value in values.ravel())


def _text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
