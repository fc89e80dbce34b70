"""Every command and every example of the README runs as it is written."""

import re
from pathlib import Path

import pytest

from scripts import cli
from tests.scripts.commands import link_kitti, run
from viewer.desk import Desk

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^crosslabel .+$", README, re.MULTILINE)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the demo has been run, a small one."""
    folder = tmp_path_factory.mktemp("readme")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(folder)
        run(monkeypatch, "crosslabel demo --size tiny --seconds 1")
    return folder


def test_the_commands_on_the_demos_drive_run(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(demo)
    seen: list[Desk] = []
    monkeypatch.setattr("viewer.open.screen_problem", lambda: None)
    monkeypatch.setattr("viewer.qt.app.open_window", lambda desk, actions, queued: seen.append(desk))
    on_demo = [line for line in COMMANDS if re.search("crosslabel-demo|agree| many", line)]
    assert len(on_demo) == 12
    for line in on_demo:
        run(monkeypatch, line)
    assert {"out", "pictures", "dataset", "from-one", "from-nothing", "many"} <= {
        path.name for path in demo.iterdir()
    }
    (desk,) = seen
    assert desk.session.present()
    assert desk.session.store.path.is_relative_to(Path("crosslabel-demo") / "labels")


def test_the_commands_on_kitti_run(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link_kitti(shared_data, tmp_path)
    monkeypatch.chdir(tmp_path)
    on_kitti = [line for line in COMMANDS if "kitti" in line]
    assert len(on_kitti) == 2
    for line in on_kitti:
        run(monkeypatch, line)
    assert (tmp_path / "results" / "0017.txt").read_text(encoding="utf-8")


def test_the_commands_on_a_street_run(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "street").symlink_to(shared_data / "kitti_camera_lidar" / "training")
    monkeypatch.chdir(tmp_path)
    on_street = [line for line in COMMANDS if " street " in line]
    assert len(on_street) == 4
    assert len([*COMMANDS]) == 12 + 2 + 4
    for line in on_street:
        run(monkeypatch, line)
    for name in ("doctor.html", "calibration.html", "drift.html", "rig.json", "given.json"):
        assert (tmp_path / name).stat().st_size > 500


def test_the_example_in_python_runs(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(demo)
    (example,) = re.findall(r"```python\n(.+?)```", README, re.DOTALL)
    names: dict[str, object] = {}
    exec(compile(example, "README.md", "exec"), names)
    assert len(names["points"].index) > 100
    assert "corners_px" in names


def test_every_command_is_in_the_table_and_every_file_it_links_to_exists() -> None:
    for command in cli.app.registered_commands:
        assert f"`crosslabel {command.name}" in README
    for link in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (Path(__file__).parents[2] / link).is_file(), link
