"""Any log written as a scene of SUSTechPOINTS.

Points, images and boxes of a frame are of one instant there, and cameras have no distortion: points are
deskewed, images resampled where their lens bends lines, and an image is taken for the frame that shows most
nearly what the LiDAR measured of its view.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from calib.rig import Camera
from formats.errors import FormatError
from formats.files import atomic_folder, inside, write_json
from formats.nuscenes.images import ImageWriter
from formats.pointcloud import PointCloud, write_pcd
from formats.rigs.sustech import CALIBRATION, IMAGES
from formats.sustech.beside import folder_of_log
from formats.sustech.scene import POINTS
from formats.sustech.write_labels import frame_name, mount_of_main_lidar, write_scene_labels
from fusion.align import read_deskewed
from fusion.beam import image_of_frame
from fusion.labels import LabelSet
from fusion.log import DriveLog
from fusion.progress import Progress


def write(
    path: Path, pairs: Iterable[tuple[DriveLog, LabelSet]], *, progress: Progress | None = None
) -> None:
    """Writes logs with their labels, a scene each, into a folder that is new or empty.

    Raises:
        FormatError: something stands there, it cannot be written, two logs share a name, or a log has no
            camera with images.
    """
    with atomic_folder(path) as root:
        for log, labels in pairs:
            folder = folder_of_log(root, log.name)
            if folder.exists():
                raise FormatError(path, log.name, "two logs of this name")
            _write_sensors(folder, log, progress)
            write_scene_labels(folder, mount_of_main_lidar(log), labels)


def _write_sensors(folder: Path, log: DriveLog, progress: Progress | None) -> None:
    used = [camera for camera in log.rig.cameras.values() if log.images.get(camera.name)]
    if not used:
        raise FormatError(folder, "", f"the log {log.name} has no camera with images")
    writers = {camera.name: ImageWriter(camera, hard_links=False, undistort=True) for camera in used}
    for writer in writers.values():
        _write_calibration(folder, log, writer.camera)
    (folder / POINTS).mkdir(parents=True, exist_ok=True)
    last: dict[str, int] = {}
    for done, frame_ns in enumerate(log.timestamps_ns.tolist(), start=1):
        name = frame_name(folder, frame_ns)
        _write_points(folder / POINTS / f"{name}.pcd", log, frame_ns)
        for camera, writer in writers.items():
            image = image_of_frame(log, camera, frame_ns)
            if image is not None and last.get(camera) != image.timestamp_ns:
                last[camera] = image.timestamp_ns
                file = _place(folder, IMAGES, camera) / f"{name}{writer.ending(image)}"
                file.parent.mkdir(parents=True, exist_ok=True)
                writer.write(file, image)
        if progress is not None:
            progress(log.name, done, len(log))


def _write_calibration(folder: Path, log: DriveLog, camera: Camera) -> None:
    cam_from_ego = camera.ego_from_sensor.inverse()
    ego_from_lidar = mount_of_main_lidar(log)
    cam_from_lidar = cam_from_ego @ ego_from_lidar
    content = {
        "extrinsic": cam_from_lidar.matrix.ravel().tolist(),
        "intrinsic": camera.model.plain.matrix.ravel().tolist(),
    }
    write_json(_place(folder, CALIBRATION, f"{camera.name}.json"), content)


def _write_points(file: Path, log: DriveLog, frame_ns: int) -> None:
    ref = log.sweep_at(frame_ns)
    if ref is not None:
        sweep = read_deskewed(log, ref)
        write_pcd(file, PointCloud(sweep.points, sweep.intensity, sweep.ring))


def _place(folder: Path, kind: Path, name: str) -> Path:
    place = inside(folder / kind, name, folder, "name of a camera")
    if place.parent != folder / kind:
        raise FormatError(folder, "", f"the name of a camera must be that of a file, not {name!r}")
    return place
