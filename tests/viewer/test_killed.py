"""Killed at random moments of an editing run: no edit that was acknowledged is ever lost."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fusion.store import LabelStore
from tests.viewer.editing_run import digest

REPOSITORY = Path(__file__).parents[2]
# CROSSLABEL_KILLS=200 for the long run.
ROUNDS = int(os.environ.get("CROSSLABEL_KILLS", "15"))
WINDOW_EVERY = 5

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that fork")


@pytest.fixture
def nursery(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that makes labels.db, and starts those that are killed."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "tests.viewer.editing_run", str(tmp_path / "labels.db")]
    with subprocess.Popen(
        command, cwd=REPOSITORY, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.kill()


def killed_run(nursery: subprocess.Popen[str], path: Path, round: int, wait_s: float) -> list[str]:
    """What a child acknowledged before it was killed."""
    assert nursery.stdin is not None
    assert nursery.stdout is not None
    way = "window" if os.environ.get("DISPLAY") and round % WINDOW_EVERY == WINDOW_EVERY - 1 else "desk"
    nursery.stdin.write(f"{way}\t{path}\t{round}\n")
    nursery.stdin.flush()
    begins, child = nursery.stdout.readline().split()
    assert begins == "begins"
    said: list[str] = []
    if way == "window":  # it comes up first
        said.append(nursery.stdout.readline())
    time.sleep(wait_s)
    os.kill(int(child), signal.SIGKILL)
    while (line := nursery.stdout.readline()) != "gone\n":
        assert line, "it ended by itself"
        said.append(line)
    return [line for line in said if line.endswith("\n")]


def undone(store: LabelStore) -> str:
    """What the labels were before the last thing that was done to them; the labels stay as they are."""
    back, forth = (store.redo, store.undo) if store.journal()[-1].kind == "undo" else (store.undo, store.redo)
    back()
    before = digest(store.labels)
    forth()
    return before


@pytest.mark.slow
def test_no_acknowledged_edit_is_lost(nursery: subprocess.Popen[str], tmp_path: Path) -> None:
    path, dice = tmp_path / "labels.db", random.Random(5)
    assert nursery.stdout is not None
    ready, truth = nursery.stdout.readline().split()
    assert ready == "ready"
    lines, state, acknowledged = 0, truth, 0
    for round in range(ROUNDS):
        said = killed_run(nursery, path, round, dice.uniform(0.0, 0.5))
        changes, wanted = said[-1].split() if said else ("0", state)
        acknowledged += int(changes)
        with LabelStore.open(path) as store:
            here = len(store.journal())
            assert here - lines - int(changes) in (0, 1), "an edit is lost, or came from nowhere"
            unsaid = here - lines - int(changes) == 1  # written, and killed before it could say so
            assert (undone(store) if unsaid else digest(store.labels)) == wanted, f"round {round}"
            state = digest(store.labels)
            if store.undo_title is not None:
                store.undo()
                assert digest(store.labels) != state
                store.redo()
                assert digest(store.labels) == state
            lines = len(store.journal())
    assert acknowledged > 3 * ROUNDS, "killed while it edited, not before"
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    with LabelStore.open(path) as store:
        while store.undo_title is not None:
            store.undo()
        assert digest(store.labels) == truth
    print(f"{ROUNDS} kills, {acknowledged} acknowledged edits")
