"""What was measured as messages of Foxglove (docs.foxglove.dev/docs/sdk/schemas)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from foxglove_schemas_protobuf.CameraCalibration_pb2 import CameraCalibration
from foxglove_schemas_protobuf.CompressedImage_pb2 import CompressedImage
from foxglove_schemas_protobuf.FrameTransform_pb2 import FrameTransform
from foxglove_schemas_protobuf.FrameTransforms_pb2 import FrameTransforms
from foxglove_schemas_protobuf.PackedElementField_pb2 import PackedElementField
from foxglove_schemas_protobuf.PointCloud_pb2 import PointCloud
from foxglove_schemas_protobuf.Pose_pb2 import Pose
from foxglove_schemas_protobuf.PoseInFrame_pb2 import PoseInFrame
from foxglove_schemas_protobuf.Quaternion_pb2 import Quaternion
from foxglove_schemas_protobuf.Vector3_pb2 import Vector3
from google.protobuf.timestamp_pb2 import Timestamp  # type: ignore[import-untyped, unused-ignore]

from calib.cameras import CameraModel, Fisheye, Pinhole
from calib.se3 import SE3
from calib.types import F64
from formats.errors import FormatError
from formats.files import read_bytes
from formats.images import JPEG_START, PNG_SIGNATURE, image_size_px
from formats.mcap.names import EGO, WORLD
from formats.recording.pictures import as_sent
from fusion.log import ImageRef
from fusion.sweep import Sweep

NS = 1_000_000_000
TIME_FIELD = "offset_ns"
COLUMNS = {"intensity": "<f4", "ring": "<i4", TIME_FIELD: "<i4"}
KINDS = {"<f4": PackedElementField.FLOAT32, "<i4": PackedElementField.INT32}
FILES = (".jpg", ".jpeg", ".png")
# Names of Foxglove, by numbers of coefficients that it takes.
BROWN = {0: ("plumb_bob", 5), 4: ("plumb_bob", 5), 5: ("plumb_bob", 5), 8: ("rational_polynomial", 8)}


class Lens(NamedTuple):
    """A kind of lens as Foxglove calls it, its coefficients, and the (3, 3) matrix of the camera."""

    name: str
    coefficients: list[float]
    matrix: F64


def stamp(timestamp_ns: int) -> Any:
    """An instant."""
    return Timestamp(seconds=timestamp_ns // NS, nanos=timestamp_ns % NS)


def pose(dst_from_src: SE3) -> Pose:
    """A place and a direction."""
    place, turn = place_and_turn(dst_from_src)
    return Pose(position=place, orientation=turn)


def place_and_turn(dst_from_src: SE3) -> tuple[Vector3, Quaternion]:
    """The two parts of a rigid transform."""
    w, x, y, z = dst_from_src.quaternion_wxyz.tolist()
    return Vector3(**dict(zip("xyz", dst_from_src.translation.tolist(), strict=True))), Quaternion(
        x=x, y=y, z=z, w=w
    )


def ego_pose(timestamp_ns: int, world_from_ego: SE3) -> PoseInFrame:
    """Where the car was; transforms alone do not tell of a car that stands from one that never moves."""
    return PoseInFrame(timestamp=stamp(timestamp_ns), frame_id=WORLD, pose=pose(world_from_ego))


def ego_transform(timestamp_ns: int, world_from_ego: SE3) -> FrameTransforms:
    """The same as a transform."""
    return FrameTransforms(transforms=[_transform(timestamp_ns, WORLD, EGO, world_from_ego)])


def sensor_transforms(timestamp_ns: int, placed: dict[str, SE3]) -> FrameTransforms:
    """Where the frames of sensors are on the car: ego_from_sensor by frame."""
    return FrameTransforms(
        transforms=[_transform(timestamp_ns, EGO, frame, placed[frame]) for frame in placed]
    )


def _transform(timestamp_ns: int, parent: str, child: str, parent_from_child: SE3) -> FrameTransform:
    place, turn = place_and_turn(parent_from_child)
    return FrameTransform(
        timestamp=stamp(timestamp_ns),
        parent_frame_id=parent,
        child_frame_id=child,
        translation=place,
        rotation=turn,
    )


def cloud(sweep: Sweep, frame: str) -> PointCloud:
    """The points with all that is known of each, in bytes."""
    known = {name: kind for name, kind in COLUMNS.items() if getattr(sweep, name) is not None}
    kinds = dict.fromkeys("xyz", "<f4") | known
    table: np.ndarray[Any, Any] = np.empty(len(sweep), dtype=[*kinds.items()])
    for axis, name in enumerate("xyz"):
        table[name] = sweep.points[:, axis]
    for name in known:
        table[name] = getattr(sweep, name)
    fields = [
        PackedElementField(name=name, offset=4 * at, type=KINDS[kind])
        for at, (name, kind) in enumerate(kinds.items())
    ]
    return PointCloud(
        timestamp=stamp(sweep.timestamp_ns),
        frame_id=frame,
        pose=pose(SE3.identity()),
        point_stride=table.dtype.itemsize,
        fields=fields,
        data=table.tobytes(),
    )


def image(ref: ImageRef, frame: str, model: CameraModel) -> CompressedImage:
    """An image as the file that it is; as PNG where it is none.

    Raises:
        FormatError: it cannot be read, or is of another size than the camera's.
    """
    content = _file_of(ref, (model.width_px, model.height_px))
    kind = "jpeg" if content.startswith(JPEG_START) else "png"
    return CompressedImage(timestamp=stamp(ref.timestamp_ns), frame_id=frame, data=content, format=kind)


def _file_of(ref: ImageRef, size_px: tuple[int, int]) -> bytes:
    import cv2

    content = as_sent(ref)
    if content is None and ref.path is not None and ref.path.suffix.lower() in FILES:
        found_px = image_size_px(ref.path)
        if found_px != size_px:
            raise FormatError(ref.path, "", f"the image is {found_px} pixels, its camera has {size_px}")
        content = read_bytes(ref.path)
    if content is not None and content.startswith((JPEG_START, PNG_SIGNATURE)):
        return content
    done, encoded = cv2.imencode(".png", cv2.cvtColor(ref.read(), cv2.COLOR_RGB2BGR))
    if not done:
        raise FormatError(ref.path or "", ref.camera, "an image that cannot be compressed")
    return encoded.tobytes()


def lens(model: CameraModel) -> Lens | None:
    """What Foxglove calls a lens; None where it has none such."""
    if isinstance(model, Fisheye):
        name, count = "kannala_brandt", 4
    elif isinstance(model, Pinhole) and len(model.distortion) in BROWN:
        name, count = BROWN[len(model.distortion)]
    else:
        return None
    zeros = [0.0] * (count - len(model.distortion))
    return Lens(name, [*model.distortion, *zeros], model.matrix)


def calibration(timestamp_ns: int, frame: str, model: CameraModel) -> CameraCalibration:
    """How a camera of a lens that Foxglove knows sees."""
    known = lens(model)
    assert known is not None
    return CameraCalibration(
        timestamp=stamp(timestamp_ns),
        frame_id=frame,
        width=model.width_px,
        height=model.height_px,
        distortion_model=known.name,
        D=known.coefficients,
        K=known.matrix.ravel().tolist(),
        R=np.eye(3).ravel().tolist(),
        P=np.column_stack([known.matrix, np.zeros(3)]).ravel().tolist(),
    )
