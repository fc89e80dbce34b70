"""What becomes of memory that is freed."""

import gc
import platform
import subprocess
import sys

import pytest

from autolabel.memory import forget_peak_memory, peak_memory_mb, search_for_new_garbage_alone

COUNT = """
import resource
import numpy as np
from autolabel.memory import keep_freed_memory

if {keep}:
    keep_freed_memory()

def sweep():
    columns = [np.ones(180_000) for _ in range(10)]

sweep()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    sweep()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def new_pages(keep: bool) -> int:
    """How many pages the system gave for twenty sweeps of 14 MB (3,500 pages) each, one after the other."""
    told = subprocess.run(
        [sys.executable, "-c", COUNT.format(keep=keep)], capture_output=True, text=True, check=True
    )
    return int(told.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only the C library of GNU is told to")
def test_arrays_of_a_sweep_need_no_new_pages_each_time() -> None:
    kept, handed_back = new_pages(True), new_pages(False)
    assert kept < 0.3 * handed_back


def test_the_peak_is_forgotten() -> None:
    if peak_memory_mb() is None:
        pytest.skip("the system does not count")
    forget_peak_memory()
    assert (peak_memory_mb() or 0) > 10


def test_garbage_is_searched_for_in_what_is_new_until_the_block_ends() -> None:
    class Ring:
        def __init__(self, ends: list[str], name: str) -> None:
            self.itself, self.ends, self.name = self, ends, name

        def __del__(self) -> None:
            self.ends.append(self.name)

    ends: list[str] = []
    gc.collect()
    old = Ring(ends, "old")
    with pytest.raises(KeyError), search_for_new_garbage_alone():
        new = Ring(ends, "new")
        del old, new
        gc.collect()
        assert ends == ["new"]
        raise KeyError
    gc.collect()
    assert ends == ["new", "old"]
