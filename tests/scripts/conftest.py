"""Commands run as a user runs them; a street that two cars drive through; a LiDAR network that is none."""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from calib import SE3, SE3Batch
from formats.folder import FOLDER
from fusion import DriveLog, Trajectory
from fusion.labels import LabelSet
from fusion.simulate import Drive, SimulationConfig, visible_only
from fusion.simulate.config import Style
from scripts import cli

Run = Callable[..., str]


@pytest.fixture
def crosslabel(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """A command that ends with a code, of success if nothing else is said; gives what it printed."""

    def run(*arguments: object, code: int = 0) -> str:
        monkeypatch.setattr(sys, "argv", ["crosslabel", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        printed = capsys.readouterr()
        assert (stopped.value.code or 0) == code, printed.err
        return printed.out

    return run


@pytest.fixture
def fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """A command that has to fail properly; gives its one line."""

    def run(*arguments: object) -> str:
        monkeypatch.setattr(sys, "argv", ["crosslabel", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        assert stopped.value.code == 2
        (line,) = (line for line in capsys.readouterr().err.splitlines() if line.startswith("crosslabel: "))
        return line

    return run


def on_day(name: str, seed: int, trip: int, style: Style) -> Drive:
    config = SimulationConfig(name, seed, trip, 1.0, rings=48, azimuth_steps=600, cameras=1)
    return Drive(
        replace(
            config,
            style=style,
            image_size_px=(192, 108),
            vehicles=6,
            pedestrians=4,
            cyclists=1,
            street_margin_m=70.0,
            label_range_m=50.0,
        )
    )


def moved(log: DriveLog) -> DriveLog:
    """With poses that are two metres and three degrees off."""
    given = log.trajectory.world_from_ego
    bad_from_world = SE3.from_yaw(np.radians(3.0))
    middle = given.translations[len(given) // 2]
    places = (given.translations - middle) @ bad_from_world.rotation.T + middle + [1.2, 1.6, 0.4]
    bad_from_ego = SE3Batch(bad_from_world.rotation @ given.rotations, places)
    return replace(log, trajectory=Trajectory(log.trajectory.timestamps_ns, bad_from_ego))


@pytest.fixture(scope="session")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `monday`, which is labelled, `tuesday` in the same street, and `elsewhere`."""
    folder = tmp_path_factory.mktemp("street")
    days: list[tuple[str, int, int, Style]] = [("monday", 21, 0, "curve"), ("tuesday", 21, 1, "curve")]
    for name, seed, trip, style in (*days, ("elsewhere", 33, 0, "straight")):
        drive = on_day(name, seed, trip, style)
        log = drive.log()
        labels = visible_only(log, drive.labels(), 5) if name == "monday" else LabelSet()
        FOLDER.write(folder / "made" / name, [(moved(log) if trip else log, labels)])  # type: ignore[misc]
        (folder / "made" / name / name).rename(folder / name)
    return folder


@pytest.fixture(scope="session")
def car_network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network of points that sees one car ahead and one person, whatever it is given."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    said = {
        "boxes": [[12.0, 1.0, -1.0, 4.4, 1.8, 1.5, 0.1], [6.0, -4.0, -1.0, 0.7, 0.7, 1.7, 0.0]],
        "scores": [0.8, 0.7],
        "labels": [0.0, 1.0],
    }
    kept = [onnx.numpy_helper.from_array(np.float32(0), "zero")]
    nodes = [
        helper.make_node("ReduceSum", ["points"], ["sum"], keepdims=0),
        helper.make_node("Mul", ["sum", "zero"], ["nothing"]),
    ]
    for name, values in said.items():
        kept.append(onnx.numpy_helper.from_array(np.array(values, dtype=np.float32), f"own_{name}"))
        nodes.append(helper.make_node("Add", [f"own_{name}", "nothing"], [name]))
    outputs = [helper.make_tensor_value_info(name, floats, None) for name in said]
    inputs = [helper.make_tensor_value_info("points", floats, [None, 4])]
    model = helper.make_model(
        helper.make_graph(nodes, "car", inputs, outputs, kept),
        opset_imports=[helper.make_opsetid("", 13)],
        ir_version=8,
    )
    path = tmp_path_factory.mktemp("network") / "car.onnx"
    onnx.save(model, str(path))
    path.with_suffix(".json").write_text(
        json.dumps({"points": "points", "categories": ["car", "pedestrian"]}), encoding="utf-8"
    )
    return path
