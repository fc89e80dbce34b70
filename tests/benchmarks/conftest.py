"""Ratios of speed are measured only when asked for: `pytest tests/benchmarks --benchmark-enable`."""

from pathlib import Path

import pytest


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leaves the measuring of ratios out of ordinary runs."""
    measured = config.getoption("benchmark_enable")
    return True if collection_path.name == "test_ratios.py" and not measured else None
