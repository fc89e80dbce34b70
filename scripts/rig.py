"""`crosslabel rig`: the sensors of a log or of a calibration file of any kind, as one rig.json."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from calib.rig import Camera, Rig


def run(
    path: Annotated[Path, typer.Argument(help="A drive log, or a calibration file or folder.")],
    out: Annotated[Path | None, typer.Option(help="Write the sensors to this rig.json.")] = None,
    kind: Annotated[str | None, typer.Option(help="Kind of calibration, if it is not recognised.")] = None,
    log: Annotated[str | None, typer.Option(help="Which log of a data set.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show where every sensor sits and how it sees, and convert calibrations of other tools.

    Reads ROS CameraInfo, OpenCV, Kalibr, KITTI, nuScenes, Argoverse 2, SUSTechPOINTS, OpenCalib, NVIDIA
    NCore and rig.json; every command takes the result with --rig.

    crosslabel rig camchain.yaml --out rig.json
    """
    import json

    rig = _rig_of(path, kind, log)
    if out is not None:
        from formats.rigs.rig_json import write_rig

        write_rig(out, rig)
    rows = [_described(camera) for camera in rig.cameras.values()]
    lidars = [
        {"name": lidar.name, "place_m": _rounded(lidar.ego_from_sensor.translation)}
        for lidar in rig.lidars.values()
    ]
    if as_json:
        print(json.dumps({"path": str(path), "lidars": lidars, "cameras": rows}, indent=1))
    else:
        _print_tables(lidars, rows)


def _rig_of(path: Path, kind: str | None, log: str | None) -> Rig:
    from formats.errors import FormatError
    from formats.rigs.find import find_kind
    from scripts.logs import open_log

    try:
        found = find_kind(path, kind)
    except FormatError:
        if kind is not None or not path.is_dir():
            raise
        return open_log(path, None, log).rig
    return found.read(path)


def _described(camera: Camera) -> dict[str, Any]:
    import numpy as np

    model = camera.model
    right, down, forward = camera.ego_from_sensor.rotation.T
    return {
        "name": camera.name,
        "model": type(model).__name__,
        "size_px": [model.width_px, model.height_px],
        "place_m": _rounded(camera.ego_from_sensor.translation),
        "looks_deg": round(float(np.degrees(np.arctan2(forward[1], forward[0]))), 2),
        "pitch_deg": round(float(np.degrees(np.arcsin(np.clip(forward[2], -1, 1)))), 2),
        "roll_deg": round(float(np.degrees(np.arctan2(-right[2], -down[2]))), 2),
    }


def _rounded(values: Any) -> list[float]:
    return [round(float(value), 4) for value in values]


def _print_tables(lidars: list[dict[str, Any]], cameras: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(width=None if Console().is_terminal else 120)
    for lidar in lidars:
        console.print(f"lidar {lidar['name']}: at {_text(lidar['place_m'])} m in ego", highlight=False)
    table = Table("camera", "model", "pixels", "x y z in ego, m", "looks, deg left", "up, deg", "roll, deg")
    for row in cameras:
        size = "x".join(str(side) for side in row["size_px"])
        angles = (str(row["looks_deg"]), str(row["pitch_deg"]), str(row["roll_deg"]))
        table.add_row(row["name"], row["model"], size, _text(row["place_m"]), *angles)
    console.print(table)


def _text(values: list[float]) -> str:
    return " ".join(f"{value:.2f}" for value in values)
