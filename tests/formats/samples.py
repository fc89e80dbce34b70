"""A small data set of each format that can be read: of simulated drives, and of PandaSet two real frames."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

from formats.format import Format
from formats.registry import FORMATS
from fusion import DriveLog, LabelSet
from fusion.simulate import SimulationConfig, simulate, visible_only
from tests.conftest import SHARED_DATA
from tests.formats.recording.bags import Kind, make_recording
from tests.formats.small import make_kitti_raw
from tests.formats.waymo_segment import make_waymo


@cache
def drive() -> tuple[DriveLog, LabelSet]:
    """Three frames with small images."""
    config = replace(SimulationConfig.tiny(), seconds=0.25, azimuth_steps=60, image_size_px=(64, 36))
    log, labels = simulate(config)
    return log, visible_only(log, labels, 1)


def _written(format: Format) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        assert format.write is not None
        format.write(folder, [drive()])

    return make


def _labels_of(format: Format) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        assert format.write_labels is not None
        folder.mkdir()
        format.write_labels(folder, *drive())

    return make


def make_pandaset(folder: Path, shared_data: Path = SHARED_DATA) -> None:
    """Two real frames with the front camera, as nothing here writes this format."""
    source = shared_data / "pandaset" / "002"
    for part in ("lidar", "camera/front_camera", "annotations/cuboids"):
        (folder / part).mkdir(parents=True)
        for file in (source / part).iterdir():
            if file.suffix == ".json":
                rows = json.loads(file.read_text(encoding="utf-8"))
                kept = rows[:2] if isinstance(rows, list) else rows
                (folder / part / file.name).write_text(json.dumps(kept), encoding="utf-8")
            elif file.name[:2] in ("00", "01"):
                shutil.copy(file, folder / part / file.name)


def _recorded(kind: Kind) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        folder.mkdir()
        make_recording(folder, kind)

    return make


KINDS: tuple[Kind, ...] = ("bag", "db3", "mcap", "protobuf")
SAMPLES: dict[str, Callable[[Path], None]] = {
    **{each.name: _written(each) for each in FORMATS if each.write and each.open_log},
    **({"pandaset": make_pandaset} if SHARED_DATA.is_dir() else {}),
    "kitti_raw": make_kitti_raw,
    "waymo": make_waymo,
    **{f"recording {kind}": _recorded(kind) for kind in KINDS},
    **{each.name: _labels_of(each) for each in FORMATS if each.read_labels and not each.open_log},
}
