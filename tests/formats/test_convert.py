"""Converting: read back, compared, refused where a loss is not declared, nothing half-written."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from formats.convert import convert
from formats.errors import FormatError
from formats.folder import FOLDER
from formats.format import Format
from formats.labels_db import LABELS_DB
from formats.losses import Part
from formats.mmdet3d import MMDET3D
from formats.nuscenes import NUSCENES
from formats.registry import FORMATS
from fusion import DriveLog, LabelSet

Pair = tuple[DriveLog, LabelSet]
MakeLog = Callable[..., Pair]


@pytest.fixture
def pair(make_log: MakeLog) -> Pair:
    return make_log()


def forgetful(format: Format) -> Format:
    """The format, if its reader forgot what a person confirmed."""

    def read(path: Path, log: DriveLog) -> LabelSet:
        assert format.read_labels is not None
        labels = format.read_labels(path, log)
        unlocked = {
            id: track.with_annotations(replace(a, locked=False) for a in track.annotations.values())
            for id, track in labels.tracks.items()
        }
        return replace(labels, tracks=unlocked)

    return replace(format, read_labels=read)


def with_a_lock(pair: Pair) -> Pair:
    log, labels = pair
    track = next(track for track in labels.tracks.values() if track.annotations)
    return log, labels.with_track(
        track.with_annotations(replace(a, locked=True) for a in track.annotations.values())
    )


def pairs_of(*pairs: Pair) -> Callable[[], Iterator[Pair]]:
    return lambda: iter(pairs)


@pytest.mark.parametrize("target", [FOLDER, NUSCENES], ids=lambda format: format.name)
def test_a_whole_log_comes_back(target: Format, pair: Pair, tmp_path: Path) -> None:
    (one,) = convert(target, tmp_path / "out", pairs_of(with_a_lock(pair)))
    assert one.losses == ()
    assert (one.log, one.boxes) == (pair[0].name, pair[1].annotation_count)


def test_what_is_not_declared_is_refused_and_nothing_is_written(pair: Pair, tmp_path: Path) -> None:
    pair = with_a_lock(pair)
    with pytest.raises(FormatError, match=r"would lose locks: \d+ of \d+, such as track .*\(--lossy"):
        convert(forgetful(FOLDER), tmp_path / "out", pairs_of(pair))
    assert list(tmp_path.iterdir()) == []
    (one,) = convert(forgetful(FOLDER), tmp_path / "out", pairs_of(pair), lossy=True)
    assert [loss.part for loss in one.losses or ()] == [Part.LOCKS]
    told = replace(forgetful(FOLDER), drops=frozenset({Part.LOCKS}))
    (one,) = convert(told, tmp_path / "again", pairs_of(pair))
    assert [loss.part for loss in one.losses or ()] == [Part.LOCKS]


def test_labels_alone_go_into_a_folder_or_a_file(pair: Pair, tmp_path: Path) -> None:
    for name in ("labels", "labels.db"):
        (one,) = convert(LABELS_DB, tmp_path / name, pairs_of(pair), sensors=False)
        assert one.losses == ()
    assert (tmp_path / "labels.db").is_file() and (tmp_path / "labels").is_dir()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["labels", "labels.db"]
    for name in ("labels", "labels.db"):
        with pytest.raises(FormatError, match="is there already"):
            convert(LABELS_DB, tmp_path / name, pairs_of(pair), sensors=False)


def test_one_file_takes_one_log(pair: Pair, tmp_path: Path) -> None:
    two = pairs_of(pair, (replace(pair[0], name="other"), pair[1]))
    with pytest.raises(FormatError, match="name a folder for several"):
        convert(LABELS_DB, tmp_path / "labels.db", two, sensors=False)
    assert list(tmp_path.iterdir()) == []
    assert len(convert(LABELS_DB, tmp_path / "labels", two, sensors=False)) == 2


def test_what_cannot_be_written_is_said(pair: Pair, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="cannot be written whole"):
        convert(LABELS_DB, tmp_path / "out", pairs_of(pair))
    with pytest.raises(FormatError, match="cannot be written labels alone"):
        convert(MMDET3D, tmp_path / "out", pairs_of(pair), sensors=False)


def test_errors_name_the_place_that_was_asked_for(pair: Pair, tmp_path: Path) -> None:
    def broken(path: Path, log: DriveLog) -> LabelSet:
        raise FormatError(path / "labels.db", "row 3", "is odd")

    with pytest.raises(FormatError) as raised:
        convert(replace(FOLDER, read_labels=broken), tmp_path / "out", pairs_of(pair))
    assert str(raised.value) == f"{tmp_path / 'out' / 'labels.db'}: row 3: is odd"


@pytest.mark.parametrize("format", FORMATS, ids=lambda format: format.name)
def test_every_loss_is_a_sentence(format: Format) -> None:
    assert all(sentence[0].isupper() and sentence.endswith(".") for sentence in format.loses)
    assert not format.drops or format.loses
