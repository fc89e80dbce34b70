"""Drives to try the drift alarm on: simulated ones, kept on disk between runs, and twelve frames of KITTI."""

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from calib import SE3, Camera, Pinhole, Rig
from calib.refine.field import image_edges
from calib.refine.view import View
from calib.types import F64, U8
from fusion.log import DriveLog, ImageRef
from fusion.simulate import Drive, SimulationConfig
from fusion.simulate.config import Style
from fusion.views import view_at

CAMERA = "cam_front"
FRAMES, EVERY = 40, 3
STYLES: tuple[Style, ...] = ("curve", "straight", "stop")
SIMULATOR = Path(__file__).parents[2] / "fusion" / "simulate"


@dataclass(eq=False)
class Watched:
    """A drive as the alarm meets it: views of one camera, and what their images were.

    Attributes:
        name: in words.
        camera: whose mount is given.
        views: of every frame.
        images: the image of each view.
    """

    name: str
    camera: Camera
    views: list[View]
    images: list[U8]

    def turned(self, frame: int, turn_rad: F64) -> View:
        """The view that the camera would have had of a frame after a turn about its own centre."""
        image = turned_image(self.images[frame], self.camera, turn_rad)
        field = image_edges(image)
        return replace(self.views[frame], field=field, neutral=field.mean(axis=(1, 2)))


def turned_image(image: U8, camera: Camera, turn_rad: F64) -> U8:
    """What a camera without distortion sees after a turn; the border is continued where it saw nothing."""
    import cv2

    model = camera.model
    if not isinstance(model, Pinhole) or any(model.distortion):
        raise TypeError(f"camera {camera.name} has distortion: a turn is no homography")
    matrix = model.matrix
    turned_px_from_px = matrix @ SE3.from_rotation_vector(turn_rad).rotation @ np.linalg.inv(matrix)
    size = (image.shape[1], image.shape[0])
    turned = cv2.warpPerspective(
        image, turned_px_from_px, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(turned, dtype=np.uint8)


def simulated(seed: int) -> Watched:
    """Twelve seconds through a town, every third frame."""
    drive = _drive(seed)
    log = _kept(drive.log(), drive.config, "true")
    return _watched(f"simulated {seed} ({drive.config.style})", log, CAMERA, range(0, FRAMES * EVERY, EVERY))


def rendered_turned(seed: int, turn_rad: F64, frames: range) -> list[View]:
    """Views of a simulated drive whose camera truly was turned; they are told of the mount before."""
    drive = _drive(seed)
    given = drive.rig.cameras[CAMERA]
    cam_from_given_cam = SE3.from_rotation_vector(turn_rad)
    ego_from_cam = given.ego_from_sensor @ cam_from_given_cam.inverse()
    drive.rig = Rig.of(tuple(drive.rig.lidars.values()), (replace(given, ego_from_sensor=ego_from_cam),))
    truth = drive.log()
    known = replace(truth, rig=Rig.of(tuple(truth.rig.lidars.values()), (given,)))
    name = "turned" + "".join(f"_{angle:+.4f}" for angle in turn_rad)
    views = _watched("", _kept(known, drive.config, name), CAMERA, [EVERY * f for f in frames]).views
    return views


def kitti(shared_data: Path) -> Watched:
    """Twelve frames of stop-and-go traffic, 0.6 s apart."""
    from formats.registry import find_format

    path = shared_data / "kitti_camera_lidar" / "training"
    data_set = find_format(path)
    if data_set.open_log is None:
        raise ValueError(f"{path} holds no drive log")
    log = data_set.open_log(path, data_set.log_ids(path)[0])
    return _watched("KITTI", log, next(iter(log.rig.cameras)), range(len(log)))


def _drive(seed: int) -> Drive:
    seconds = FRAMES * EVERY / 10
    return Drive(SimulationConfig(seed=seed, seconds=seconds, style=STYLES[seed % 3], cameras=1))


def _watched(name: str, log: DriveLog, camera: str, frames: range | list[int]) -> Watched:
    views, images = [], []
    for frame in frames:
        view = view_at(log, camera, int(log.timestamps_ns[frame]))
        if view is None:
            raise ValueError(f"{name}: frame {frame} has no image or no scan")
        views.append(view)
        images.append(log.images[camera][frame].read())
    return Watched(name, log.rig.cameras[camera], views, images)


def _kept(log: DriveLog, config: SimulationConfig, name: str) -> DriveLog:
    """The log with images that are rendered once and kept, for as long as the simulator stays as it is."""
    folder = Path(tempfile.gettempdir()) / "crosslabel-drift" / _fingerprint(config) / name
    folder.mkdir(parents=True, exist_ok=True)
    images = tuple(_kept_image(ref, folder / f"{k:04d}.npy") for k, ref in enumerate(log.images[CAMERA]))
    return replace(log, images={CAMERA: images})


def _kept_image(ref: ImageRef, path: Path) -> ImageRef:
    load: Callable[[], U8] = ref.load

    def read() -> U8:
        if not path.exists():
            beside = path.with_suffix(".part.npy")
            np.save(beside, load())
            beside.replace(path)
        return np.asarray(np.load(path), dtype=np.uint8)

    return replace(ref, load=read)


def _fingerprint(config: SimulationConfig) -> str:
    digest = hashlib.sha256(repr(config).encode())
    for path in _sources():
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _sources() -> Iterator[Path]:
    yield from sorted(SIMULATOR.rglob("*.py"))
