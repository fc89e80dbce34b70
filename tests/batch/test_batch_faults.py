"""What goes wrong with thousands of logs goes wrong with a few of them, on a real local dask cluster."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from autolabel.batch import State, read_ledger
from autolabel.batch.engine import LostSchedulerError, local_engine
from autolabel.results import alive
from autolabel.runs import Outcome
from fusion.store import LabelStore
from scripts.autolabel_batch import DiskFullError
from scripts.autolabel_unit import LogUnit
from tests.batch.units import Deadly, NoSpace, Observed, Slow, Unsendable

Units = Callable[..., list[LogUnit]]
Run = Callable[..., int]
ROOT = Path(__file__).parents[2]


def finished(out: Path, killed: bool = False) -> set[str]:
    """The logs with a whole result that can be read; beside them lies only what is the batch's own.

    Of what was killed a folder may be left that nobody takes for a result.
    """
    there = {path.name for path in out.iterdir()} - {"batch.jsonl", "index.html", "queue.jsonl"}
    if killed:
        there = {name for name in there if not (name.startswith(".") and name.endswith(".building"))}
    for name in there:
        record = json.loads((out / name / "run.json").read_text())
        with LabelStore.open(out / name / "labels.db", read_only=True) as store:
            assert store.labels.annotation_count == record["counts"]["boxes"]
    return there


def until(there: Callable[[], bool], seconds: float = 60) -> None:
    begun_s = time.monotonic()
    while not there():
        assert time.monotonic() - begun_s < seconds
        time.sleep(0.05)


def read_pid(path: Path) -> int:
    until(lambda: path.exists() and bool(path.read_text()))
    return int(path.read_text())


@contextmanager
def meanwhile(act: Callable[[], None]) -> Iterator[None]:
    """Something that happens beside what is done within."""
    failed: list[BaseException] = []

    def guarded() -> None:
        try:
            act()
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=guarded, daemon=True)
    thread.start()
    yield
    thread.join(60)
    assert not failed and not thread.is_alive()


def test_a_worker_that_is_killed_in_the_middle_of_a_log_is_replaced(
    units: Units, run: Run, tmp_path: Path
) -> None:
    observed = [*units(Observed, [0]), *units(names=range(1, 6))]
    killed: list[int] = []

    def kill() -> None:
        killed.append(read_pid(tmp_path / "drive0.pid"))
        assert killed[0] != os.getpid()
        os.kill(killed[0], signal.SIGKILL)

    with meanwhile(kill):
        assert run(observed) == 0
    assert killed and not alive(killed[0])
    assert finished(tmp_path / "out") == {f"drive{number}" for number in range(6)}


def test_logs_that_fail_and_logs_that_kill_are_named_and_the_others_finished(
    units: Units, run: Run, tmp_path: Path, drives: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = [LogUnit("drive9", "folder", drives, False, units()[0].asked)]
    assert run([Deadly("deadly"), *gone, *units(), Unsendable("odd")]) == 2
    assert finished(tmp_path / "out") == {f"drive{number}" for number in range(6)}
    standing = read_ledger(tmp_path / "out")
    assert standing is not None and standing.state is State.FINISHED and standing.left == 0
    reasons = {one.name: one.reason for one in standing.failed}
    assert set(reasons) == {"deadly", "drive9", "odd"}
    assert reasons["deadly"] == "its worker process died each time"
    assert "drive9" in reasons["drive9"] and "no such thing" in reasons["odd"]
    said = capsys.readouterr().err
    assert all(f"failed: {name}: {reason}" in said for name, reason in reasons.items())
    assert "3 failed" in said
    assert run(units()) == 0
    again = read_ledger(tmp_path / "out")
    assert again is not None and again.count(Outcome.UP_TO_DATE) == 6


def test_a_neighbour_of_a_deadly_log_is_not_blamed(tmp_path: Path) -> None:
    slow = [Slow(f"slow{number}", 1.5, tmp_path) for number in range(4)]
    with local_engine(2) as engine:
        ended = [one for one in engine.run([Deadly("a"), slow[0], Deadly("b"), *slow[1:]]) if one is not None]
        assert not engine.under_way
    outcomes = {one.name: one.outcome for one in ended}
    assert len(ended) == 6
    assert {name for name, outcome in outcomes.items() if outcome is Outcome.FAILED} == {"a", "b"}


def test_a_full_disk_leaves_nothing_half_written_and_stops_what_has_no_chance(
    units: Units, run: Run, tmp_path: Path
) -> None:
    with pytest.raises(DiskFullError, match="no space left for 3 logs in a row"):
        run([*units(names=[0]), *units(NoSpace, [1, 2, 3]), *units(names=[4, 5])], workers=1)
    out = tmp_path / "out"
    assert finished(out) == {"drive0"}
    standing = read_ledger(out)
    assert standing is not None and standing.state is State.STOPPED and standing.left == 2
    assert [one.name for one in standing.failed] == ["drive1", "drive2", "drive3"]
    assert all("no space left" in one.reason and one.disk_full for one in standing.failed)
    assert run(units()) == 0
    assert finished(out) == {f"drive{number}" for number in range(6)}


def test_one_log_without_space_does_not_stop_the_others(units: Units, run: Run, tmp_path: Path) -> None:
    assert run([*units(NoSpace, [0]), *units(names=range(1, 6))]) == 2
    assert finished(tmp_path / "out") == {f"drive{number}" for number in range(1, 6)}


def test_a_disk_that_is_really_full(drives: Path, tmp_path: Path) -> None:
    out = tmp_path / "small"
    out.mkdir()
    command = [sys.executable, "-m", "scripts.cli", "autolabel", drives, "--out", out / "out", "--no-check"]
    script = f"mount -t tmpfs -o size=128k tmpfs {out} && " + " ".join(map(str, command))
    script += f"; code=$?; find {out}; exit $code"
    if subprocess.run(["unshare", "-Urm", "true"], capture_output=True).returncode:
        pytest.skip("this system lets nobody mount a small disk of his own")
    ended = subprocess.run(["unshare", "-Urm", "sh", "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 2, ended.stderr
    assert "no space left" in ended.stderr and "Traceback" not in ended.stderr
    assert "building" not in ended.stdout


def test_a_lost_scheduler_ends_the_batch_and_the_same_command_completes_it(
    units: Units, run: Run, tmp_path: Path
) -> None:
    with scheduler_and_worker(tmp_path) as (address, scheduler):
        seen = [*units(names=range(3)), Slow("slow", 60, tmp_path), *units(names=range(3, 6))]

        def kill() -> None:
            read_pid(tmp_path / "slow.pid")
            scheduler.kill()

        with meanwhile(kill), pytest.raises(LostSchedulerError, match="gone"):
            run(seen, cluster=address)
    out = tmp_path / "out"
    standing = read_ledger(out)
    assert standing is not None and standing.state is State.STOPPED and "gone" in standing.reason
    assert finished(out) == {"drive0", "drive1", "drive2"}
    assert run(units()) == 0
    again = read_ledger(out)
    assert again is not None and again.count(Outcome.UP_TO_DATE) == 3 and again.count(Outcome.DONE) == 3


def test_nobody_answers_at_an_address(units: Units, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autolabel.batch.engine.CONNECT_S", 1.0)
    with pytest.raises(LostSchedulerError, match="no scheduler answers"):
        run(units(), cluster="tcp://127.0.0.1:1")


@contextmanager
def scheduler_and_worker(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """As somebody starts them on machines of their own."""
    found = folder / "scheduler.json"
    quiet = {"cwd": ROOT, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    named = ["--host", "127.0.0.1", "--no-dashboard"]
    start = [sys.executable, "-m", "distributed.cli.dask_scheduler", *named, "--port", "0"]
    scheduler = subprocess.Popen([*start, "--scheduler-file", found], **quiet)  # type: ignore[call-overload]
    worker = None
    try:
        until(lambda: found.exists() and bool(found.read_text()))
        address = json.loads(found.read_text())["address"]
        start = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", "1"]
        worker = subprocess.Popen([*start, "--no-dashboard", "--local-directory", folder], **quiet)  # type: ignore[call-overload]
        yield address, scheduler
    finally:
        for process in (worker, scheduler):
            if process is not None:
                process.terminate()
                process.wait(30)


@pytest.mark.parametrize("kill", [signal.SIGINT, signal.SIGKILL])
def test_ctrl_c_and_a_killed_batch_lose_nothing(
    many_drives: Path, tmp_path: Path, kill: signal.Signals
) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-m", "scripts.cli", "autolabel", many_drives, "--out", out, "--workers", "2"]
    # Whoever runs these tests in the background has Ctrl-C ignored, which children inherit.
    batch = subprocess.Popen(
        command,
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    until(lambda: len(list(out.glob("drive*"))) >= 2)
    # Ctrl-C goes to every process of the terminal, a kill to one.
    (os.killpg if kill is signal.SIGINT else os.kill)(batch.pid, kill)
    said = batch.communicate(timeout=60)[1]
    until(lambda: not _group(batch.pid))
    standing = read_ledger(out)
    assert standing is not None
    if kill is signal.SIGINT:
        assert batch.returncode == 130 and "stopped: " in said and "the same command goes on" in said
        assert "Traceback" not in said
        assert standing.state is State.STOPPED and standing.reason == "Ctrl-C"
    else:
        assert standing.state is State.DEAD
    assert finished(out, killed=kill is signal.SIGKILL) >= set(standing.ended)
    assert subprocess.run(command, cwd=ROOT, capture_output=True).returncode == 0
    assert finished(out) == {f"drive{number}" for number in range(12)}


def _group(number: int) -> list[str]:
    """The processes of a group that still run."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[2] == str(number) and fields[0] != "Z":
            found.append(status.parent.name)
    return found


def test_labels_of_a_killed_process_that_was_putting_them_in_place_come_back(
    units: Units, run: Run, tmp_path: Path
) -> None:
    assert run(units(names=[0]), workers=1) == 0
    out = tmp_path / "out"
    (out / "drive0").rename(out / ".drive0.replaced")
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    from autolabel.results import _host

    torn = out / f".drive0.{_host()}.{ended.pid}.building"
    torn.mkdir()
    sqlite3.connect(torn / "labels.db").close()
    assert run(units(), workers=1) == 0
    assert finished(out) == {f"drive{number}" for number in range(6)}
    standing = read_ledger(out)
    assert standing is not None and standing.ended["drive0"].outcome is Outcome.UP_TO_DATE
