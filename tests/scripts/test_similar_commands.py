"""`crosslabel similar` and `crosslabel rank`, as a user runs them on small drives."""

import json
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from autolabel.similar import Catalogue
from formats.folder import FOLDER
from formats.labels_db import LABELS_DB
from fusion.edits import PutTrack
from fusion.labels import LabelSet
from fusion.simulate import Drive, SimulationConfig, visible_only
from fusion.store import LabelStore

Run = Callable[..., str]


@pytest.fixture(scope="module")
def drives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two labelled drives, `first` and `second`."""
    folder = tmp_path_factory.mktemp("drives")
    for name, seed in (("first", 3), ("second", 4)):
        drive = Drive(replace(SimulationConfig.tiny(), name=name, seed=seed, seconds=0.3))
        log = drive.log()
        labels = visible_only(log, drive.labels(), 10)
        FOLDER.write(folder / "made" / name, [(log, labels)])  # type: ignore[misc]
        (folder / "made" / name / name).rename(folder / name)
    return folder


@pytest.fixture
def labelled(drives: Path, tmp_path: Path) -> Path:
    """A folder of one labels.db a log, as `crosslabel autolabel` leaves it."""
    out = tmp_path / "out"
    for name in ("first", "second"):
        log = FOLDER.open_log(drives / name, name)  # type: ignore[misc]
        LABELS_DB.write_labels(out, log, FOLDER.read_labels(drives / name, log))  # type: ignore[misc]
    return out


def tracks(labels: Path, name: str, category: str) -> list[str]:
    with LabelStore.open(labels / name / "labels.db", read_only=True) as store:
        return [track.id for track in store.labels.tracks.values() if track.category == category]


def test_cars_are_found_by_a_car_in_all_logs(crosslabel: Run, drives: Path, labelled: Path) -> None:
    asked = f"first/{tracks(labelled, 'first', 'car')[0]}"
    logs = (drives / "first", drives / "second")
    told = json.loads(crosslabel("similar", asked, *logs, "--labels", labelled, "--top", 6, "--json"))
    assert told["like"] == [asked] and len(told["found"]) == 6
    assert [one["category"] for one in told["found"]] == ["car"] * 6
    assert {one["log"] for one in told["found"]} == {"first", "second"}
    scores = [one["score"] for one in told["found"]]
    assert scores == sorted(scores, reverse=True) and all(-1 <= score < 1 for score in scores)
    assert asked not in [one["object"] for one in told["found"]]
    swapped = json.loads(
        crosslabel("similar", asked, *logs[::-1], "--labels", labelled, "--top", 6, "--json")
    )
    assert swapped == told


def test_what_is_unlike_falls(crosslabel: Run, drives: Path, labelled: Path) -> None:
    logs = (drives / "first", drives / "second", "--labels", labelled, "--json", "--top", 50)
    asked, other = (f"first/{id}" for id in tracks(labelled, "first", "car")[:2])
    before = json.loads(crosslabel("similar", asked, *logs))
    after = json.loads(crosslabel("similar", asked, *logs, "--unlike", other))
    scores = [{one["object"]: one["score"] for one in told["found"]} for told in (before, after)]
    assert other in scores[0] and other not in scores[1] and after["unlike"] == [other]
    assert all(scores[1][name] <= scores[0][name] for name in scores[1])


def test_people_read_lines_that_can_be_copied(crosslabel: Run, drives: Path) -> None:
    log = FOLDER.open_log(drives / "first", "first")  # type: ignore[misc]
    car = next(t.id for t in FOLDER.read_labels(drives / "first", log).tracks.values() if t.category == "car")  # type: ignore[misc]
    said = crosslabel("similar", car, drives / "first", "--by", "size", "--kind", "car", "--top", 3)
    assert len(re.findall(r"^ +\d \+0\.\d\d  car  first/car-\d+$", said, re.MULTILINE)) == 3
    assert said.endswith("what counted: size 100 %\n")


def test_what_is_measured_is_kept_and_made_anew_when_labels_change(
    crosslabel: Run, drives: Path, labelled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = labelled / "first" / "similar.npz"
    crosslabel("rank", drives / "first", "--labels", labelled, "--json")
    content, made = kept.read_bytes(), kept.stat().st_mtime_ns
    crosslabel("rank", drives / "first", "--labels", labelled, "--json")
    assert kept.stat().st_mtime_ns == made
    with LabelStore.open(labelled / "first" / "labels.db") as store:
        track = next(iter(store.labels.tracks.values()))
        store.apply(PutTrack(replace(track, category="bus")))
    crosslabel("rank", drives / "first", "--labels", labelled, "--json")
    assert kept.read_bytes() != content and "bus" in Catalogue.read(kept).categories


def test_an_index_lies_where_it_is_wanted(crosslabel: Run, drives: Path, tmp_path: Path) -> None:
    crosslabel("rank", drives / "first", "--index", tmp_path / "index", "--json")
    assert Catalogue.read(tmp_path / "index" / "first" / "similar.npz").log == "first"
    assert not (drives / "first" / "similar.npz").exists()


def test_objects_and_logs_are_ranked_with_the_parts_of_their_worth(
    crosslabel: Run, drives: Path, labelled: Path
) -> None:
    logs = (drives / "first", drives / "second", "--labels", labelled)
    ranked = json.loads(crosslabel("rank", *logs, "--json", "--top", 500))["objects"]
    worths = [one["worth"] for one in ranked]
    assert worths == sorted(worths, reverse=True)
    for one in ranked:
        doubt = max(one["unsure"] or 0.0, one["odd"])
        assert one["worth"] == pytest.approx((doubt + one["rare"]) / 2, abs=1e-3)
    whole = json.loads(crosslabel("rank", *logs, "--logs", "--json"))["logs"]
    assert {one["log"] for one in whole} == {"first", "second"}
    assert sum(one["objects"] for one in whole) == len(ranked)
    assert "worth a frame" in crosslabel("rank", *logs, "--logs")
    cars = json.loads(crosslabel("rank", *logs, "--json", "--kind", "car"))["objects"]
    assert {one["category"] for one in cars} == {"car"}


def test_pages_show_what_was_found(crosslabel: Run, drives: Path, labelled: Path, tmp_path: Path) -> None:
    asked = f"first/{tracks(labelled, 'first', 'car')[0]}"
    logs = (drives / "first", drives / "second", "--labels", labelled, "--top", 2)
    crosslabel("similar", asked, *logs, "--report", tmp_path / "similar.html")
    page = (tmp_path / "similar.html").read_text(encoding="utf-8")
    assert page.count("data:image/") == 6 and f"Like {asked}" in page
    crosslabel("rank", *logs, "--report", tmp_path / "rank.html")
    page = (tmp_path / "rank.html").read_text(encoding="utf-8")
    assert page.count("data:image/") == 4 and "rarer than" in page


def test_bad_input_is_one_line(
    fails: Run, drives: Path, labelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = drives / "first"
    assert "there is no object 'x'" in fails("similar", "x", first)
    assert "no aspect 'smell'" in fails(
        "similar", tracks(labelled, "first", "car")[0], first, "--by", "smell"
    )
    assert "no object is a 'tram'" in fails("rank", first, "--kind", "tram")
    assert "name the log they belong to" in fails("rank", labelled)
    (tmp_path / "index" / "first").mkdir(parents=True)
    (tmp_path / "index" / "first" / "similar.npz").write_bytes(b"PK nothing")
    assert "no index of objects" in fails("rank", first, "--index", tmp_path / "index")
    assert "net.onnx" in fails("rank", first, "--embedding", tmp_path / "net.onnx")
    monkeypatch.setitem(sys.modules, "faiss", None)
    assert "pip install 'crosslabel[search]'" in fails("rank", first)


def test_labels_without_a_box_are_said_to_be_so(fails: Run, drives: Path, tmp_path: Path) -> None:
    log = FOLDER.open_log(drives / "first", "first")  # type: ignore[misc]
    LABELS_DB.write_labels(tmp_path, log, LabelSet())  # type: ignore[misc]
    assert "hold no box" in fails("rank", drives / "first", "--labels", tmp_path)
