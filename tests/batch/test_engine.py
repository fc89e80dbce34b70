"""What an engine must not cost."""

import sys
import time
from pathlib import Path

import pytest

from autolabel import Config, memory
from autolabel.batch import Ended
from autolabel.batch.engine import local_engine
from autolabel.runs import Outcome
from scripts.autolabel_given import Sources
from scripts.autolabel_unit import Asked, LogUnit
from tests.batch.units import Grasping, Slow


@pytest.mark.skipif(sys.platform != "linux", reason="it is glibc that hands memory back")
def test_workers_keep_the_memory_that_a_log_has_freed() -> None:
    """Though dask tells them to hand it back."""
    with local_engine(1) as engine:
        ended = [one for one in engine.run([Grasping("first"), Grasping("second")]) if one]
    # A megabyte has 256 pages: a hundred of them come from the system once, not each time.
    assert ended[1].told["pages"] < 1000


def test_a_log_asks_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(memory, "keep_freed_memory", lambda: asked.append(True))
    what = Asked(Sources(), Config(), None, tmp_path / "out")
    ended = LogUnit("none", "folder", tmp_path, False, what)()
    assert (asked, ended.outcome) == ([True], Outcome.FAILED)


def test_the_next_log_does_not_wait_until_what_became_of_the_last_one_is_told(tmp_path: Path) -> None:
    told: list[Ended] = []
    with local_engine(1) as engine:
        for one in engine.run([Slow(name, 0.0, tmp_path) for name in ("first", "second")]):
            if one is not None and not told:
                time.sleep(2)
                assert (tmp_path / "second.done").exists()
            told += [one] if one else []
    assert [one.name for one in told] == ["first", "second"]
