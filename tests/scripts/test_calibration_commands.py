"""The commands about calibration, as a person types them."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from calib import Rig
from formats.rigs.rig_json import read_rig, write_rig
from scripts import cli


@pytest.fixture
def street(shared_data: Path) -> Path:
    return shared_data / "kitti_camera_lidar" / "training"


@pytest.fixture
def crosslabel(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["crosslabel", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        said = capsys.readouterr()
        return int(stopped.value.code or 0), said.out, said.err

    return run


def test_a_wrong_rig_is_named_and_mended(crosslabel, street, tmp_path):
    given, bad, mended = tmp_path / "given.json", tmp_path / "bad.json", tmp_path / "mended.json"
    assert crosslabel("rig", street, "--out", given)[0] == 0
    rig = read_rig(given).rig
    cameras = (replace(c, ego_from_sensor=c.ego_from_sensor.inverse()) for c in rig.cameras.values())
    write_rig(bad, Rig.of(tuple(rig.lidars.values()), tuple(cameras)))
    code, said, _ = crosslabel("doctor", street, "--rig", bad, "--out", mended, "--json")
    assert code == 1
    assert [finding["code"] for finding in json.loads(said)["findings"]] == ["inverse"]
    for name, camera in read_rig(mended).rig.cameras.items():
        assert camera.ego_from_sensor.is_close(rig.cameras[name].ego_from_sensor)


def test_calibrate_writes_what_it_accepts_and_says_how_sure_it_is(crosslabel, street, tmp_path):
    out = tmp_path / "rig.json"
    code, said, _ = crosslabel("calibrate", street, "--out", out, "--json")
    (row,) = json.loads(said)["cameras"]
    assert code == 0 and row["accepted"]
    assert max(map(abs, row["correction_deg"])) < 0.25 and max(map(abs, row["correction_m"])) < 0.05
    assert min(row["sigma_deg"]) > 0 and max(row["sigma_deg"]) < 0.2
    kept = read_rig(out)
    assert kept.provenance["image_02"].made_by == "crosslabel calibrate --method auto"
    assert kept.rig.cameras["image_02"].ego_from_sensor.matrix.tolist() == row["ego_from_cam"]


def test_what_cannot_be_believed_is_left_as_it_was(crosslabel, street, tmp_path):
    given, out = tmp_path / "given.json", tmp_path / "rig.json"
    crosslabel("rig", street, "--out", given)
    code, said, _ = crosslabel("calibrate", street, "--frames", 2, "--out", out)
    assert code == 1 and "left as it was" in said
    same = read_rig(out).rig.cameras["image_02"].ego_from_sensor
    assert same.is_close(read_rig(given).rig.cameras["image_02"].ego_from_sensor, atol=0)


def test_the_self_test_tells_errors_and_coverage(crosslabel, street):
    code, said, _ = crosslabel("calibrate", street, "--self-test", 1, "--json")
    row = json.loads(said)["cameras"]["image_02"]
    assert code == 0 and row["trials"] == 1
    assert row["all"]["worst_deg"] < 0.25 and row["all"]["worst_cm"] < 5


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("calibrate", "--camera", "rear"), "has no camera 'rear'; it has image_02"),
        (("drift", "--camera", "rear"), "has no camera 'rear'; it has image_02"),
        (("calibrate", "--rig", "none.json"), "none.json: no such file or folder"),
        (("calibrate", "--method", "clicks", "--clicks", "none.json"), "none.json: no such file"),
        (("calibrate", "--method", "board", "--board", "none.json"), "none.json: no such file"),
    ],
)
def test_bad_input_is_one_line(crosslabel, street, arguments, told):
    command, *rest = arguments
    code, _, said = crosslabel(command, street, *rest)
    assert code == 2 and told in said and len(said.strip().splitlines()) == 1


def test_clicks_that_say_nothing_true_are_told(crosslabel, street, tmp_path):
    clicks = tmp_path / "clicks.json"
    wrong = {"camera": "image_02", "frame": 99, "uv_px": [1, 2], "point_m": [1, 2, 3]}
    clicks.write_text(json.dumps({"clicks": [wrong]}), encoding="utf-8")
    code, _, said = crosslabel("calibrate", street, "--method", "clicks", "--clicks", clicks)
    assert code == 2 and "clicks.json" in said and "there is no frame 99; the log has 0 to 11" in said
