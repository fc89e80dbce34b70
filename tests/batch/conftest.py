"""Eight short drives as files; batches over them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from autolabel import Config
from formats.folder import FOLDER
from fusion.checks.config import CheckConfig
from fusion.labels import LabelSet
from fusion.simulate import Drive, SimulationConfig
from scripts.autolabel_batch import Batch
from scripts.autolabel_given import Sources
from scripts.autolabel_unit import Asked, LogUnit

COUNT = 6


@pytest.fixture(scope="session")
def drives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of short drives."""
    return made_drives(tmp_path_factory.mktemp("drives"), COUNT, 0.5)


@pytest.fixture(scope="session")
def many_drives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """More and longer ones, so that a batch is still at work when somebody has seen the first results."""
    return made_drives(tmp_path_factory.mktemp("many"), 2 * COUNT, 1.0)


def made_drives(folder: Path, count: int, seconds: float) -> Path:
    """Simulated drives with few points, in one plain data set."""
    pairs = []
    for number in range(count):
        config = SimulationConfig(
            f"drive{number}", 500 + number, 0, seconds, rings=24, azimuth_steps=300, cameras=1
        )
        small = replace(config, image_size_px=(96, 54), vehicles=5, pedestrians=4)
        pairs.append((Drive(small).log(), LabelSet()))
    FOLDER.write(folder / "logs", pairs)  # type: ignore[misc]
    return folder / "logs"


@pytest.fixture
def units(drives: Path, tmp_path: Path) -> Callable[..., list[LogUnit]]:
    """A unit a drive, of the given kind, into tmp_path/out."""

    def made(
        kind: type[LogUnit] = LogUnit, names: Sequence[int] = range(COUNT), **asked: Any
    ) -> list[LogUnit]:
        config = Config(rectangles=False)
        wanted = replace(Asked(Sources(), config, CheckConfig(), tmp_path / "out"), **asked)
        return [kind(f"drive{number}", "folder", drives, False, wanted) for number in names]

    return made


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., int]:
    """Works on units as the command does, and gives the exit code."""

    def batch(units: Sequence[Any], workers: int = 2, cluster: str | None = None) -> int:
        return Batch(units, tmp_path / "out", workers, cluster, as_json=False).run()

    return batch
