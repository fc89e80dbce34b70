"""`crosslabel info` on a recording."""

import json
import sys
from pathlib import Path

import pytest
import yaml

from formats import registry
from formats.recording import RECORDING
from scripts import cli
from tests.formats.recording.bags import make_recording
from tests.scripts.commands import run


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    if RECORDING not in registry.FORMATS:
        monkeypatch.setattr(registry, "FORMATS", (*registry.FORMATS[:-1], RECORDING, registry.FORMATS[-1]))


def test_topics_and_settings_are_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = make_recording(tmp_path, "mcap")
    run(monkeypatch, f"crosslabel info {path}")
    shown = capsys.readouterr().out
    assert "ROS bag or MCAP recording: 3 frames" in shown and "/eye/camera_info" in shown
    assert "sensor_msgs/msg/PointCloud2" in shown and "time_field: t" in shown


def test_json_has_counts_and_rates(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = make_recording(tmp_path, "bag")
    run(monkeypatch, f"crosslabel info {path} --json")
    (entry,) = json.loads(capsys.readouterr().out)["logs"]
    rows = {row["topic"]: row for row in entry["topics"]}
    assert rows["/top/points"] == {
        "topic": "/top/points",
        "type": "sensor_msgs/msg/PointCloud2",
        "messages": 3,
        "hz": 10.0,
    }
    assert rows["/tf_static"]["hz"] is None and "lidars" in yaml.safe_load(entry["settings"])


def test_the_proposal_alone_is_yaml_that_opens_the_recording(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = make_recording(tmp_path, "protobuf")
    run(monkeypatch, f"crosslabel info {path} --propose-settings")
    text = capsys.readouterr().out
    (tmp_path / "small_protobuf.recording.yaml").write_text(text, encoding="utf-8")
    assert RECORDING.open_log is not None
    assert len(RECORDING.open_log(path, "small_protobuf")) == 3
    run(monkeypatch, f"crosslabel info {path} --propose-settings")
    assert capsys.readouterr().out == text


def test_other_formats_have_no_settings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], shared_data: Path
) -> None:
    monkeypatch.setattr(
        sys, "argv", ["crosslabel", "info", str(shared_data / "pandaset"), "--propose-settings"]
    )
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 2
    assert "no settings that could be proposed" in capsys.readouterr().err
