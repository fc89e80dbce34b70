"""`crosslabel bench` on a street of few points."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from calib import CrosslabelError
from formats.folder import FOLDER
from scripts import bench_clips
from scripts.bench_measure import ClipCost
from scripts.bench_table import GOAL_S, mean_stages_s, print_bench

COST = ClipCost(
    name="a",
    sweeps=200,
    points=24_000_000,
    tracks=90,
    boxes=8_000,
    findings=3,
    read_s=0.2,
    read_wall_s=0.3,
    stages_s={"else": 0.1, "check": 2.0, "read": 1.0, "of somebody": 0.5},
    whole_s=4.0,
    wall_s=4.5,
    peak_mb=500,
)


def test_a_clip_is_made_once_measured_and_told_as_json(crosslabel, tmp_path: Path):
    arguments = ("bench", "--clips", 1, "--seconds", 1, "--points", 4000, "--keep", tmp_path, "--json")
    told = json.loads(crosslabel(*arguments))
    (clip,) = tmp_path.iterdir()
    (cost,) = told["clips"]
    assert cost["sweeps"] == 10 and 0.8 < cost["points"] / 40_000 < 1.2
    assert {"open", "read", "ground", "detect", "rectangles", "store", "check"} <= cost["stages_s"].keys()
    assert sum(told["stages_s"].values()) == pytest.approx(told["core_s_a_clip"], abs=0.02)
    assert 0 < told["read_alone_s"] < told["core_s_a_clip"]
    assert told["clips_an_hour_and_core"] == pytest.approx(3600 / told["core_s_a_clip"], rel=0.01)
    made_ns = clip.stat().st_mtime_ns
    assert bench_clips.made_clips(bench_clips.Street(1.0, 4000), 1, tmp_path, 1) == [clip]
    assert clip.stat().st_mtime_ns == made_ns

    log = FOLDER.open_log(clip, FOLDER.log_ids(clip)[0])
    assert len(log.rig.cameras) == 6 and all(len(refs) == 10 for refs in log.images.values())
    sweep = log.sweeps["lidar_top"][0].read()
    table = np.fromfile(log.sweeps["lidar_top"][0].path, "<f4").reshape(-1, 4)
    np.testing.assert_array_equal(sweep.points, table[:, :3])


def test_clips_differ():
    street = bench_clips.Street(20.0, 120_000)
    one, other = street.config(1000), street.config(1001)
    assert one.seed != other.seed and one.cameras == 6 and one.frames == 200
    assert replace(one, seed=1001, name=other.name) == other


def test_stages_stand_in_order_and_add_up():
    stages_s = mean_stages_s([COST, replace(COST, stages_s={**COST.stages_s, "read": 2.0}, whole_s=5.0)])
    assert list(stages_s) == ["read", "check", "of somebody", "else"]
    assert stages_s["read"] == 1.5 and sum(stages_s.values()) == pytest.approx(4.5)


@pytest.mark.parametrize(("whole_s", "word"), [(GOAL_S - 0.1, "met"), (GOAL_S + 0.1, "missed")])
def test_the_table_says_whether_the_goal_is_met(capsys, whole_s: float, word: str):
    print_bench([replace(COST, whole_s=whole_s)], workers=1)
    printed = capsys.readouterr().out
    assert f"8.64 core-seconds a clip: {word}" in printed
    assert "reading alone" in printed and "of somebody" in printed


def test_smaller_clips_are_not_held_against_the_goal(capsys):
    print_bench([replace(COST, points=2_000_000)], workers=1)
    assert "goal" not in capsys.readouterr().out


def test_a_full_disk_is_told_before_anything_is_made(tmp_path: Path):
    with pytest.raises(CrosslabelError, match="--keep names another folder"):
        bench_clips.made_clips(bench_clips.Street(20.0, 120_000), 1_000_000, tmp_path, 1)
    assert not any(tmp_path.iterdir())
