"""Several logs, several trips, networks: what `crosslabel autolabel` takes and says."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fusion.compare import labels_equal
from fusion.edits import LockAnnotations, PutAnnotations
from fusion.labels import LabelSet, Source
from fusion.store import LabelStore
from scripts import cli
from scripts.autolabel_unit import _givens_of

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def autolabel(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command; gives its exit code, what it printed and what it said."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["crosslabel", "autolabel", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        printed = capsys.readouterr()
        return int(stopped.value.code or 0), printed.out, printed.err

    return run


def labels_in(folder: Path) -> LabelSet:
    with LabelStore.open(folder / "labels.db", read_only=True) as store:
        return store.labels


def record_of(folder: Path) -> dict:
    return json.loads((folder / "run.json").read_text())


@pytest.fixture(scope="module")
def shared(street: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Monday's labels told to Tuesday and to somebody elsewhere."""
    out = tmp_path_factory.mktemp("shared") / "out"
    days = [str(street / day) for day in ("monday", "tuesday", "elsewhere")]
    with pytest.MonkeyPatch.context() as monkeypatch:
        arguments = [*days, "--trips", "--seed-labels", days[0], "--out", str(out)]
        monkeypatch.setattr(sys, "argv", ["crosslabel", "autolabel", *arguments])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        assert not stopped.value.code
    return out


def test_what_stands_is_carried_to_the_other_trip_and_says_where_from(street: Path, shared: Path) -> None:
    given, tuesday = labels_in(street / "monday"), labels_in(shared / "tuesday")
    told = record_of(shared / "tuesday")["trips"]
    assert told["alignment"]["meets"] and abs(told["alignment"]["moved_m"] - 2) < 0.3
    assert told["carried"] and told["agreed"]
    for one in told["carried"]:
        track = tuesday.tracks[one["track"]]
        assert one["from"] == "monday" == track.attributes["from_trip"]
        assert given.tracks[one["from_track"]].category == track.category
        assert track.attributes["from_track"] == one["from_track"]
        assert len(track.annotations) == one["boxes"]
        assert not any(a.locked or a.source is not Source.AUTO for a in track.annotations.values())
    assert any(track.image_boxes for track in tuesday.tracks.values())


def test_what_has_changed_is_said_from_both_sides(shared: Path) -> None:
    for day, allowed in (("monday", {"gone", "replaced"}), ("tuesday", {"new", "replaced"})):
        told = record_of(shared / day)["trips"]["changes"]
        assert told and {change["change"] for change in told} <= allowed
        assert {change["track"] for change in told} <= set(labels_in(shared / day).tracks)


def test_what_was_given_stays_as_it_was_given(street: Path, shared: Path) -> None:
    given, kept = labels_in(street / "monday"), labels_in(shared / "monday")
    for track in given.tracks.values():
        for t, annotation in track.annotations.items():
            found = kept.tracks[track.id].annotations[t]
            assert (found.box.ego_from_box.matrix == annotation.box.ego_from_box.matrix).all()
            assert found.source is annotation.source and found.locked is annotation.locked


def test_a_drive_elsewhere_is_labelled_alone(
    street: Path, shared: Path, autolabel: Run, tmp_path: Path
) -> None:
    told = record_of(shared / "elsewhere")["trips"]
    assert not told["alignment"]["meets"] and not told["carried"] and not told["changes"]
    assert not (shared / "elsewhere" / "poses.csv").exists() and (shared / "tuesday" / "poses.csv").exists()
    code, _, _ = autolabel(street / "elsewhere", "--out", tmp_path / "alone")
    assert code == 0
    alone = labels_in(tmp_path / "alone" / "elsewhere")
    assert alone.tracks and labels_equal(alone, labels_in(shared / "elsewhere"))


def test_what_is_there_is_left_and_what_is_locked_stays(
    street: Path, shared: Path, autolabel: Run, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(shared, out)
    days = [street / day for day in ("monday", "tuesday", "elsewhere")]
    asked = (*days, "--trips", "--seed-labels", days[0], "--out", out)
    with LabelStore.open(out / "tuesday" / "labels.db") as store:
        track = next(t for t in store.labels.tracks.values() if "from_trip" in t.attributes)
        instant_ns = next(iter(track.annotations))
        store.apply(PutAnnotations(track.id, (track.annotations[instant_ns],)), author="ann")
        store.apply(LockAnnotations(track.id, (instant_ns,)), author="ann")
    code, printed, said = autolabel(*asked, "--json")
    assert code == 0 and said.count("up to date") == 4
    assert [json.loads(line)["outcome"] for line in printed.splitlines()] == ["up to date"] * 3
    assert labels_in(out / "tuesday").tracks[track.id].annotations[instant_ns].locked
    fewer = (*days[:2], "--trips", "--seed-labels", days[0], "--out", out)
    code, _, said = autolabel(*fewer)
    assert code == 2 and "--force" in said
    code, _, _ = autolabel(*fewer, "--force")
    assert code == 0
    kept = labels_in(out / "tuesday").tracks[track.id].annotations[instant_ns]
    assert kept.locked
    assert (kept.box.center == track.annotations[instant_ns].box.center).all()


def test_each_trip_says_in_one_line_how_it_lies(street: Path, shared: Path, autolabel: Run) -> None:
    days = [street / day for day in ("monday", "tuesday", "elsewhere")]
    _, _, said = autolabel(*days, "--trips", "--seed-labels", days[0], "--out", shared)
    lines = said.splitlines()
    assert any(line.startswith("tuesday: on others at") and "carried over" in line for line in lines)
    assert "elsewhere: meets none of the other trips: labelled alone" in lines
    page = (shared / "trips.html").read_text()
    assert "2 of 3 trips lie on each other" in page and page.count("data:image/png") == 4


def test_a_track_that_was_carried_can_be_explained(
    street: Path, shared: Path, autolabel: Run, tmp_path: Path
) -> None:
    id = record_of(shared / "tuesday")["trips"]["carried"][0]["track"]
    days = (street / "monday", street / "tuesday")
    asked = (*days, "--trips", "--seed-labels", days[0], "--no-rectangles")
    code, _, said = autolabel(*asked, "--out", tmp_path / "out", "--explain", id, "--explain", "nobody")
    assert code == 2 and "no track 'nobody' in any" in said
    page = (tmp_path / "out" / "tuesday" / f"track-{id}.html").read_text()
    assert "Carried over from trip monday" in page


def test_many_logs_in_turn_and_one_that_is_broken(street: Path, autolabel: Run, tmp_path: Path) -> None:
    shutil.copytree(street / "tuesday", tmp_path / "tuesday")
    scan = sorted((tmp_path / "tuesday" / "lidar").rglob("*.*"))[3]
    scan.write_bytes(b"nothing")
    seeds = ("--seed-labels", street / "monday", "--json", "--no-rectangles")
    paths = (tmp_path / "tuesday", street / "monday")
    code, printed, said = autolabel(*paths, "--out", tmp_path / "nothing", "--json", "--no-rectangles")
    failed, done = (json.loads(line) for line in printed.splitlines())
    assert code == 2
    assert failed["outcome"] == "failed" and scan.name in failed["error"] and done["outcome"] == "done"
    assert said.count("crosslabel: ") == 1
    assert not (tmp_path / "nothing" / "tuesday").exists()
    code, printed, _ = autolabel(street / "monday", "--out", tmp_path / "given", *seeds)
    (line,) = printed.splitlines()
    assert code == 0 and json.loads(line)["counts"]["boxes"] >= labels_in(street / "monday").annotation_count


def test_two_logs_of_one_name_are_told_apart_by_nobody(street: Path, autolabel: Run, tmp_path: Path) -> None:
    code, _, said = autolabel(street / "monday", street / "monday", "--out", tmp_path / "out")
    assert code == 2 and "has the name of another one" in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--trips",), "two drives or more"),
        (("--seed-every", "3"), "--seed-labels"),
        (("--detections", ".", "--detector", "car.onnx"), "nothing is given"),
    ],
)
def test_options_that_do_not_go_together(
    street: Path, autolabel: Run, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    code, _, told = autolabel(street / "monday", "--out", tmp_path / "out", *arguments)
    assert code == 2 and said in told


def test_a_lidar_network_finds_what_is_labelled(
    street: Path, car_network: Path, autolabel: Run, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    asked = (street / "tuesday", "--detector", car_network, "--out", out)
    code, _, _ = autolabel(*asked)
    assert code == 0
    kinds = {track.category for track in labels_in(out / "tuesday").tracks.values()}
    assert kinds <= {"car", "pedestrian"} and kinds
    assert record_of(out / "tuesday")["networks"]["detector"].startswith("car.onnx ")
    assert "up to date" in autolabel(*asked)[2]
    assert autolabel(street / "tuesday", "--out", out)[0] == 0
    assert not record_of(out / "tuesday")["networks"]
    assert (out / "tuesday" / "labels.previous.db").exists()


def test_networks_that_are_none(
    street: Path, car_network: Path, autolabel: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bad.onnx").write_bytes(b"nothing")
    for option, file, line in (
        ("--camera-detector", tmp_path / "bad.onnx", "not a network"),
        ("--camera-detector", car_network, "no YOLOX network"),
        ("--camera-detector", tmp_path / "none.onnx", "no such file"),
        ("--detector", tmp_path / "none.onnx", "no such file"),
        ("--detector", tmp_path / "bad.onnx", "bad.json: no such file"),
    ):
        code, _, said = autolabel(street / "monday", option, file, "--out", tmp_path / "out")
        assert code == 2 and line in said and len(said.splitlines()) == 1
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    _givens_of.cache_clear()
    code, _, said = autolabel(street / "monday", "--detector", car_network, "--out", tmp_path / "out")
    assert code == 2 and "crosslabel[networks]" in said
    assert not (tmp_path / "out").exists()


def test_a_network_that_does_not_give_what_it_says_is_named(
    street: Path, car_network: Path, autolabel: Run, tmp_path: Path
) -> None:
    shutil.copy(car_network, tmp_path / "car.onnx")
    said = {"points": "points", "categories": ["car"], "outputs": {"boxes": "scores"}}
    (tmp_path / "car.json").write_text(json.dumps(said))
    code, _, told = autolabel(
        street / "monday", "--detector", tmp_path / "car.onnx", "--out", tmp_path / "out"
    )
    assert code == 2 and "car.onnx: does not give" in told
