"""OpenCalib / SensorsCalibration (Shanghai AI Lab, 2022): one JSON a parameter.

A folder with `<camera>-intrinsic.json` and `<a>-to-<b>-extrinsic.json`, where `sensor_calib` is b_from_a.
Images are not undistorted, the coefficients are OpenCV's, pixel centres whole numbers. The ego frame is that
of the first LiDAR (x forward, y left, z up there); without a LiDAR, the first camera's, looking ahead.
"""

from __future__ import annotations

from pathlib import Path

from calib.cameras import CameraModel
from calib.rig import Camera, Lidar, Rig
from calib.se3 import SE3
from formats.errors import FormatError
from formats.fields import Field, read_json_fields
from formats.rigs.kind import LOOKING_AHEAD, RigKind, fisheye_of, head_of, pinhole_of

INTRINSIC, EXTRINSIC = "-intrinsic.json", "-extrinsic.json"
MOST_FILES = 1000
Options = tuple[bool, tuple[int, int] | None]


def read_opencalib(path: Path, *, fisheye: bool = False, size_px: tuple[int, int] | None = None) -> Rig:
    """The sensors in a folder, or the camera in one intrinsic file.

    Args:
        path: of the folder or file.
        fisheye: the coefficients are those of cv2.fisheye, which the files do not tell.
        size_px: of the images, where the file is wrong: OpenCalib's own example says 1920 x 1080 of a camera
            whose image has 1920 x 1200.

    Raises:
        FormatError: a file is malformed, or nothing tells where a camera sits.
    """
    models: dict[str, CameraModel] = {}
    dst_from_src: dict[tuple[str, str], SE3] = {}
    files = [path] if path.is_file() else sorted(path.glob("*.json"))[:MOST_FILES]
    for file in files:
        if file.name.endswith((INTRINSIC, EXTRINSIC)):
            for entry in read_json_fields(file).values():
                _read_entry(entry, (fisheye, size_px), models, dst_from_src)
    if not models:
        raise FormatError(path, "", f"without a file that ends in {INTRINSIC}")
    lidars = sorted({name for pair in dst_from_src for name in pair if "lidar" in name.lower()})
    origin = lidars[0] if lidars else next(iter(models))
    ego_from_origin = SE3.identity() if lidars else LOOKING_AHEAD
    ego_from = _walk(origin, ego_from_origin, dst_from_src)
    for name in models:
        if name not in ego_from:
            raise FormatError(path, "", f"no file tells where the camera {name!r} sits")
    return Rig.of(
        tuple(Lidar(name, ego_from[name]) for name in lidars if name in ego_from),
        tuple(Camera(name, ego_from[name], model) for name, model in models.items()),
    )


def _read_entry(
    entry: Field, options: Options, models: dict[str, CameraModel], dst_from_src: dict[tuple[str, str], SE3]
) -> None:
    kind, name, target = (entry[key].text() for key in ("param_type", "sensor_name", "target_sensor_name"))
    if kind == "intrinsic":
        models[name] = _model(entry["param"], *options)
    elif kind == "extrinsic":
        dst_from_src[target, name] = entry["param"]["sensor_calib"]["data"].rigid()
    else:
        raise entry["param_type"].error(f"must be intrinsic or extrinsic, not {kind[:40]!r}")


def _model(param: Field, fisheye: bool, given_px: tuple[int, int] | None) -> CameraModel:
    size_px = given_px or param.size_px(param["img_dist_w"], param["img_dist_h"])
    matrix, distortion = param["cam_K"]["data"].matrix(3, 3), param["cam_dist"]["data"].numbers()
    return (fisheye_of if fisheye else pinhole_of)(param, matrix, size_px, distortion)


def _walk(origin: str, ego_from_origin: SE3, dst_from_src: dict[tuple[str, str], SE3]) -> dict[str, SE3]:
    """Returns ego_from_sensor of every sensor that pairs lead to, the shortest way first."""
    ego_from = {origin: ego_from_origin}
    todo = [origin]
    for near in todo:
        for (dst, src), dst_from_src_of_pair in dst_from_src.items():
            far = src if dst == near else dst
            if near in (dst, src) and far not in ego_from:
                near_from_far = dst_from_src_of_pair if dst == near else dst_from_src_of_pair.inverse()
                ego_from[far] = ego_from[near] @ near_from_far
                todo.append(far)
    return ego_from


def recognises(path: Path) -> bool:
    """Whether it is such a folder or intrinsic file; never raises."""
    try:
        files = [path] if path.is_file() else path.glob(f"*{INTRINSIC}")
        return any(
            file.name.endswith(INTRINSIC) and '"param_type"' in head_of(file) and '"cam_K"' in head_of(file)
            for file in files
        )
    except OSError:
        return False


OPENCALIB = RigKind(
    "opencalib",
    "OpenCalib",
    recognises,
    read_opencalib,
    "the first LiDAR's frame; without one, the first camera's place, x along its view",
)
