"""Ratios of speed are measured only when asked for: `pytest tests/benchmarks --benchmark-enable`."""

from pathlib import Path

import pytest

MEASURED = ("test_ratios.py", "test_cloud_limits.py")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leaves the measuring of ratios out of ordinary runs."""
    measured = config.getoption("benchmark_enable")
    return True if collection_path.name in MEASURED and not measured else None
