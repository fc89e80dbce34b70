"""agree, diff and merge, as a person types them."""

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from formats.folder import FOLDER
from formats.registry import find_format
from fusion import LabelSet
from fusion.compare import first_difference
from fusion.edits import LockAnnotations, PutAnnotations, PutTrack, RemoveTrack, SetTrack
from fusion.simulate import SimulationConfig, simulate
from fusion.store import LabelStore
from scripts import cli
from tests.agreement.sets import box, crowd, moved, parked, track

Run = Callable[..., tuple[int, str, str]]
Make = Callable[..., Path]


@pytest.fixture
def crosslabel(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["crosslabel", *map(str, arguments)])
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


@pytest.fixture
def store(tmp_path: Path) -> Make:
    """Makes a file of labels."""

    def make(name: str, labels: LabelSet, *edits: object, log: str = "drive", author: str = "me") -> Path:
        with LabelStore.create(tmp_path / name, log, labels, author) as made:
            for edit in edits:
                made.apply(edit)  # type: ignore[arg-type]
        return tmp_path / name

    return make


@pytest.fixture
def base() -> LabelSet:
    return LabelSet.of([parked("1", 10), parked("2", 30), parked("3", 50)])


@pytest.fixture(scope="module")
def monday(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short drive with its labels, as a plain folder."""
    config = SimulationConfig("monday", 101, seconds=0.6, rings=16, azimuth_steps=360, cameras=1)
    folder = tmp_path_factory.mktemp("drives") / "made"
    few = {"vehicles": 4, "pedestrians": 3, "cyclists": 1, "street_margin_m": 70.0, "label_range_m": 50.0}
    small = replace(config, image_size_px=(64, 36), **few)  # type: ignore[arg-type]
    FOLDER.write(folder, [simulate(small)])  # type: ignore[misc]
    return folder / "monday"


def read(path: Path) -> LabelSet:
    with LabelStore.open(path, read_only=True) as opened:
        return opened.labels


def shift(labels: LabelSet, id: str, step: float) -> PutAnnotations:
    found = labels.tracks[id].annotations.values()
    return PutAnnotations(id, tuple(replace(one, box=moved(one.box, (step, 0, 0))) for one in found))


def test_agree_says_how_two_people_differ(crosslabel: Run, store: Make, base: LabelSet) -> None:
    a = store("anna.db", base, author="anna")
    b = store("ben.db", base, shift(base, "1", 0.4), SetTrack("2", "truck"), RemoveTrack("3"))
    code, said, notes = crosslabel("agree", a, b)
    assert code == 0
    assert "8 of 12 boxes of A and 8 of B are the same object (F1 0.800), 4 of them of the same class" in said
    assert "objects to look at first" in said
    assert "frames" not in notes
    found = json.loads(crosslabel("agree", a, b, "--json")[1])
    assert found["log"] == "drive"
    assert (found["a"]["file"], found["a"]["author"], found["a"]["boxes"]) == ("anna.db", "anna", 12)
    assert (found["overall"]["f1"], found["overall"]["b_found"]) == (0.8, 1.0)
    assert {"a": "car", "b": "truck", "count": 4} in found["confusion"]
    assert found["by_class"]["truck"]["kappa"] is not None
    assert found["worst_tracks"][0]["counts"]["cost"] == 4
    json.dumps(found, allow_nan=False)


def test_agree_takes_limits_and_frames(crosslabel: Run, store: Make, base: LabelSet) -> None:
    a = store("a.db", base)
    b = store("b.db", LabelSet.of(one.without([2, 3]) for one in base.tracks.values()), shift(base, "1", 0.8))
    run = [*("agree", a, b, "--json", "--frames", "both")]
    assert json.loads(crosslabel(*run)[1])["overall"]["pairs"] == 6 + 2
    strict = json.loads(crosslabel(*run, "--min-iou", "0.4", "--min-iou", "car=0.9")[1])
    assert strict["overall"]["pairs"] == 4
    _, _, notes = crosslabel("agree", a, b)
    assert "--frames both" not in notes
    short = store("c.db", LabelSet.of([track("1", "car", [parked("", 10).annotations[0].box] * 2)]))
    code, _, notes = crosslabel("agree", a, short)
    assert code == 0
    assert "c.db has no box in 2 frames in which the other has some" in notes
    assert json.loads(crosslabel("agree", a, short, "--json", "--frames", "both")[1])["frames"] == 2


def test_diff_is_one_where_something_differs(crosslabel: Run, store: Make, base: LabelSet) -> None:
    a = store("a.db", base)
    b = store("b.db", base, shift(base, "1", 0.4), RemoveTrack("2"), author="ben")
    assert crosslabel("diff", a, a)[0] == 0
    assert "say the same" in crosslabel("diff", a, a)[1]
    code, said, _ = crosslabel("diff", a, b)
    assert code == 1
    assert "moved 0.4 m" in said
    assert "ben" in said
    code, said, _ = crosslabel("diff", a, b, "--json")
    found = json.loads(said)
    assert code == 1
    assert found["counts"] == {"track removed": 1, "box changed": 4}
    assert found["differences"][0]["made_b"]["author"] == "ben"
    assert crosslabel("diff", a, b, "--tolerance-m", "0.5")[0] == 1
    alone = store("c.db", base, shift(base, "1", 0.4))
    assert crosslabel("diff", a, alone, "--tolerance-m", "0.5")[0] == 0


def test_diff_pairs_other_ids_by_overlap_and_says_so(crosslabel: Run, store: Make, base: LabelSet) -> None:
    a = store("a.db", base)
    b = store("b.db", LabelSet.of(replace(one, id=f"x{id}") for id, one in base.tracks.items()))
    code, said, _ = crosslabel("diff", a, b)
    assert code == 1
    assert "3 of different ids by overlap" in said
    assert json.loads(crosslabel("diff", a, b, "--json")[1])["counts"] == {"track changed": 3}
    found = json.loads(crosslabel("diff", a, b, "--json", "--ids-only")[1])
    assert found["counts"] == {"track added": 3, "track removed": 3}


def test_merge_three_ways(crosslabel: Run, store: Make, base: LabelSet, tmp_path: Path) -> None:
    start = store("base.db", base)
    a = store("a.db", base, shift(base, "1", 0.4), PutTrack(parked("4", 70)), author="anna")
    b = store("b.db", base, RemoveTrack("2"), author="ben")
    out = tmp_path / "out"
    code, said, notes = crosslabel("merge", a, b, "--base", start, "--out", out)
    assert code == 0
    assert str(out / "drive" / "labels.db") in notes
    assert "4 the same in both, 8 from A, 4 removed by B" in said
    merged = read(out / "drive" / "labels.db")
    assert set(merged.tracks) == {"1", "3", "4"}
    alone = (LabelSet.of([labels.tracks["1"]]) for labels in (merged, read(a)))
    assert first_difference(*alone) is None
    assert str(tmp_path) not in json.dumps(dict(merged.attributes))
    with LabelStore.open(out / "drive" / "labels.db", read_only=True) as opened:
        assert [entry.author for entry in opened.history()] == ["anna", "ben"]


def test_merge_is_one_where_it_had_to_choose(
    crosslabel: Run, store: Make, base: LabelSet, tmp_path: Path
) -> None:
    start, a = store("base.db", base), store("a.db", base, shift(base, "1", 0.4))
    b = store("b.db", base, shift(base, "1", 0.6), LockAnnotations("1", (0,)))
    out = tmp_path / "out.db"
    code, said, _ = crosslabel("merge", a, b, "--base", start, "--out", out)
    assert code == 1
    assert "4 conflicts" in said
    assert "b (locked)" in said
    merged = read(out)
    places = [one.box.center[0] for one in merged.tracks["1"].annotations.values()]
    assert places == pytest.approx([10.6, 10.4, 10.4, 10.4])
    assert len(merged.reviews) == 4
    code, said, _ = crosslabel(
        "merge", a, b, "--base", start, "--out", out, "--force", "--json", "--prefer", "b"
    )
    assert code == 1
    conflicts = json.loads(said)["merge"]["conflicts"]
    assert [one["taken"] for one in conflicts] == ["b"] * 4
    assert conflicts[1]["a"]["center_m"][0] == pytest.approx(10.4)
    assert read(out).tracks["1"].annotations[3].box.center[0] == pytest.approx(10.6)


def test_merge_without_an_ancestor_says_so(
    crosslabel: Run, store: Make, base: LabelSet, tmp_path: Path
) -> None:
    a = store("a.db", LabelSet.of([base.tracks["1"], base.tracks["2"]]))
    b = store("b.db", LabelSet.of([replace(base.tracks["1"], id="x"), replace(base.tracks["3"], id="2")]))
    code, said, _ = crosslabel("merge", a, b, "--out", tmp_path / "out.db")
    assert code == 0
    assert "No --base" in said
    assert "x -> 1" in said
    assert "2 -> 2-b" in said
    assert set(read(tmp_path / "out.db").tracks) == {"1", "2", "2-b"}


def test_merge_leaves_what_is_there_alone(
    fails: Callable[..., str], store: Make, base: LabelSet, tmp_path: Path
) -> None:
    a, b = store("a.db", base), store("b.db", base)
    before = b.read_bytes()
    assert "is one of the labels that are read" in fails("merge", a, b, "--out", b, "--force")
    assert b.read_bytes() == before
    other = store("other.db", base)
    assert "--force" in fails("merge", a, b, "--out", other)
    letter = tmp_path / "letter.db"
    letter.write_text("dear all", encoding="utf-8")
    assert "not a file of labels" in fails("merge", a, b, "--out", letter, "--force")
    assert letter.read_text(encoding="utf-8") == "dear all"


@pytest.mark.parametrize("command", ["agree", "diff", "merge"])
def test_labels_of_another_log_are_refused(
    fails: Callable[..., str], store: Make, base: LabelSet, tmp_path: Path, command: str
) -> None:
    out = ["--out", tmp_path / "out.db"] if command == "merge" else []
    a, b = store("a.db", base), store("b.db", base, log="elsewhere")
    line = fails(command, a, b, *out)
    assert "'elsewhere'" in line
    assert "'drive'" in line
    late = LabelSet.of(track(id, "car", [box(10)] * 4, first=100) for id in base.tracks)
    assert "no frame in common" in fails(command, a, store("late.db", late), *out)
    assert not (tmp_path / "out.db").exists()


@pytest.mark.parametrize("command", ["agree", "diff", "merge"])
def test_files_that_are_no_labels_are_named(
    fails: Callable[..., str], store: Make, base: LabelSet, tmp_path: Path, command: str
) -> None:
    out = ["--out", tmp_path / "out.db"] if command == "merge" else []
    a = store("a.db", base)
    assert "nowhere.db: no such file" in fails(command, a, tmp_path / "nowhere.db", *out)
    (tmp_path / "letter.txt").write_text("dear all", encoding="utf-8")
    assert "letter.txt: not a format" in fails(command, tmp_path / "letter.txt", a, *out)
    broken = tmp_path / "broken.db"
    broken.write_bytes(a.read_bytes()[:4096] + b"\xff" * 8192)
    assert "broken.db" in fails(command, a, broken, *out)
    assert not (tmp_path / "out.db").exists()


def test_sets_of_nothing(crosslabel: Run, store: Make, base: LabelSet, tmp_path: Path) -> None:
    full, empty, other = store("a.db", base), store("b.db", LabelSet()), store("c.db", LabelSet())
    code, said, _ = crosslabel("agree", empty, other)
    assert (code, "Neither b.db nor c.db has a box" in said) == (0, True)
    code, said, _ = crosslabel("agree", full, empty, "--report", tmp_path / "page.html")
    assert (code, "b.db has no box in the frames compared, the other has 12" in said) == (0, True)
    assert crosslabel("agree", empty, other, "--json", "--report", tmp_path / "page.html")[0] == 0
    assert crosslabel("diff", empty, other)[0] == 0
    assert crosslabel("diff", full, empty)[0] == 1
    assert crosslabel("merge", full, empty, "--out", tmp_path / "out.db")[0] == 0
    assert len(read(tmp_path / "out.db").tracks) == 3


def test_brackets_in_names_are_names(crosslabel: Run, store: Make, tmp_path: Path) -> None:
    odd, other = (
        LabelSet.of([replace(parked("[/red]", 10), category=name), parked("[bold]x", 30)])
        for name in ("[car]", "[/car")
    )
    a, b = store("[a].db", odd, log="[/log]"), store("b.db", other, log="[/log]", author="[/me]")
    out = tmp_path / "out.db"
    for line in (("agree", a, b), ("diff", a, b), ("merge", a, b, "--out", out)):
        code, said, _ = crosslabel(*line)
        assert code == (0 if line[0] == "agree" else 1)
        assert "[/log]" in said
        assert "[a].db" in said
        assert "[/red]" in said
    assert [one.category for one in read(out).tracks.values()] == ["[car]", "car"]


def test_a_thousand_boxes_in_one_frame(crosslabel: Run, store: Make, tmp_path: Path) -> None:
    a, b = store("a.db", crowd(3, 1000, 1)), store("b.db", crowd(3, 1000, 1, 0.02, "x"))
    assert (
        json.loads(crosslabel("agree", a, b, "--json", "--report", tmp_path / "page.html")[1])["overall"]["a"]
        == 1000
    )
    assert crosslabel("diff", a, b, "--report", tmp_path / "diff.html")[0] == 1
    assert crosslabel("merge", a, b, "--out", tmp_path / "out.db", "--tolerance-m", "0.2")[0] == 0
    assert 1000 <= len(read(tmp_path / "out.db").tracks) < 1020


@pytest.mark.parametrize(
    ("limit", "said"),
    [("wide", "a number"), ("boat=0.5", "kinds are"), ("0", "above 0"), ("car=2", "above 0")],
)
def test_limits_that_cannot_be(
    fails: Callable[..., str], store: Make, base: LabelSet, limit: str, said: str
) -> None:
    a = store("a.db", base)
    assert said in fails("agree", a, a, "--min-iou", limit)


def test_several_logs_ask_for_one(
    crosslabel: Run, fails: Callable[..., str], base: LabelSet, tmp_path: Path
) -> None:
    for side in "ab":
        for log in ("monday", "tuesday"):
            LabelStore.create(tmp_path / side / log / "labels.db", log, base).close()
    line = fails("diff", tmp_path / "a", tmp_path / "b")
    assert "--log-id" in line
    assert "'monday', 'tuesday'" in line
    assert crosslabel("diff", tmp_path / "a", tmp_path / "b", "--log-id", "monday")[0] == 0
    assert "'sunday'" in fails("diff", tmp_path / "a", tmp_path / "b", "--log-id", "sunday")
    shutil.rmtree(tmp_path / "b" / "tuesday")
    assert crosslabel("diff", tmp_path / "a", tmp_path / "b")[0] == 0


def test_the_page_of_agreement_shows_the_worst_frames(crosslabel: Run, monday: Path, tmp_path: Path) -> None:
    """Labels of a drive against labels that someone changed, with its points in the pictures."""
    log = find_format(monday).open_log(monday, "monday")  # type: ignore[misc]
    labels = find_format(monday).read_labels(monday, log)  # type: ignore[misc]
    first, *others = labels.tracks.values()
    changed = LabelSet.of([replace(first, category="<b>bus</b>"), *others[1:]])
    LabelStore.create(tmp_path / "mine.db", "monday", changed, "me & you").close()
    page = tmp_path / "page.html"
    code, said, _ = crosslabel("agree", monday, tmp_path / "mine.db", "--report", page, "--min-points", 1)
    assert code == 0
    assert "frame 0" in said
    html = page.read_text(encoding="utf-8")
    assert html.count("data:image/png;base64,") == 6
    assert "&lt;b&gt;bus&lt;/b&gt;" in html
    assert "<b>bus</b>" not in html
    assert "me &amp; you" in html
    report = tmp_path / "diff.html"
    assert crosslabel("diff", monday, tmp_path / "mine.db", "--log", monday, "--report", report)[0] == 1
    assert "&lt;b&gt;bus" in report.read_text(encoding="utf-8")


def test_labels_of_another_drive_do_not_fit_the_log(
    fails: Callable[..., str], store: Make, base: LabelSet, monday: Path
) -> None:
    line = fails("agree", monday, store("mine.db", base, log="monday"))
    assert "labels of another log: none of its 4 frames is one of 'monday'" in line
    assert "'drive'" in fails("agree", monday, store("other.db", base))
    two = [store(name, base, log="monday") for name in ("c.db", "d.db")]
    assert "none of its 4 frames" in fails("diff", *two, "--log", monday)


def test_a_malformed_line_of_kitti_is_named(
    fails: Callable[..., str], crosslabel: Run, shared_data: Path, tmp_path: Path
) -> None:
    source, copy = shared_data / "kitti_tracking" / "training", tmp_path / "kitti"
    for part in ("calib/0004.txt", "label_02/0004.txt"):
        (copy / part).parent.mkdir(parents=True)
        shutil.copy(source / part, copy / part)
    shutil.copytree(copy, tmp_path / "same")
    assert crosslabel("diff", copy, tmp_path / "same")[0] == 0
    labels = copy / "label_02" / "0004.txt"
    lines = labels.read_text().splitlines()
    lines[11] = lines[11].replace(" ", " x", 5)
    labels.write_text("\n".join(lines))
    line = fails("agree", copy, tmp_path / "same")
    assert "label_02/0004.txt" in line
    assert "12" in line
