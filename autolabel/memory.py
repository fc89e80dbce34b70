"""The memory of this process: how much it took, and what becomes of what is freed."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# Of mallopt(3).
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
LARGEST_KEPT_BYTES, KEPT_BYTES = 2**25, 2**28


def keep_freed_memory() -> None:
    """From now on this process keeps the memory of arrays that it frees, up to a quarter of a gigabyte.

    The C library of Linux hands large blocks back at once, and every array of a sweep then costs the system
    new pages: 5 to 10 % of what labelling takes. Elsewhere nothing happens.
    """
    import ctypes

    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # a C library that has no such thing
            mallopt = ctypes.CDLL(None).mallopt
            mallopt(MMAP_THRESHOLD, LARGEST_KEPT_BYTES)
            mallopt(TRIM_THRESHOLD, KEPT_BYTES)


@contextmanager
def search_for_new_garbage_alone() -> Iterator[None]:
    """In this block Python's search for garbage leaves out what was there before.

    It would go through all that is loaded several times a log: 2 % of what labelling takes.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def forget_peak_memory() -> None:
    """Lets `peak_memory_mb` count from here, where the system can (Linux: proc(5), clear_refs)."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def peak_memory_mb() -> int | None:
    """Largest resident size of this process so far; None on Windows, which has no such count."""
    with suppress(OSError, ValueError, StopIteration):
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
        peak_kb = next(line.split()[1] for line in status if line.startswith("VmHWM:"))
        return round(int(peak_kb) / 2**10)
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / 2**20 if sys.platform == "darwin" else peak / 2**10)
