"""Fixtures that every test may use."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

from scripts.warmup import drop_stale_kernels

REPOSITORY = Path(__file__).parent.parent
SHARED_DATA = Path(os.environ.get("CROSSLABEL_TEST_DATA", REPOSITORY.parent / "shared" / "data"))

# The first example of a law may have to wait for a kernel that is being compiled.
settings.register_profile("patient", settings.default, deadline=None)
settings.load_profile("patient")


def pytest_configure(config: pytest.Config) -> None:
    """Kernels compiled from older sources are made anew, once, before any worker starts."""
    if not hasattr(config, "workerinput"):
        drop_stale_kernels(REPOSITORY)


def pytest_addoption(parser: pytest.Parser) -> None:
    """What takes long is behind a flag."""
    parser.addoption("--slow", action="store_true", help="also soak tests: killing, damaging, long drives")
    parser.addoption("--clients", action="store_true", help="also clients that take minutes to install")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without its flag, what takes long is left out."""
    flags = {"slow": "--slow", "heavy": "--clients"}
    closed = [mark for mark, flag in flags.items() if not config.getoption(flag)]
    left_out = [item for item in items if any(item.get_closest_marker(mark) for mark in closed)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]


@pytest.hookimpl(trylast=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """A failure is named when it happens: a run that is cut short never gets to its summary."""
    if report.failed and "PYTEST_XDIST_WORKER" not in os.environ:
        message = getattr(getattr(report.longrepr, "reprcrash", None), "message", "")
        print(f"\nfailed: {report.nodeid} ({report.when}): {message[:300]}", flush=True)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data, which the repository does not hold for reasons of licence."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no real data at {SHARED_DATA} (CROSSLABEL_TEST_DATA names another folder)")
    return SHARED_DATA
