"""Crosslabel's own labels as a format: files and folders of them, found by the log they belong to."""

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from calib import Rig
from formats.errors import FormatError
from formats.labels_db import LABELS_DB, labels_file, log_ids, read_labels, recognises, write_labels
from fusion import Annotation, Box3D, DriveLog, LabelSet, StoreError, Track, Trajectory
from fusion.compare import first_difference
from fusion.edits import RemoveTrack
from fusion.store import LabelStore


def log_of(name: str) -> DriveLog:
    return DriveLog(name, Rig.of(), Trajectory.standing([0]), np.array([0]))


@pytest.fixture
def labels() -> LabelSet:
    box = Box3D.upright((10, 0, 1), (4.5, 1.9, 1.6), 0.1)
    return LabelSet.of([Track.of("a", "car", [Annotation(0, box, attributes={"ü": [1, None]})])])


def test_a_file_is_written_and_read(tmp_path: Path, labels: LabelSet) -> None:
    path = tmp_path / "deep" / "mine.db"
    write_labels(path, log_of("log"), labels)
    assert recognises(path)
    assert log_ids(path) == ["log"]
    assert first_difference(read_labels(path, log_of("log")), labels) is None
    assert [file.name for file in path.parent.iterdir()] == ["mine.db"]


def test_a_folder_of_logs_is_written_and_read(tmp_path: Path, labels: LabelSet) -> None:
    write_labels(tmp_path, log_of("scene-2"), labels)
    write_labels(tmp_path, log_of("scene-1"), LabelSet())
    assert (tmp_path / "scene-2" / "labels.db").is_file()
    assert recognises(tmp_path)
    assert log_ids(tmp_path) == ["scene-1", "scene-2"]
    assert first_difference(read_labels(tmp_path, log_of("scene-2")), labels) is None
    assert len(read_labels(tmp_path, log_of("scene-1")).tracks) == 0


def test_a_folder_that_holds_one_file_is_read(tmp_path: Path, labels: LabelSet) -> None:
    write_labels(tmp_path, log_of("scene-1"), labels)
    folder = tmp_path / "scene-1"
    assert recognises(folder)
    assert log_ids(folder) == ["scene-1"]
    assert first_difference(read_labels(folder, log_of("scene-1")), labels) is None


def test_a_renamed_folder_is_found_by_the_log_it_holds(tmp_path: Path, labels: LabelSet) -> None:
    write_labels(tmp_path, log_of("scene-1"), labels)
    (tmp_path / "scene-1").rename(tmp_path / "by ann")
    assert first_difference(read_labels(tmp_path, log_of("scene-1")), labels) is None
    with pytest.raises(FormatError, match="no labels of log 'by ann'"):
        read_labels(tmp_path, log_of("by ann"))


def test_labels_of_another_log_are_refused(tmp_path: Path, labels: LabelSet) -> None:
    path = tmp_path / "labels.db"
    write_labels(path, log_of("log"), labels)
    for place in (path, tmp_path):
        with pytest.raises(FormatError, match="no labels of log 'other', but of: log"):
            read_labels(place, log_of("other"))
    with pytest.raises(FormatError, match="but of: none"):
        read_labels(tmp_path / "nothing", log_of("log"))


def test_two_files_of_one_log_are_refused(tmp_path: Path, labels: LabelSet) -> None:
    write_labels(tmp_path / "ann" / "labels.db", log_of("log"), labels)
    write_labels(tmp_path / "bob" / "labels.db", log_of("log"), labels)
    for ask in (lambda: log_ids(tmp_path), lambda: read_labels(tmp_path, log_of("log"))):
        with pytest.raises(FormatError, match="two files of labels of log 'log'"):
            ask()


@pytest.mark.parametrize("name", ["../out", "/out", "", "a/../../out", "C:\\out", "bad\0name"])
def test_a_log_s_name_leads_nowhere_else(tmp_path: Path, labels: LabelSet, name: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    for ask in (lambda: write_labels(root, log_of(name), labels), lambda: read_labels(root, log_of(name))):
        with pytest.raises(FormatError, match="leads out of the data set"):
            ask()
    assert [file.name for file in tmp_path.rglob("*")] == ["root"]


def test_labels_that_are_there_are_not_overwritten(tmp_path: Path, labels: LabelSet) -> None:
    write_labels(tmp_path, log_of("log"), labels)
    with LabelStore.open(labels_file(tmp_path, "log")) as store:
        store.apply(RemoveTrack("a"))
    with pytest.raises(StoreError, match="there already"):
        write_labels(tmp_path, log_of("log"), labels)
    with LabelStore.open(labels_file(tmp_path, "log")) as store:
        assert len(store.history()) == 1


def test_labels_can_be_read_while_somebody_edits_them(tmp_path: Path, labels: LabelSet) -> None:
    with LabelStore.create(tmp_path / "labels.db", "log", labels) as store:
        store.apply(RemoveTrack("a"))
        assert log_ids(tmp_path) == ["log"]
        assert len(read_labels(tmp_path, log_of("log")).tracks) == 0


def test_what_is_not_ours_is_not_recognised(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "labels.db")) as foreign, foreign:
        foreign.execute("CREATE TABLE x (y)")
    (tmp_path / "text.db").write_text("labels")
    for path in (tmp_path, tmp_path / "labels.db", tmp_path / "text.db", tmp_path / "nothing"):
        assert not recognises(path)
        assert log_ids(path) == []
    with pytest.raises(FormatError):
        read_labels(tmp_path / "text.db", log_of("log"))


def test_a_damaged_file_is_named(tmp_path: Path, labels: LabelSet) -> None:
    path = tmp_path / "labels.db"
    write_labels(path, log_of("log"), labels)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(StoreError, match=r"labels\.db"):
        read_labels(path, log_of("log"))


def test_the_record_of_the_format() -> None:
    assert LABELS_DB.name == "crosslabel"
    assert LABELS_DB.loses == ()
    assert LABELS_DB.open_log is None
