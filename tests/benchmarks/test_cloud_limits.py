"""The speeds that docs/recordings.md claims: measured only with --benchmark-enable."""

from pathlib import Path

from tests.benchmarks.cloud_speed import comparisons
from tests.benchmarks.ratios import measure


def test_every_speed_holds_its_limit(tmp_path: Path) -> None:
    for one in comparisons(tmp_path):
        ours_ms, theirs_ms = measure(one)
        assert theirs_ms / ours_ms >= one.at_least, one.what
