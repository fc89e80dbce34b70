"""nuScenes (Caesar et al., 2020) and its relatives: the sensors of a folder of tables, without its logs.

`calibrated_sensor` is the pose of a sensor in the ego frame, which is ours: x forward, y left, z up, at the
rear axle. Images are undistorted, pixel centres whole numbers.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from calib.rig import Rig
from formats.errors import FormatError
from formats.nuscenes.sensors import camera_of, lidar_of
from formats.nuscenes.tables import Row, by_token, rows
from formats.rigs.kind import RigKind

SENSORS, CALIBRATED, DATA = "sensor.json", "calibrated_sensor.json", "sample_data.json"
USUAL_SIZE_PX = (1600, 900)


def read_nuscenes_sensors(path: Path, *, size_px: tuple[int, int] | None = None) -> Rig:
    """The cameras and LiDARs in a folder of tables, or in the one folder of a data set that holds them.

    Args:
        path: of the folder.
        size_px: of the images; else that in `sample_data.json`, else nuScenes' usual 1600 x 900.

    Raises:
        FormatError: a table is missing or malformed, or holds the rigs of several logs, which differ.
    """
    folder = _folder(path)
    sensors = by_token(folder / SENSORS)
    chosen: dict[str, Row] = {}
    kinds: dict[str, str] = {}
    for row in by_token(folder / CALIBRATED).values():
        sensor = sensors.get(row.text("sensor_token"))
        if sensor is None:
            raise row.error(f"there is no sensor {row.text('sensor_token')!r}")
        channel, kinds[channel] = sensor.text("channel"), sensor.text("modality")
        if _said(chosen.setdefault(channel, row)) != _said(row):
            raise row.error(f"{channel} has several places, one a log: open the log instead")
    cameras = {name: row for name, row in chosen.items() if kinds[name] == "camera"}
    sizes = {} if size_px else _sizes_px(folder, cameras)
    return Rig.of(
        tuple(lidar_of(chosen[name], name) for name, kind in kinds.items() if kind == "lidar"),
        tuple(
            camera_of(row, name, size_px or sizes.get(name, USUAL_SIZE_PX)) for name, row in cameras.items()
        ),
    )


def _said(row: Row) -> dict[str, Any]:
    return {key: value for key, value in row.fields.items() if key != "token"}


def _sizes_px(folder: Path, cameras: dict[str, Row]) -> dict[str, tuple[int, int]]:
    """By camera, out of the first rows of sample_data that tell, where there is such a table."""
    names = {row.text("token"): name for name, row in cameras.items()}
    sizes: dict[str, tuple[int, int]] = {}
    if not (folder / DATA).is_file():
        return sizes
    for _, row in rows(folder / DATA):
        name = names.get(row.text("calibrated_sensor_token"))
        if name is not None and name not in sizes:
            width, height = row.whole("width"), row.whole("height")
            if width <= 0 or height <= 0:
                raise row.error(f"an image cannot be {width} x {height} pixels")
            sizes[name] = (width, height)
            if len(sizes) == len(names):
                break
    return sizes


def _folder(path: Path) -> Path:
    candidates = [path, *sorted(path.glob("*/"))]
    found = [folder for folder in candidates if _holds_tables(folder)]
    if not found:
        raise FormatError(path, "", f"without {SENSORS} and {CALIBRATED}")
    if found[0] != path and len(found) > 1:
        raise FormatError(
            path, "", f"several folders of tables: {', '.join(f.name for f in found)}; name one"
        )
    return found[0]


def _holds_tables(folder: Path) -> bool:
    return (folder / SENSORS).is_file() and (folder / CALIBRATED).is_file()


def recognises(path: Path) -> bool:
    """Whether it is such a folder; never raises."""
    try:
        return path.is_dir() and any(map(_holds_tables, (path, *path.glob("*/"))))
    except OSError:
        return False


NUSCENES_SENSORS = RigKind(
    "nuscenes", "nuScenes sensor tables", recognises, read_nuscenes_sensors, "nuScenes' ego: rear axle"
)
