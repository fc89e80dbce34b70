"""The store against the world: killed writers, damaged files, other programs, read-only folders."""

import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusion import Annotation, Box3D, LabelSet, StoreError, Track
from fusion.compare import first_difference
from fusion.edits import PutAnnotations, RemoveTrack, SetTrack
from fusion.store import LabelStore, database, is_ours, read_log_name

REPOSITORY = Path(__file__).parents[2]
BOX = Box3D.upright((10, 0, 1), (4.5, 1.9, 1.6), 0.1)

WRITER = """
import itertools, sys
from fusion import Annotation, Box3D, Track
from fusion.edits import Group, PutAnnotations, PutTrack
from fusion.store import LabelStore

box = Box3D.upright((10, 0, 1), (4.5, 1.9, 1.6), 0.1)
crowd = Track.of("crowd", "person", [Annotation(t, box) for t in range(200)])
with LabelStore.open(sys.argv[1]) as store:
    for n in itertools.count(max(store.labels.tracks["car"].annotations, default=-1) + 1):
        put = PutAnnotations("car", (Annotation(n, box, score=n / 1e6),))
        moved = Track.of("crowd", "person", [Annotation(t, box, score=n / 1e6) for t in range(0, 200, 2)])
        store.apply(Group((put, PutTrack(moved if n % 2 else crowd)), str(n)))
        print(n, flush=True)
"""

CREATOR = """
import sys
from fusion import Annotation, Box3D, LabelSet, Track
from fusion.store import LabelStore

box = Box3D.upright((10, 0, 1), (4.5, 1.9, 1.6), 0.1)
labels = LabelSet.of(Track.of(str(i), "car", [Annotation(t, box) for t in range(200)]) for i in range(100))
print("ready", flush=True)
LabelStore.create(sys.argv[1], "log", labels)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "labels.db"


@pytest.fixture
def labels() -> LabelSet:
    car = Track.of("car", "car", [Annotation(t, BOX) for t in range(300)], {"colour": "red"})
    return LabelSet.of([car, Track.of("van", "van", [Annotation(10, BOX, locked=True)])])


def start(script: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


# Killed


@pytest.mark.slow
def test_a_killed_writer_loses_no_acknowledged_edit(path: Path) -> None:
    LabelStore.create(path, "log", LabelSet.of([Track("car", "car")])).close()
    moments = random.Random(7)
    acknowledged, edits = -1, 0
    for _ in range(20):
        with start(WRITER, path) as child:
            assert child.stdout is not None
            assert child.stdout.readline() != "", "the writer came up"
            time.sleep(moments.uniform(0, 0.12))
            child.send_signal(signal.SIGKILL)
            lines = child.stdout.read().splitlines()
        acknowledged = int(lines[-1]) if lines else acknowledged + 1
        with LabelStore.open(path, read_only=True) as store:
            here = store.labels.tracks["car"].annotations
            newest = max(here)
            assert newest in (acknowledged, acknowledged + 1)
            assert list(here) == list(range(newest + 1))
            assert all(a.score == n / 1e6 for n, a in here.items())
            assert len(store.labels.tracks["crowd"].annotations) == (100 if newest % 2 else 200)
            assert [entry.title for entry in store.history()] == [str(n) for n in range(newest + 1)]
        acknowledged = newest
        edits = newest + 1
    assert edits > 40, "the writer was killed while it wrote, not before"
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    with LabelStore.open(path) as store:
        for _ in range(edits):
            store.undo()
        assert first_difference(store.labels, LabelSet.of([Track("car", "car")])) is None
    assert names(path.parent) == ["labels.db"]


@pytest.mark.slow
def test_a_killed_creator_leaves_a_whole_file_or_none(path: Path) -> None:
    moments = random.Random(3)
    for n in range(6):
        target = path.with_name(f"{n}.db")
        with start(CREATOR, target) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            time.sleep(moments.uniform(0, 0.5))
            child.kill()
        if target.exists():
            with LabelStore.open(target) as store:
                assert store.labels.annotation_count == 20_000
        assert not [file for file in names(path.parent) if file.startswith("labels")]


# Other programs


def test_one_writer_and_any_number_of_readers(path: Path, labels: LabelSet) -> None:
    with LabelStore.create(path, "log", labels) as store:
        with pytest.raises(StoreError, match="open for writing elsewhere"):
            LabelStore.open(path)
        with LabelStore.open(path, read_only=True) as early:
            store.apply(RemoveTrack("car"))
            with LabelStore.open(path, read_only=True) as late:
                assert list(early.labels.tracks) == ["car", "van"]
                assert early.history() == []
                assert list(late.labels.tracks) == ["van"]
                assert len(late.history()) == 1
            for refused in (lambda: early.apply(RemoveTrack("van")), lambda: early.record_model_run({})):
                with pytest.raises(StoreError, match="reading only"):
                    refused()
        store.undo()
    with LabelStore.open(path) as store:
        assert first_difference(store.labels, labels) is None


def test_another_process_is_kept_out_until_the_writer_dies(path: Path) -> None:
    LabelStore.create(path, "log", LabelSet.of([Track("car", "car")])).close()
    with start(WRITER, path) as child:
        assert child.stdout is not None
        child.stdout.readline()
        with pytest.raises(StoreError, match="open for writing elsewhere"):
            LabelStore.open(path)
        for _ in range(30):  # whatever is written meanwhile, a reader sees one state
            with LabelStore.open(path, read_only=True) as reader:
                newest = max(reader.labels.tracks["car"].annotations)
                assert len(reader.labels.tracks["crowd"].annotations) == (100 if newest % 2 else 200)
                assert [entry.title for entry in reader.history()] == [str(n) for n in range(newest + 1)]
        child.kill()
        child.wait()
    with LabelStore.open(path) as store:
        assert len(store.labels.tracks["car"].annotations) >= 1


def test_an_edit_after_a_change_by_a_stranger_is_refused(path: Path, labels: LabelSet) -> None:
    with LabelStore.create(path, "log", labels) as store:
        with closing(sqlite3.connect(path)) as stranger, stranger:
            stranger.execute("INSERT INTO journal VALUES (1, 'u', 0, 'x', 'edit', NULL, 0, 'x', '[]')")
        with pytest.raises(StoreError, match="changed by another program"):
            store.apply(RemoveTrack("car"))
        assert first_difference(store.labels, labels) is None
    with LabelStore.open(path) as store:
        assert first_difference(store.labels, labels) is None


def test_a_file_that_is_there_is_not_overwritten(path: Path, labels: LabelSet) -> None:
    LabelStore.create(path, "log", labels).close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="there already"):
        LabelStore.create(path, "log")
    assert path.read_bytes() == before
    path.unlink()
    path.with_name("labels.db-wal").write_bytes(b"left over")
    with pytest.raises(StoreError, match=r"labels\.db-wal: there already"):
        LabelStore.create(path, "log")


def test_a_closed_store_says_so(path: Path, labels: LabelSet) -> None:
    store = LabelStore.create(path, "log", labels)
    store.close()
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.apply(RemoveTrack("car"))
    assert first_difference(store.labels, labels) is None


def test_a_full_disk_costs_one_edit_and_no_more(path: Path, labels: LabelSet) -> None:
    with LabelStore.create(path, "log", labels) as store:
        store._connection.execute("PRAGMA max_page_count = 1")  # SQLite takes it as: no page more
        big = tuple(Annotation(t, BOX) for t in range(1000, 9000))
        with pytest.raises(StoreError, match="full"):
            store.apply(PutAnnotations("car", big))
        assert first_difference(store.labels, labels) is None
        store.apply(SetTrack("car", "bus"))
    with LabelStore.open(path) as store:
        assert store.labels.tracks["car"].category == "bus"
        assert len(store.history()) == 1


UNPRIVILEGED = """
import os, sys
from fusion import StoreError
from fusion.store import LabelStore

if os.geteuid() == 0:  # who may write everywhere
    os.setegid(65534)
    os.seteuid(65534)
with LabelStore.open(sys.argv[1], read_only=True) as store:
    print(store.labels.annotation_count)
for refused in (lambda: LabelStore.open(sys.argv[1]), lambda: LabelStore.create(sys.argv[1] + "2", "log")):
    try:
        refused()
    except StoreError as error:
        print(error)
"""


def test_a_folder_that_cannot_be_written_can_be_read(labels: LabelSet) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        LabelStore.create(folder / "labels.db", "log", labels).close()
        folder.chmod(0o555)
        command = [sys.executable, "-c", UNPRIVILEGED, str(folder / "labels.db")]
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
        folder.chmod(0o755)
        lines = done.stdout.splitlines()
        assert lines[:1] == ["301"], done.stderr
        assert len(lines) == 3
        assert all(line.startswith(str(folder / "labels.db")) for line in lines[1:])
        assert names(folder) == ["labels.db"]


# Damaged


def test_what_is_not_ours_is_refused_and_left_alone(path: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "foreign.db")) as foreign, foreign:
        foreign.execute("CREATE TABLE track (id TEXT)")
    (tmp_path / "empty.db").write_bytes(b"")
    (tmp_path / "text.db").write_text("track,car\n" * 100)
    (tmp_path / "folder.db").mkdir()
    before = names(tmp_path)
    for name in (*before, "nothing.db", "bad\0name.db"):
        for read_only in (False, True):
            with pytest.raises(StoreError) as caught:
                LabelStore.open(tmp_path / name, read_only=read_only)
            assert "\n" not in str(caught.value)
            assert name in str(caught.value)
        assert not is_ours(tmp_path / name)
    assert names(tmp_path) == before


@pytest.mark.parametrize("read_only", [True, False])
def test_a_file_cut_short_anywhere_is_refused(path: Path, labels: LabelSet, read_only: bool) -> None:
    with LabelStore.create(path, "log", labels) as store:
        store.apply(RemoveTrack("van"))
    whole = path.read_bytes()
    for length in [*range(0, len(whole), max(len(whole) // 20, 1)), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(StoreError, match=r"labels\.db: "):
            LabelStore.open(path, read_only=read_only)
        assert not path.with_name("labels.db-lock").exists()
    path.write_bytes(whole)
    LabelStore.open(path, read_only=read_only).close()


@settings(max_examples=80)
@given(st.data())
def test_a_damaged_file_never_ends_in_another_error(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "labels.db"
        car = Track.of("car", "car", [Annotation(t, BOX, attributes={"a": 1}) for t in range(40)])
        with LabelStore.create(path, "log", LabelSet.of([car])) as store:
            store.apply(SetTrack("car", "bus"))
        content = bytearray(path.read_bytes())
        for _ in range(data.draw(st.integers(1, 20))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        path.write_bytes(content)
        for read_only in (True, False):
            try:
                with LabelStore.open(path, read_only=read_only) as store:
                    store.journal()
                    if not read_only:
                        store.apply(RemoveTrack("car"))
                        store.undo()
            except StoreError as error:
                assert str(path) in str(error)


BAD_ROWS = {
    "no box": "UPDATE annotation SET box = x'00'",
    "a box of text": "UPDATE annotation SET box = 'box'",
    "a box of NaN": f"UPDATE annotation SET box = x'{'ff' * 120}'",
    "a box of zeros": f"UPDATE annotation SET box = x'{'00' * 120}'",
    "an unknown source": "UPDATE annotation SET source = 'oracle'",
    "attributes cut short": "UPDATE annotation SET attributes = '{\"a\": '",
    "attributes that are a list": "UPDATE track SET attributes = '[1]'",
    "attributes of bytes": "UPDATE track SET attributes = x'ff'",
    "an annotation of no track": "DELETE FROM track WHERE id = 'van'",
    "no name of the log": "DELETE FROM meta",
    "no table": "DROP TABLE review",
    "an undo of nothing": "INSERT INTO journal VALUES (1, 'u', 0, 'x', 'undo', NULL, 0, 'x', '[]')",
}


@pytest.mark.parametrize("statement", BAD_ROWS.values(), ids=BAD_ROWS.keys())
def test_rows_that_no_store_has_written_are_refused(path: Path, labels: LabelSet, statement: str) -> None:
    LabelStore.create(path, "log", labels).close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)
    for read_only in (True, False):
        with pytest.raises(StoreError, match=r"labels\.db: ") as caught:
            LabelStore.open(path, read_only=read_only)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "changes", ["", "[[1]]", '[["track",["car"],null]]', '[["x",[],null,null]]', "x'00'"]
)
def test_a_damaged_journal_costs_the_undo_and_not_the_labels(
    path: Path, labels: LabelSet, changes: str
) -> None:
    LabelStore.create(path, "log", labels).close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO journal VALUES (1, 'u', 0, 'x', 'edit', NULL, 0, 'x', ?)", (changes,))
    with LabelStore.open(path) as store:
        with pytest.raises(StoreError, match="labels that cannot be"):
            store.undo()
        assert first_difference(store.labels, labels) is None
        store.apply(RemoveTrack("van"))


# Versions


def test_a_file_of_a_newer_version_is_refused(path: Path, labels: LabelSet) -> None:
    LabelStore.create(path, "log", labels).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {database.SCHEMA_VERSION + 1}")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="newer version of Crosslabel"):
        LabelStore.open(path)
    assert path.read_bytes() == before


def test_a_file_of_an_older_version_is_migrated(
    path: Path, labels: LabelSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    LabelStore.create(path, "log", labels).close()

    def add_team(connection: sqlite3.Connection) -> None:
        connection.execute("ALTER TABLE review ADD COLUMN team TEXT")

    def fail(connection: sqlite3.Connection) -> None:
        add_team(connection)
        raise sqlite3.OperationalError("in the middle")

    monkeypatch.setattr(database, "SCHEMA_VERSION", database.SCHEMA_VERSION + 1)
    with pytest.raises(StoreError, match="older version"):
        LabelStore.open(path, read_only=True)
    monkeypatch.setitem(database.MIGRATIONS, database.SCHEMA_VERSION - 1, fail)
    with pytest.raises(StoreError, match="in the middle"):
        LabelStore.open(path)
    monkeypatch.setitem(database.MIGRATIONS, database.SCHEMA_VERSION - 1, add_team)
    with LabelStore.open(path) as store:
        assert first_difference(store.labels, labels) is None
    with LabelStore.open(path, read_only=True) as store:
        assert first_difference(store.labels, labels) is None


def test_log_name_without_the_labels(path: Path, labels: LabelSet) -> None:
    LabelStore.create(path, "scene-0061", labels).close()
    assert read_log_name(path) == "scene-0061"
    assert is_ours(path)
    with pytest.raises(StoreError):
        read_log_name(path.with_name("other.db"))


def test_many_labels_load_whole(path: Path) -> None:
    rng = np.random.default_rng(0)
    tracks = [
        Track.of(
            f"{i}",
            "car",
            [Annotation(t, Box3D.upright(rng.normal(size=3), (4, 2, 1), rng.normal())) for t in range(211)],
        )
        for i in range(50)
    ]
    labels = LabelSet.of(tracks)  # more than one batch of rows, with a track across the border
    LabelStore.create(path, "log", labels).close()
    with LabelStore.open(path) as store:
        assert first_difference(store.labels, labels) is None
