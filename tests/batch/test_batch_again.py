"""A batch that is run again does what is missing or out of date, and says so."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from autolabel import Config
from autolabel.batch import Ended, Here, Ledger, State, read_ledger
from autolabel.batch.standing import Standing
from autolabel.memory import forget_peak_memory, peak_memory_mb
from autolabel.runs import Outcome
from calib.errors import CrosslabelError
from fusion.checks.config import CheckConfig, RuleConfig
from fusion.compare import labels_equal
from fusion.edits import RemoveTrack
from fusion.store import LabelStore
from scripts.autolabel_batch import Batch
from scripts.autolabel_unit import LogUnit

Units = Callable[..., list[LogUnit]]


def outcomes(units: list[LogUnit]) -> list[Outcome]:
    ended = [one for one in Here().run(units) if one is not None]
    assert [one.name for one in ended] == [unit.name for unit in units]
    return [one.outcome for one in ended]


def test_what_is_there_is_left_and_what_is_out_of_date_is_made_anew(units: Units, tmp_path: Path) -> None:
    assert outcomes(units(names=[0, 1])) == [Outcome.DONE] * 2
    made = (tmp_path / "out" / "drive0" / "labels.db").stat().st_mtime_ns
    assert outcomes(units(names=[0, 1, 2])) == [Outcome.UP_TO_DATE, Outcome.UP_TO_DATE, Outcome.DONE]
    assert (tmp_path / "out" / "drive0" / "labels.db").stat().st_mtime_ns == made
    assert outcomes(units(names=[0], config=Config(use_points=False))) == [Outcome.DONE]
    other = CheckConfig(rules={"P1": RuleConfig(skip=True)})
    assert outcomes(units(names=[1], rules=other)) == [Outcome.DONE]
    assert outcomes(units(names=[2], force=True)) == [Outcome.DONE]
    (tmp_path / "out" / "drive1" / "run.json").write_text("{")
    (ended,) = [one for one in Here().run(units(names=[1])) if one]
    assert ended.outcome is Outcome.FAILED and "--force" in ended.reason


def test_what_a_person_has_worked_on_is_not_replaced_unless_forced(units: Units, tmp_path: Path) -> None:
    assert outcomes(units(names=[0])) == [Outcome.DONE]
    path = tmp_path / "out" / "drive0" / "labels.db"
    with LabelStore.open(path) as store:
        first = next(iter(store.labels.tracks))
        store.apply(RemoveTrack(first), author="ann")
        edited = store.labels
    other = Config(use_points=False)
    (ended,) = [one for one in Here().run(units(names=[0], config=other)) if one]
    assert ended.outcome is Outcome.FAILED and "a person has worked on its labels" in ended.reason
    with LabelStore.open(path, read_only=True) as store:
        assert labels_equal(store.labels, edited)
    assert outcomes(units(names=[0])) == [Outcome.UP_TO_DATE]
    assert outcomes(units(names=[0], config=other, force=True)) == [Outcome.DONE]
    with LabelStore.open(path.with_name("labels.previous.db"), read_only=True) as store:
        assert labels_equal(store.labels, edited)


def test_workers_make_what_one_process_makes(units: Units, tmp_path: Path) -> None:
    alone, beside = tmp_path / "alone", tmp_path / "beside"
    for out, workers in ((alone, 1), (beside, 2)):
        wanted = units(names=[0, 1, 2], out=out)
        assert Batch(wanted, out, workers, None, as_json=False).run() == 0
    for name in ("drive0", "drive1", "drive2"):
        with (
            LabelStore.open(alone / name / "labels.db", read_only=True) as one,
            LabelStore.open(beside / name / "labels.db", read_only=True) as other,
        ):
            assert labels_equal(one.labels, other.labels)
        records = [json.loads((out / name / "run.json").read_text()) for out in (alone, beside)]
        assert records[0]["same"] == records[1]["same"] and records[0]["checks"] == records[1]["checks"]


def test_the_record_says_where_the_time_and_the_memory_went(units: Units, tmp_path: Path) -> None:
    outcomes(units(names=[0]))
    record = json.loads((tmp_path / "out" / "drive0" / "run.json").read_text())
    stages = record["stages_s"]
    assert {"read", "detect", "track", "check", "store", "else"} <= set(stages)
    assert all(spent_s >= 0 for spent_s in stages.values())
    assert sum(stages.values()) == pytest.approx(record["timings_s"]["cpu"], abs=0.05)
    found = json.loads((tmp_path / "out" / "drive0" / "check.json").read_text())
    assert found["objects_to_look_at"] == record["checks"]["objects_to_look_at"] == len(found["queue"])


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux forgets a peak")
def test_the_peak_of_one_log_is_not_that_of_another() -> None:
    block = bytearray(300 << 20)
    high = peak_memory_mb()
    del block
    forget_peak_memory()
    low = peak_memory_mb()
    assert high is not None and low is not None and low < high - 200


def test_a_ledger_tells_how_a_batch_stands_at_any_time(tmp_path: Path) -> None:
    assert read_ledger(tmp_path) is None
    with Ledger(tmp_path, 4, "2 processes") as ledger:
        ledger.note(Ended("a", Outcome.DONE, told={"counts": {"boxes": 3}}))
        ledger.note(Ended("b", Outcome.FAILED, "no such file"))
        running = read_ledger(tmp_path)
        assert running is not None and running.state is State.RUNNING
        assert (running.left, running.workers, running.pid) == (2, "2 processes", os.getpid())
        assert running.left_s is not None and running.ended["a"].told == {"counts": {"boxes": 3}}
        with pytest.raises(CrosslabelError, match="another batch is at work"):
            Ledger(tmp_path, 4, "")
    ended = read_ledger(tmp_path)
    assert ended is not None and ended.state is State.FINISHED and ended.left_s is None
    with pytest.raises(ValueError), Ledger(tmp_path, 1, "") as ledger:
        raise ValueError("odd")
    stopped = read_ledger(tmp_path)
    assert stopped is not None and (stopped.state, stopped.reason) == (State.STOPPED, "ValueError: odd")
    assert not stopped.ended


def test_half_a_line_and_odd_lines_are_left_out(tmp_path: Path) -> None:
    with Ledger(tmp_path, 2, "x") as ledger:
        ledger.note(Ended("a", Outcome.DONE))
    path = tmp_path / "batch.jsonl"
    odd = [
        '{"log": "b"',
        "[]",
        "null",
        '{"time_s": "x"}',
        '{"time_s": 1, "log": 3, "outcome": "odd"}',
        "\xff",
    ]
    path.write_text(path.read_text() + "\n".join(odd))
    before = read_ledger(tmp_path)
    assert before is not None and list(before.ended) == ["a"] and before.state is State.FINISHED
    with Ledger(tmp_path, 3, "y") as ledger:
        ledger.note(Ended("c", Outcome.DONE))
    after = read_ledger(tmp_path)
    assert after is not None and list(after.ended) == ["c"] and after.total == 3


def test_a_batch_that_has_been_silent_is_dead(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, 2, "x")
    long_ago = time.time() - 3600
    os.utime(tmp_path / "batch.jsonl", (long_ago, long_ago))
    standing = read_ledger(tmp_path)
    assert standing is not None and standing.state is State.DEAD
    ledger.__exit__(None, None, None)


def test_the_rate_counts_what_was_worked_on() -> None:
    standing = Standing(100, "", "", 0, begun_s=0.0)
    for number in range(10):
        standing.add(Ended(f"{number}", Outcome.UP_TO_DATE), 1.0)
    assert standing.per_hour is None and standing.left_s is None
    for number in range(10, 30):
        standing.add(Ended(f"{number}", Outcome.DONE), 1.0 + number)
    assert standing.per_hour == pytest.approx(3600 * 20 / 30)
    assert standing.left_s == pytest.approx(70 * 30 / 20)
    standing.add(replace(standing.ended["29"], outcome=Outcome.FAILED), 31.0)
    assert len(standing.ended) == 30 and len(standing.failed) == 1
