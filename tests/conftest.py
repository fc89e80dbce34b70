"""Fixtures that every test may use."""

import os
from pathlib import Path

import pytest

from scripts.warmup import drop_stale_kernels

REPOSITORY = Path(__file__).parent.parent
SHARED_DATA = Path(os.environ.get("CROSSLABEL_TEST_DATA", REPOSITORY.parent / "shared" / "data"))


def pytest_configure(config: pytest.Config) -> None:
    """Kernels compiled from older sources are made anew, once, before any worker starts."""
    if not hasattr(config, "workerinput"):
        drop_stale_kernels(REPOSITORY)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data, which the repository does not hold for reasons of licence."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no real data at {SHARED_DATA} (CROSSLABEL_TEST_DATA names another folder)")
    return SHARED_DATA
