"""Releases: whole drives in one split, the same bytes for the same labels, and nothing changes unseen."""

import csv
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calib.errors import CrosslabelError
from formats.errors import FormatError
from formats.jsonl.read import read_file
from formats.losses import losses
from formats.release import Member, Notice, Span, split, verify, write_release
from formats.release.splits import GAP_NS, groups
from fusion import DriveLog, LabelSet, Source

MakeLog = Callable[..., tuple[DriveLog, LabelSet]]
SHARES = {"train": 80.0, "val": 10.0, "test": 10.0}
MINUTE_NS = 60_000_000_000

spans = st.lists(
    st.tuples(st.integers(0, 40), st.integers(1, 3), st.integers(1, 50), st.sampled_from(["", "van"])),
    min_size=1,
    max_size=12,
).map(
    lambda rows: [
        Span(f"log{k}", start * MINUTE_NS, (start + minutes) * MINUTE_NS, frames, vehicle)
        for k, (start, minutes, frames, vehicle) in enumerate(rows)
    ]
)


def alone(span: Span, some: list[Span]) -> bool:
    """Whether no other log of the car begins at the same instant."""
    return [s.start_ns for s in some if s.vehicle == span.vehicle].count(span.start_ns) == 1


@given(spans, st.integers(0, 3))
def test_drives_stay_whole_and_every_log_has_a_split(some: list[Span], seed: int) -> None:
    found, of = split(some, SHARES, seed), groups(some)
    assert list(found) == [span.log for span in some]
    assert set(found.values()) <= set(SHARES)
    for a in some:
        assert found[a.log] == found[of[a.log]]
        for b in some:
            beside = a.start_ns < b.start_ns <= a.end_ns + GAP_NS and a.vehicle == b.vehicle
            alone = all(
                [s.start_ns for s in some if s.vehicle == x.vehicle].count(x.start_ns) == 1 for x in (a, b)
            )
            if beside and alone:
                assert found[a.log] == found[b.log]


@given(spans, st.integers(0, 3))
def test_the_order_of_logs_says_nothing(some: list[Span], seed: int) -> None:
    assert split(some, SHARES, seed) == split(some[::-1], SHARES, seed)


@given(spans)
def test_what_an_earlier_release_says_stays(some: list[Span]) -> None:
    first = split(some, SHARES, 1)
    more = [*some, Span("new", 10**15, 10**15 + 1, 10)]
    again = split(more, SHARES, 2, first)
    assert {log: again[log] for log in first} == first


def test_shares_are_met_as_nearly_as_drives_let() -> None:
    some = [Span(f"log{k}", k * 10 * MINUTE_NS, k * 10 * MINUTE_NS + 1, 20) for k in range(100)]
    found = list(split(some, SHARES).values())
    assert {name: found.count(name) for name in SHARES} == {"train": 80, "val": 10, "test": 10}
    assert split(some, SHARES, 0) != split(some, SHARES, 1)


def test_logs_without_a_clock_are_drives_of_their_own() -> None:
    some = [Span(f"{k:04}", 0, 10**9, 20) for k in range(10)]
    assert len(set(groups(some).values())) == 10


def test_one_drive_in_two_splits_is_refused() -> None:
    some = [Span("a", 0, 10, 5), Span("b", 5, 15, 5)]
    with pytest.raises(CrosslabelError, match="a is in train, b in val"):
        split(some, SHARES, 0, {"a": "train", "b": "val"})
    for shares in ({}, {"train": 0.0}, {"train": -1.0, "val": 2.0}, {"train": float("nan")}):
        with pytest.raises(CrosslabelError, match="shares"):
            split(some, shares)


@pytest.fixture
def members(make_log: MakeLog) -> list[Member]:
    log, labels = make_log()
    automatic = {
        id: track.with_annotations(replace(a, source=Source.AUTO) for a in track.annotations.values())
        for id, track in labels.tracks.items()
    }
    run = {"config_hash": "abc", "networks": {"2d": "def"}, "timings_s": {"wall": 3}}
    return [
        Member(log, lambda: labels),
        Member(replace(log, name="other"), lambda: replace(labels, tracks=automatic), run),
    ]


def released(out: Path, members: list[Member]) -> dict:
    notice = Notice("Streets", "1.2.0", "CC-BY-4.0", "simulated")
    return write_release(out, lambda: iter(members), notice, shares=SHARES, schema=b"categories: []\n")


def test_a_release_holds_what_it_was_made_of(members: list[Member], tmp_path: Path) -> None:
    import pandas as pd

    manifest = released(tmp_path / "out", members)
    assert verify(tmp_path / "out") == []
    assert json.loads((tmp_path / "out" / "release.json").read_text()) == manifest
    for member in members:
        entry = next(entry for entry in manifest["logs"] if entry["name"] == member.log.name)
        labels = read_file(tmp_path / "out" / entry["labels"])
        assert losses(member.labels(), labels) == [] and entry["boxes"] == labels.annotation_count
    table = pd.read_parquet(tmp_path / "out" / "boxes.parquet")
    with (tmp_path / "out" / "boxes.csv").open(newline="") as stream:
        again = list(csv.DictReader(stream))
    assert len(table) == len(again) == manifest["boxes"] > 0
    assert table["x_m"].tolist() == [float(row["x_m"]) for row in again]
    assert table["track_id"].tolist() == [row["track_id"] for row in again]
    automatic = table[table["log"] == "other"]
    assert set(automatic["source"]) == {"auto"}
    (made_by,) = set(automatic["made_by"])
    assert manifest["runs"][made_by] == {"config_hash": "abc", "networks": {"2d": "def"}}
    assert set(table[table["log"] != "other"]["made_by"]) == {""}


def test_world_places_are_where_the_car_was(members: list[Member], tmp_path: Path) -> None:
    import pandas as pd

    released(tmp_path / "out", members)
    table = pd.read_parquet(tmp_path / "out" / "boxes.parquet")
    log, labels = members[0].log, members[0].labels()
    rows = table[table["log"] == log.name]
    assert len(rows)
    for row in rows.itertuples():
        box = labels.tracks[row.track_id].annotations[row.timestamp_ns].box
        world_from_box = log.trajectory.at(row.timestamp_ns) @ box.ego_from_box
        place = (row.world_x_m, row.world_y_m, row.world_z_m)
        np.testing.assert_allclose(place, world_from_box.translation, atol=1e-9)


def test_the_same_labels_give_the_same_bytes(members: list[Member], tmp_path: Path) -> None:
    for name in ("one", "two"):
        released(tmp_path / name, members)
    for file in (tmp_path / "one").rglob("*"):
        if file.is_file():
            assert file.read_bytes() == (tmp_path / "two" / file.relative_to(tmp_path / "one")).read_bytes()


def test_every_changed_byte_is_noticed(members: list[Member], tmp_path: Path) -> None:
    released(tmp_path / "out", members)
    rng = np.random.default_rng(0)
    for file in sorted(p for p in (tmp_path / "out").rglob("*") if p.is_file()):
        whole = file.read_bytes()
        for at in rng.integers(0, len(whole), 12):
            spoilt = bytearray(whole)
            spoilt[at] ^= 1 << int(rng.integers(8))
            file.write_bytes(spoilt)
            try:
                assert verify(tmp_path / "out"), (file, at)
            except FormatError as error:
                assert "release.json" in str(error)
        file.write_bytes(whole)
    assert verify(tmp_path / "out") == []


def edited(change: Callable[[dict], None]) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        manifest = json.loads((folder / "release.json").read_text())
        change(manifest)
        (folder / "release.json").write_text(json.dumps(manifest))

    return edit


def move_a_log(manifest: dict) -> None:
    manifest["logs"][0]["split"] = "test"


DAMAGE = {
    "missing": (lambda folder: (folder / "boxes.csv").unlink(), {"REL1"}),
    "another": (lambda folder: (folder / "boxes.csv").write_text("x"), {"REL2"}),
    "too much": (lambda folder: (folder / "notes.txt").write_text("x"), {"REL3"}),
    "no sums": (lambda folder: (folder / "SHA256SUMS").unlink(), {"REL4"}),
    "odd sums": (lambda folder: (folder / "SHA256SUMS").write_text("hello\n"), {"REL4"}),
    "counts": (edited(lambda m: m["logs"][0].update(boxes=7)), {"REL4", "REL5"}),
    "a leak": (edited(move_a_log), {"REL4", "REL6"}),
    "no labels": (edited(lambda m: m["logs"][0].update(labels="labels/none.jsonl")), {"REL4", "REL5"}),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_named(name: str, members: list[Member], tmp_path: Path) -> None:
    damage, expected = DAMAGE[name]
    released(tmp_path / "out", members)
    damage(tmp_path / "out")
    assert {problem.id for problem in verify(tmp_path / "out")} == expected


def test_labels_that_were_changed_together_with_their_sums_are_still_read(
    members: list[Member], tmp_path: Path
) -> None:
    released(tmp_path / "out", members)
    file = tmp_path / "out" / "labels" / "other.jsonl"
    file.write_text(file.read_text().replace('"source":"auto"', '"source":"god"', 1))
    assert {"REL2", "REL7"} <= {problem.id for problem in verify(tmp_path / "out")}


def test_what_leads_out_of_the_folder_is_not_read(members: list[Member], tmp_path: Path) -> None:
    released(tmp_path / "out", members)
    edited(lambda m: m["files"][0].update(path="../secret"))(tmp_path / "out")
    with pytest.raises(FormatError, match="leads out"):
        verify(tmp_path / "out")


def test_nothing_is_written_where_something_is_wrong(members: list[Member], tmp_path: Path) -> None:
    def broken() -> LabelSet:
        raise FormatError("labels.db", "row 3", "is odd")

    with pytest.raises(FormatError, match="row 3"):
        released(tmp_path / "out", [*members, Member(replace(members[0].log, name="third"), broken)])
    with pytest.raises(FormatError, match="2 logs are called 'other'"):
        released(tmp_path / "out", [*members, Member(replace(members[0].log, name="OTHER"), broken)])
    with pytest.raises(FormatError, match="no log"):
        released(tmp_path / "out", [])
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("years of work")
    with pytest.raises(FormatError, match="is there already"):
        released(tmp_path / "out", members)
    shutil.rmtree(tmp_path / "out")
