"""`crosslabel validate` from outside: lines, JSON and exit codes."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., str]


@pytest.fixture
def data(crosslabel: Run, tmp_path: Path) -> Path:
    crosslabel("demo", "--out", tmp_path / "demo", "--size", "tiny", "--seconds", "0.3", "--no-view")
    return tmp_path / "demo" / "drive"


def change(data: Path, table: str, **fields: object) -> None:
    file = next(data.glob(f"*/{table}.json"))
    rows = json.loads(file.read_text())
    rows[0].update(fields)
    file.write_text(json.dumps(rows))


def test_what_the_demo_writes_is_sound(crosslabel: Run, data: Path) -> None:
    assert crosslabel("validate", data, "--strict") == ""
    assert json.loads(crosslabel("validate", data, "--json")) == {"format": "nuscenes", "faults": []}


def test_errors_end_with_one_and_warnings_if_asked(crosslabel: Run, data: Path) -> None:
    change(data, "category", name="vehicle.hovercraft")
    assert "NUS21 info category.json" in crosslabel("validate", data, "--strict")
    change(data, "sample_annotation", num_lidar_pts=999)
    assert "NUS22 warning" in crosslabel("validate", data)
    crosslabel("validate", data, "--strict", code=1)
    change(data, "scene", nbr_samples=99)
    said = crosslabel("validate", data, code=1)
    assert said.startswith("NUS07 error scene.json: token ")
    told = json.loads(crosslabel("validate", data, "--json", code=1))
    assert [fault["rule"] for fault in told["faults"]] == ["NUS07", "NUS22", "NUS21"]
    ignored = ("--ignore", "NUS07", "--ignore", "NUS22")
    crosslabel("validate", data, "--strict", *ignored)


def test_real_logs_are_sound(crosslabel: Run, shared_data: Path) -> None:
    assert crosslabel("validate", shared_data / "pandaset" / "002", "--every", 8) == ""
    assert crosslabel("validate", shared_data / "sustechpoints") == ""
    said = crosslabel("validate", shared_data / "kitti_tracking" / "training", "--every", 50)
    assert [line.split()[0] for line in said.splitlines()] == ["FMT05"]


def test_bad_arguments_are_one_line(fails: Run, data: Path, tmp_path: Path) -> None:
    assert "no such file" in fails("validate", tmp_path / "nothing")
    assert "no rule 'NUS99'" in fails("validate", data, "--ignore", "NUS99")
    (tmp_path / "empty").mkdir()
    assert "not a format that is known" in fails("validate", tmp_path / "empty")
