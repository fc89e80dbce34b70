"""JSON lines: nothing is lost, the same labels give the same bytes, every line is read with suspicion."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings

from calib import Rig, SE3Batch
from formats.errors import FormatError
from formats.jsonl import JSONL
from formats.losses import losses
from fusion import DriveLog, LabelSet, Trajectory
from tests.fusion.label_strategies import label_sets

LOG = DriveLog(
    "drive",
    Rig.of((), ()),
    Trajectory(np.array([0, 1]), SE3Batch(np.tile(np.eye(3), (2, 1, 1)), np.zeros((2, 3)))),
    np.array([0, 1]),
    {},
    {},
    (),
    {},
)


@given(label_sets())
@settings(max_examples=80)
def test_ten_cycles_lose_nothing(labels: LabelSet) -> None:
    with TemporaryDirectory() as folder:
        path, back = Path(folder) / "a.jsonl", labels
        for _ in range(10):
            JSONL.write_labels(path, LOG, back)
            back = JSONL.read_labels(path, LOG)
        assert losses(labels, back) == [] and losses(back, labels) == []
        again = replace(labels, tracks=dict(reversed(labels.tracks.items())))
        JSONL.write_labels(path, LOG, labels)
        first = path.read_bytes()
        JSONL.write_labels(path, LOG, again)
        assert path.read_bytes() == first


def test_a_folder_holds_a_file_a_log(
    make_log: Callable[..., tuple[DriveLog, LabelSet]], tmp_path: Path
) -> None:
    log, labels = make_log()
    other = replace(log, name="other")
    for each in (log, other):
        JSONL.write_labels(tmp_path, each, labels)
    assert JSONL.recognises(tmp_path) and JSONL.log_ids(tmp_path) == sorted([log.name, "other"])
    assert losses(labels, JSONL.read_labels(tmp_path, other)) == []
    with pytest.raises(FormatError, match="holds no labels of log 'third', but of"):
        JSONL.read_labels(tmp_path, replace(log, name="third"))
    with pytest.raises(FormatError, match="leads out"):
        JSONL.write_labels(tmp_path, replace(log, name="../third"), labels)


HEAD = {"log": "drive", "schema": 1, "attributes": {}, "reviews": []}
TRACK = {"track": {"id": "a", "category": "car"}}
BOX = {
    "of": "a",
    "timestamp_ns": 5,
    "center_m": [1, 2, 3],
    "size_lwh_m": [4, 2, 1.5],
    "rotation_wxyz": [1, 0, 0, 0],
    "source": "human",
}
BROKEN = {
    "another version": ([{**HEAD, "schema": 2}], "line 1.schema: made by another version"),
    "no track": ([HEAD, BOX], "line 2: a box of 'a', of which no line above tells"),
    "twice": ([HEAD, TRACK, TRACK], "line 3.track: track 'a' a second time"),
    "two boxes": ([HEAD, TRACK, BOX, BOX], "line 4: a second box of 'a' at 5 ns"),
    "turned": ([HEAD, TRACK, {**BOX, "rotation_wxyz": [1, 1, 0, 0]}], "a quaternion whose length is not 1"),
    "flat": ([HEAD, TRACK, {**BOX, "size_lwh_m": [4, 0, 1]}], "line 3"),
    "a source": ([HEAD, TRACK, {**BOX, "source": "god"}], "line 3.source: must be one of"),
    "no number": ([HEAD, TRACK, {**BOX, "center_m": [1, "2", 3]}], "line 3.center_m.1: must"),
    "a list": ([HEAD, [1]], "line 2"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_line_is_named(name: str, tmp_path: Path) -> None:
    lines, said = BROKEN[name]
    file = tmp_path / "a.jsonl"
    text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    file.write_text(text)
    with pytest.raises(FormatError) as raised:
        JSONL.read_labels(file, LOG)
    assert said in str(raised.value) and str(file) in str(raised.value)


@pytest.mark.parametrize(
    "spoilt", [b'{"log":"drive"', b'{"log":\xff}\n', b'{"log":' + b"[" * 100_000 + b"\n"]
)
def test_what_is_no_json_is_refused(spoilt: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"log":' + spoilt)
    with pytest.raises(FormatError, match="line 1"):
        JSONL.read_labels(tmp_path, LOG)
