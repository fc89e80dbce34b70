"""Every command of docs/autolabel.md runs as it is written."""

import re
from pathlib import Path

import pytest

from tests.scripts.commands import link_kitti, run

PAGE = (Path(__file__).parents[2] / "docs" / "autolabel.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^crosslabel .+$", PAGE, re.MULTILINE)
NETWORKS = re.compile(r"\.onnx")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the demo has been run, a small one."""
    made = tmp_path_factory.mktemp("autolabel")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(made)
        run(monkeypatch, "crosslabel demo --size tiny --seconds 1")
    (settings,) = re.findall(r"```yaml\n(.+?)```", PAGE, re.DOTALL)
    (made / "settings.yaml").write_text(settings, encoding="utf-8")
    return made


def test_every_command_is_run_by_a_test_below() -> None:
    assert len(COMMANDS) == 10 + 2 + 6 + 3


def test_each_option_has_an_example() -> None:
    import inspect

    from scripts import autolabel

    named = {name for line in COMMANDS for name in re.findall(r"--(?:no-)?([a-z-]+)", line)}
    options = {name.replace("_", "-") for name in inspect.signature(autolabel.run).parameters}
    assert options - {"paths", "as-json", "cluster"} <= named  # a cluster has tests of its own
    assert "json" in named


@pytest.mark.slow
def test_those_on_the_demos_drive_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    chosen = [line for line in COMMANDS if "crosslabel-demo" in line and not NETWORKS.search(line)]
    assert len(chosen) == 10
    for line in chosen:
        run(monkeypatch, line)
    assert [*folder.glob("from-nothing/*/track-1.html")]


def test_those_on_kitti_run(shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link_kitti(shared_data, tmp_path)
    monkeypatch.chdir(tmp_path)
    chosen = [line for line in COMMANDS if "kitti" in line]
    assert len(chosen) == 2
    for line in chosen:
        run(monkeypatch, line)


@pytest.mark.slow
def test_those_on_a_street_run(street: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for day in ("monday", "tuesday"):
        (tmp_path / day).symlink_to(street / day)
    (tmp_path / "rules.yaml").write_text("rules: {P1: {skip: true}}", encoding="utf-8")
    chosen = [line for line in COMMANDS if "monday" in line]
    assert len(chosen) == 6
    for line in chosen:
        run(monkeypatch, line)
    assert (tmp_path / "street" / "trips.html").is_file()
    assert (tmp_path / "many" / "tuesday" / "check.html").is_file()


def test_those_with_networks_run(
    folder: Path, car_network: Path, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    for file in (
        car_network,
        car_network.with_suffix(".json"),
        shared_data / "models" / "yolox_nano.onnx",
    ):
        (folder / file.name).symlink_to(file)
    chosen = [line for line in COMMANDS if NETWORKS.search(line)]
    assert len(chosen) == 3
    for line in chosen:
        run(monkeypatch, line)
