"""What was opened, to be opened again; and the drive that is simulated for those who have none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from fusion.labels import LabelSet
from fusion.log import DriveLog

SIMULATED = Path("simulated drive")
MOST, NEAR_M = 8, 45.0


@dataclass(frozen=True, slots=True)
class Opened:
    """A log that was opened.

    Attributes:
        path: of the log or its data set; `SIMULATED` for the simulated drive.
        log: which one there; empty where there is only one.
    """

    path: Path
    log: str = ""

    def __str__(self) -> str:
        return f"{self.path}\t{self.log}"

    @classmethod
    def read(cls, text: str) -> Opened:
        """From what `str` gives."""
        path, _, log = text.partition("\t")
        return cls(Path(path), log)


def listed(before: Iterable[Opened]) -> list[Opened]:
    """Those that are there still, each once, not too many."""
    there = [one for one in dict.fromkeys(before) if one.path != SIMULATED and one.path.exists()]
    return there[:MOST]


def simulated_drive(seconds: float = 3.0) -> tuple[DriveLog, LabelSet]:
    """A drive that is made while one goes through it, with labels of what is near: nothing is downloaded."""
    from fusion.simulate import SimulationConfig, simulate

    log, truth = simulate(
        SimulationConfig(
            name="simulated", seed=5, seconds=seconds, azimuth_steps=1200, image_size_px=(640, 360),
            label_range_m=NEAR_M,
        )
    )  # fmt: skip
    return log, truth
