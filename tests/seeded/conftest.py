"""A short simulated drive, surveyed once."""

import pytest

from fusion.labels import LabelSet
from fusion.log import DriveLog
from fusion.seeded import Survey
from fusion.simulate import SimulationConfig, simulate
from tests.in_memory import in_memory

Drive = tuple[DriveLog, LabelSet]


@pytest.fixture(scope="session")
def drive() -> Drive:
    log, truth = simulate(
        SimulationConfig(
            seed=21, seconds=2.5, rings=32, azimuth_steps=500, cameras=2, image_size_px=(192, 108)
        )
    )
    return in_memory(log), truth


@pytest.fixture(scope="session")
def survey(drive: Drive) -> Survey:
    return Survey.of(*drive)
