"""`crosslabel check`, as a person types it."""

import csv
import json
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from formats.folder import FOLDER
from formats.labels_db import write_labels
from fusion.compare import first_difference
from fusion.edits import LockAnnotations
from fusion.errors import EditError
from fusion.labels import LabelSet
from fusion.log import DriveLog
from fusion.store import LabelStore
from scripts import cli
from tests.checks.made_streets import (
    RIGHT,
    START_NS,
    STEP_NS,
    changed,
    labels_of,
    log_of,
    moved,
    sized,
)

FRAMES = 8
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def crosslabel(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["crosslabel", "check", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        said = capsys.readouterr()
        return int(stopped.value.code or 0), said.out, said.err

    return run


@pytest.fixture
def fails(crosslabel: Run) -> Callable[..., str]:
    """A command that has to fail properly; gives its one line."""

    def run(*arguments: object) -> str:
        code, _, said = crosslabel(*arguments)
        assert code == 2
        (line,) = (line for line in said.splitlines() if line.startswith("crosslabel: "))
        return line

    return run


def wrong_labels() -> LabelSet:
    """One sure mistake with a repair, one warning with one, and one that only a person can mend."""
    labels = labels_of(RIGHT, FRAMES)
    labels = labels.with_track(replace(labels.tracks["parked"], id="twin"))
    labels = changed(labels, "braking", range(FRAMES), moved(yaw_deg=180))
    return changed(labels, "bus", [4, 5], sized(length=1.2))


@pytest.fixture(scope="module")
def drives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a drive whose labels are right, and one whose labels are not."""
    folder = tmp_path_factory.mktemp("drives") / "made"
    log = log_of(RIGHT, FRAMES)
    pairs = [
        (replace(log, name="right"), labels_of(RIGHT, FRAMES)),
        (replace(log, name="wrong"), wrong_labels()),
    ]
    FOLDER.write(folder, pairs)  # type: ignore[misc]
    return folder


@pytest.fixture
def store(drives: Path, tmp_path: Path) -> Path:
    """A labels.db of the wrong labels."""
    log: DriveLog = FOLDER.open_log(drives, "wrong")  # type: ignore[misc]
    write_labels(tmp_path / "labels.db", log, wrong_labels())
    return tmp_path / "labels.db"


def test_exit_codes_say_how_it_went(crosslabel: Run, drives: Path) -> None:
    code, said, _ = crosslabel(drives / "right", "--no-search")
    assert code == 0 and "right: 48 boxes of 6 tracks: 0 mandatory, 0 warning" in said
    code, said, _ = crosslabel(drives / "wrong", "--no-search")
    assert code == 1 and " P11 " in said and "drives backwards" in said
    code, said, _ = crosslabel(drives / "wrong", "--no-search", "--exclude", "P11")
    assert code == 0 and " P11 " not in said
    code, _, _ = crosslabel(drives / "wrong", "--no-search", "--exclude", "P11", "--strict")
    assert code == 1
    code, said, _ = crosslabel(drives, "--log", "right", "--no-search")
    assert code == 0 and "wrong" not in said


def test_json_says_it_all(crosslabel: Run, drives: Path) -> None:
    code, said, _ = crosslabel(drives / "wrong", "--json")
    (line,) = said.splitlines()
    told = json.loads(line)
    assert code == 1 and told["log"] == "wrong" and told["boxes"] == 56
    assert told["by_rule"]["P11"] == 1 and told["by_rule"]["T1"] == 1 and told["by_rule"]["T4"] == 1
    assert "P14" not in told["skipped"]
    assert told["objects_to_look_at"] == len(told["queue"])
    findings = {one["rule"]: one for item in told["queue"] for one in item["findings"]}
    assert findings["T1"]["frames"] == [4, 5] and findings["T1"]["limit"] == 0.05
    assert findings["T1"]["fix"] == "Give boxes the size of their track"
    assert findings["P11"]["other"] in ("parked", "twin")
    code, said, _ = crosslabel(drives, "--json", "--no-search", "--only", "T1", "--only", "P11")
    lines = [json.loads(line) for line in said.splitlines()]
    assert [line["by_rule"] for line in lines] == [{}, {"P11": 1, "T1": 1}]


def test_a_report_is_a_page_a_table_and_json(crosslabel: Run, drives: Path, tmp_path: Path) -> None:
    page = tmp_path / "out" / "check.html"
    code, _, notes = crosslabel(drives / "wrong", "--no-search", "--report", page, "--most", 2)
    assert code == 1 and "check.html" in notes
    html = page.read_text(encoding="utf-8")
    assert (
        html.count("data:image/png") >= 3
        and "drives backwards" in html
        and "http" not in html.replace("http://www.w3.org", "")
    )
    with page.with_suffix(".csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    told = json.loads(page.with_suffix(".json").read_text())
    assert [row["rule"] for row in rows] == [
        one["rule"] for item in told["queue"] for one in item["findings"]
    ]
    assert {"T1", "T4", "P11"} <= {row["rule"] for row in rows}
    assert {path.name for path in page.parent.iterdir()} == {"check.html", "check.csv", "check.json"}


def test_rules_of_a_project_are_heeded(
    crosslabel: Run, fails: Callable[..., str], drives: Path, tmp_path: Path
) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(
        "rules:\n  P11: {skip: true}\n  T1: {severity: mandatory, classes: {bus: {share: 0.5}}}\n"
        "labels:\n  classes: [car, bus]\n"
    )
    code, said, _ = crosslabel(drives / "wrong", "--no-search", "--rules", rules, "--json")
    told = json.loads(said)
    assert code == 1 and "P11" not in told["by_rule"] and "T1" not in told["by_rule"]
    assert told["by_rule"]["I2"] == 2 and told["skipped"]["P11"] == "switched off by the project"
    for text, place in (
        ("rules:\n  Z9: {skip: true}\n", "there is no rule Z9"),
        ("rules:\n  T1: {limits: {width: 3}}\n", "has no limit width"),
        ("rules:\n  T1: {severity: bad}\n", "rules.T1.severity"),
        ("rules: [\n", "line 2"),
    ):
        rules.write_text(text)
        line = fails(drives / "wrong", "--rules", rules)
        assert "rules.yaml" in line and place in line
    assert "there is no rule Z9" in fails(drives / "wrong", "--only", "Z9")
    assert "there is no rule P" in fails(drives / "wrong", "--exclude", "P")


def test_sure_repairs_are_made_and_can_be_undone(crosslabel: Run, drives: Path, store: Path) -> None:
    before = wrong_labels()
    code, _, notes = crosslabel(drives / "wrong", "--labels", store, "--no-search", "--fix")
    assert code == 1 and "findings repaired" in notes
    with LabelStore.open(store) as opened:
        fixed = opened.labels
        assert ("twin" in fixed.tracks) is not ("parked" in fixed.tracks)
        opened.undo()
        with suppress(EditError):
            while True:
                opened.undo()
        assert first_difference(opened.labels, before, 1e-9) is None


def test_locked_boxes_outlive_repairs(crosslabel: Run, drives: Path, store: Path) -> None:
    times_ns = tuple(START_NS + STEP_NS * k for k in range(FRAMES))
    with LabelStore.open(store) as opened:
        for id in ("parked", "twin", "bus", "braking"):
            opened.apply(LockAnnotations(id, times_ns), "me")
        before = opened.labels
    crosslabel(drives / "wrong", "--labels", store, "--no-search", "--fix")
    with LabelStore.open(store, read_only=True) as opened:
        assert first_difference(opened.labels, before) is None


def test_labels_of_another_log_are_one_line(
    fails: Callable[..., str], drives: Path, store: Path, tmp_path: Path
) -> None:
    early = replace(log_of((), 3), name="early", timestamps_ns=log_of((), 3).timestamps_ns)
    FOLDER.write(tmp_path / "other", [(early, LabelSet())])  # type: ignore[misc]
    assert "wrong" in fails(tmp_path / "other" / "early", "--labels", store)
    assert "no such" in fails(drives / "nowhere")
    assert "labels.db" in fails(drives / "wrong", "--fix", "--no-search")


def test_kitti_is_checked_with_its_own_labels(crosslabel: Run, shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "kitti_tracking" / "training"
    for part in ("calib", "label_02"):
        (tmp_path / "kitti" / part).mkdir(parents=True)
        (tmp_path / "kitti" / part / "0017.txt").symlink_to(source / part / "0017.txt")
    code, said, _ = crosslabel(tmp_path / "kitti", "--json")
    told = json.loads(said)
    assert code in (0, 1) and told["boxes"] > 100
    assert told["skipped"]["P1"] == "needs sweeps" and told["skipped"]["T4"] == "needs the car's poses"


def test_pandaset_is_checked_with_its_own_labels(crosslabel: Run, shared_data: Path) -> None:
    code, said, _ = crosslabel(shared_data / "pandaset", "--json", "--no-search")
    told = json.loads(said.splitlines()[0])
    assert code in (0, 1) and told["boxes"] > 1000 and "P1" not in told["skipped"]
    assert told["findings"].get("mandatory", 0) < 0.05 * told["boxes"]
