"""Logs that are reviewed one after the other."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calib.errors import CrosslabelError
from viewer.queue import Queue


def entry(name: str, **other: Any) -> dict[str, Any]:
    labels = f"{name}/labels.db"
    return {
        "log": name, "path": "/d", "format": "folder", "labels": labels, "saved_s": 3, "places": 2, **other
    }  # fmt: skip


def written(folder: Path, *entries: object) -> Path:
    path = folder / "queue.jsonl"
    path.write_text("".join(f"{json.dumps(one)}\n" for one in entries))
    return path


def test_what_is_done_stays_done_and_what_is_left_comes_another_time(tmp_path: Path) -> None:
    path = written(tmp_path, entry("a"), entry("b"), entry("c"))
    queue = Queue(path)
    first = queue.next()
    assert first is not None and first.name == "a" and first.labels == tmp_path.resolve() / "a" / "labels.db"
    queue.finish(first, "ann")
    second = queue.next()
    assert second is not None and second.name == "b" and "2 of 3 logs left" in queue.place(second)
    queue.leave(second)
    third = queue.next()
    assert third is not None and third.name == "c"
    colleague = Queue(path)
    theirs = colleague.next()
    assert theirs is not None and theirs.name == "b"
    colleague.finish(third, "bo")
    assert queue.next() is None
    assert queue.done() == {"a", "c"}


@pytest.mark.parametrize(
    "odd",
    [
        entry("a", labels="../../x/labels.db"),
        entry("a", labels="/etc/passwd"),
        entry("a", saved_s="much"),
        entry("a", path=3),
        entry("a", labels="\0"),
        {},
        [],
        3,
    ],
)
def test_what_is_no_queue_is_said_with_its_line(tmp_path: Path, odd: object) -> None:
    with pytest.raises(CrosslabelError, match=r"queue.jsonl: line 2"):
        Queue(written(tmp_path, entry("b"), odd))


def test_a_queue_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CrosslabelError, match="no such file"):
        Queue(tmp_path / "queue.jsonl")


@given(st.binary(max_size=200))
def test_any_bytes_are_a_queue_or_one_line(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("queue") / "queue.jsonl"
    path.write_bytes(content)
    try:
        Queue(path)
    except CrosslabelError as error:
        assert "queue.jsonl" in str(error)
