"""Drives written as recordings of every kind, by other people's writers."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import foxglove.messages as fox
import numpy as np
from rosbags.rosbag2 import StoragePlugin

from calib import SE3, Camera, Fisheye, Pinhole
from fusion import DriveLog, Trajectory
from tests.formats.recording.containers import (
    KINDS,
    ROS1,
    ROS2,
    Kind,
    Note,
    write_bag,
    write_mcap,
    write_rosbag2,
)
from tests.formats.recording.contents import OUSTER, ouster, png

__all__ = ["KINDS", "OUSTER", "ROS2", "Kind", "png"]
NS = 1_000_000_000
LAG_NS = 60_000_000
NUMBERS = {"i1": 1, "u1": 2, "i2": 3, "u2": 4, "i4": 5, "u4": 6, "f4": 7, "f8": 8}
FOX_NUMBERS = {"u1": "Uint8", "i1": "Int8", "u2": "Uint16", "i2": "Int16", "u4": "Uint32", "i4": "Int32"}
FOX_NUMBERS |= {"f4": "Float32", "f8": "Float64"}


@dataclass
class Writing:
    """Makes messages for one kind of file."""

    kind: Kind
    notes: list[Note] = field(default_factory=list)

    @property
    def types(self) -> Any:
        return (ROS1 if self.kind == "bag" else ROS2).types

    def new(self, name: str, *values: Any, **named: Any) -> Any:
        return self.types[name](*values, **named)

    def stamp(self, t: int) -> Any:
        if self.kind == "protobuf":
            return fox.Timestamp(t // NS, t % NS)
        return self.new("builtin_interfaces/msg/Time", t // NS, t % NS)

    def header(self, t: int, frame: str) -> Any:
        extra = (0,) if self.kind == "bag" else ()
        return self.new("std_msgs/msg/Header", *extra, self.stamp(t), frame)

    def put(self, topic: str, t: int, type_name: str, message: Any) -> None:
        self.notes.append(Note(topic, t + LAG_NS, type_name, message))

    def cloud(
        self, topic: str, t: int, frame: str, cloud: np.ndarray, *, big: bool = False, **told: Any
    ) -> None:
        """A structured array, (N,) or (H, W), byte for byte; `told` replaces fields of the message."""
        fields = {name: cloud.dtype.fields[name] for name in cloud.dtype.names or ()}
        plain = {name: (kind.str[1:], offset) for name, (kind, offset, *_) in fields.items()}
        if self.kind == "protobuf":
            listed = [
                fox.PackedElementField(
                    name=name, offset=at, type=getattr(fox.PackedElementFieldNumericType, FOX_NUMBERS[kind])
                )
                for name, (kind, at) in plain.items()
            ]
            values = {"point_stride": cloud.dtype.itemsize, "fields": listed, "data": cloud.tobytes()}
            message = fox.PointCloud(timestamp=self.stamp(t), frame_id=frame, **(values | told))
            return self.put(topic, t, "foxglove.PointCloud", message)
        grid = cloud if cloud.ndim == 2 else cloud[None]
        name = "sensor_msgs/msg/PointField"
        listed = [self.new(name, key, at, NUMBERS[kind], 1) for key, (kind, at) in plain.items()]
        values = {
            "header": self.header(t, frame),
            "height": grid.shape[0],
            "width": grid.shape[1],
            "fields": listed,
            "is_bigendian": big,
            "point_step": cloud.dtype.itemsize,
            "row_step": cloud.dtype.itemsize * grid.shape[1],
            "data": np.frombuffer(cloud.tobytes(), dtype=np.uint8),
            "is_dense": False,
        }
        name = "sensor_msgs/msg/PointCloud2"
        return self.put(topic, t, name, self.new(name, **(values | told)))

    def compressed(self, topic: str, t: int, frame: str, content: bytes, kind: str) -> None:
        if self.kind == "protobuf":
            message = fox.CompressedImage(timestamp=self.stamp(t), frame_id=frame, data=content, format=kind)
            return self.put(topic, t, "foxglove.CompressedImage", message)
        name, data = "sensor_msgs/msg/CompressedImage", np.frombuffer(content, dtype=np.uint8)
        return self.put(topic, t, name, self.new(name, self.header(t, frame), kind, data))

    def image(
        self, topic: str, t: int, frame: str, rows: np.ndarray, encoding: str, width: int, big: bool = False
    ) -> None:
        """(H, step) uint8 rows of pixels, padding and all."""
        height, step = rows.shape
        if self.kind == "protobuf":
            sizes = {"width": width, "height": height, "step": step}
            message = fox.RawImage(
                timestamp=self.stamp(t), frame_id=frame, encoding=encoding, data=rows.tobytes(), **sizes
            )
            return self.put(topic, t, "foxglove.RawImage", message)
        name = "sensor_msgs/msg/Image"
        values = (self.header(t, frame), height, width, encoding, big, step, rows.reshape(-1))
        return self.put(topic, t, name, self.new(name, *values))

    def info(self, topic: str, t: int, frame: str, camera: Camera, **told: Any) -> None:
        model: Any = camera.model
        distortion = tuple(model.distortion)
        if isinstance(model, Fisheye):
            name = "equidistant"
        else:
            name = "plumb_bob" if len(distortion) <= 5 else "rational_polynomial"
        matrix = np.array(told.pop("K", model.matrix), dtype=np.float64)
        projection = np.column_stack([matrix, np.zeros(3)])
        values: dict[str, Any] = {
            "height": model.height_px,
            "width": model.width_px,
            "distortion_model": name,
            "D": np.array(distortion, dtype=np.float64),
            "K": matrix.reshape(-1),
            "R": np.eye(3).reshape(-1),
            "P": projection.reshape(-1),
        } | told
        if self.kind == "protobuf":
            plain = {key: value.tolist() if key in "KDRP" else value for key, value in values.items()}
            message = fox.CameraCalibration(timestamp=self.stamp(t), frame_id=frame, **plain)
            return self.put(topic, t, "foxglove.CameraCalibration", message)
        if self.kind != "bag":
            values = {key.lower() if key in "KDRP" else key: value for key, value in values.items()}
        roi = self.new("sensor_msgs/msg/RegionOfInterest", 0, 0, 0, 0, False)
        name = "sensor_msgs/msg/CameraInfo"
        header = self.header(t, frame)
        return self.put(
            topic, t, name, self.new(name, header=header, binning_x=0, binning_y=0, roi=roi, **values)
        )

    def transforms(self, topic: str, t: int, some: dict[tuple[str, str], SE3]) -> None:
        """parent_from_child by (parent, child)."""
        if self.kind == "protobuf":
            listed = [
                fox.FrameTransform(
                    timestamp=self.stamp(t),
                    parent_frame_id=parent,
                    child_frame_id=child,
                    translation=fox.Vector3(**xyz(one)),
                    rotation=fox.Quaternion(**xyzw(one)),
                )
                for (parent, child), one in some.items()
            ]
            message = fox.FrameTransforms(transforms=listed)
            return self.put(topic, t, "foxglove.FrameTransforms", message)
        listed = [
            self.new(
                "geometry_msgs/msg/TransformStamped",
                self.header(t, parent),
                child,
                self.new(
                    "geometry_msgs/msg/Transform",
                    self.new("geometry_msgs/msg/Vector3", **xyz(one)),
                    self.new("geometry_msgs/msg/Quaternion", **xyzw(one)),
                ),
            )
            for (parent, child), one in some.items()
        ]
        name = "tf2_msgs/msg/TFMessage"
        return self.put(topic, t, name, self.new(name, listed))

    def pose(self, one: SE3) -> Any:
        if self.kind == "protobuf":
            return fox.Pose(position=fox.Vector3(**xyz(one)), orientation=fox.Quaternion(**xyzw(one)))
        place = self.new("geometry_msgs/msg/Point", **xyz(one))
        return self.new(
            "geometry_msgs/msg/Pose", place, self.new("geometry_msgs/msg/Quaternion", **xyzw(one))
        )

    def odometry(self, topic: str, t: int, frame: str, body: str, one: SE3) -> None:
        zero = np.zeros(36)
        pose = self.new("geometry_msgs/msg/PoseWithCovariance", self.pose(one), zero)
        vector = self.new("geometry_msgs/msg/Vector3", 0.0, 0.0, 0.0)
        twist = self.new("geometry_msgs/msg/Twist", vector, vector)
        twist = self.new("geometry_msgs/msg/TwistWithCovariance", twist, zero)
        name = "nav_msgs/msg/Odometry"
        self.put(topic, t, name, self.new(name, self.header(t, frame), body, pose, twist))

    def posed(self, topic: str, t: int, frame: str, one: SE3) -> None:
        if self.kind == "protobuf":
            message = fox.PoseInFrame(timestamp=self.stamp(t), frame_id=frame, pose=self.pose(one))
            return self.put(topic, t, "foxglove.PoseInFrame", message)
        name = "geometry_msgs/msg/PoseStamped"
        return self.put(topic, t, name, self.new(name, self.header(t, frame), self.pose(one)))

    def fix(self, topic: str, t: int, frame: str, latitude: float, longitude: float, height: float) -> None:
        if self.kind == "protobuf":
            message = fox.LocationFix(
                timestamp=self.stamp(t),
                frame_id=frame,
                latitude=latitude,
                longitude=longitude,
                altitude=height,
            )
            return self.put(topic, t, "foxglove.LocationFix", message)
        name, status = "sensor_msgs/msg/NavSatFix", self.new("sensor_msgs/msg/NavSatStatus", 0, 1)
        values = (self.header(t, frame), status, latitude, longitude, height, np.zeros(9), 0)
        return self.put(topic, t, name, self.new(name, *values))

    def imu(self, topic: str, t: int, frame: str, enu_from_imu: SE3) -> None:
        vector = self.new("geometry_msgs/msg/Vector3", 0.0, 0.0, 0.0)
        turn = self.new("geometry_msgs/msg/Quaternion", **xyzw(enu_from_imu))
        name, zero = "sensor_msgs/msg/Imu", np.zeros(9)
        self.put(
            topic, t, name, self.new(name, self.header(t, frame), turn, zero, vector, zero, vector, zero)
        )

    def write(self, path: Path, **options: Any) -> Path:
        """Everything that was put, in order of time, as the recording that `path` becomes."""
        notes = sorted(self.notes, key=lambda note: note.logged_ns)
        if self.kind == "bag":
            return write_bag(path.with_suffix(".bag"), notes, **options)
        if self.kind == "db3":
            return write_rosbag2(path, notes, StoragePlugin.SQLITE3)
        if self.kind == "mcap" and not options:
            return write_rosbag2(path, notes, StoragePlugin.MCAP)
        return write_mcap(path.with_suffix(".mcap"), notes, self.kind, **options)


def xyz(one: SE3) -> dict[str, float]:
    return dict(zip("xyz", map(float, one.translation), strict=True))


def xyzw(one: SE3) -> dict[str, float]:
    return dict(zip("wxyz", map(float, one.quaternion_wxyz), strict=True))


def static_transforms(log: DriveLog) -> dict[tuple[str, str], SE3]:
    """Sensors on the car; the second camera hangs on the first."""
    placed = {name: lidar.ego_from_sensor for name, lidar in log.rig.lidars.items()}
    placed |= {name: camera.ego_from_sensor for name, camera in log.rig.cameras.items()}
    told = {("base_link", name): ego_from_sensor for name, ego_from_sensor in placed.items()}
    first, second = [*log.rig.cameras][:2]
    ego_from_second = told.pop(("base_link", second))
    first_from_ego = placed[first].inverse()
    return {**told, (first, second): first_from_ego @ ego_from_second}


def put_drive(writing: Writing, log: DriveLog, *, trajectory: Trajectory | None = None) -> None:
    """Clouds, images, calibration and transforms of a whole log."""
    way = trajectory or log.trajectory
    start = int(way.timestamps_ns[0])
    writing.transforms("/tf_static", start, static_transforms(log))
    for t, world_from_ego in zip(way.timestamps_ns.tolist(), way.world_from_ego, strict=True):
        writing.transforms("/tf", t, {("odom", "base_link"): world_from_ego})
    put_sensors(writing, log)


def put_sensors(writing: Writing, log: DriveLog) -> None:
    for name, sweeps in log.sweeps.items():
        for ref in sweeps:
            writing.cloud(f"/{name}/points", ref.timestamp_ns, name, ouster(ref.read()))
    for name, images in log.images.items():
        writing.info(f"/{name}/camera_info", images[0].timestamp_ns, name, log.rig.cameras[name])
        for image in images:
            topic = f"/{name}/image_raw/compressed"
            writing.compressed(
                topic, image.timestamp_ns, name, png(image.read()), "rgb8; png compressed bgr8"
            )


def make_recording(folder: Path, kind: Kind = "mcap", **options: Any) -> Path:
    """A small recording of one kind in a folder that is there; its path."""
    writing = Writing(kind)
    place = SE3.from_yaw(0.3, (1.0, 0.0, 1.8))
    writing.transforms("/tf_static", NS, {("base_link", "top"): place, ("base_link", "eye"): place})
    grey = np.tile(np.arange(12, dtype=np.uint8), (8, 1))
    camera = Camera("eye", place, Pinhole(10, 10, 6, 4, 12, 8, (-0.1, 0.01, 0.0, 0.0, 0.0)))
    for k in range(3):
        t = NS + k * 100_000_000
        writing.transforms("/tf", t, {("odom", "base_link"): SE3.from_yaw(0.01 * k, (0.5 * k, 0, 0))})
        cloud = np.zeros(50, dtype=OUSTER)
        cloud["x"], cloud["t"] = np.arange(1, 51), np.arange(50) * 1_900_000
        writing.cloud("/top/points", t, "top", cloud)
        writing.compressed("/eye/image_raw/compressed", t, "eye", png(np.dstack([grey] * 3)), "png")
        writing.info("/eye/camera_info", t, "eye", camera)
    return writing.write(folder / f"small_{kind}", **options)
