"""The doctor's walk through a log: its sensors against its data, its clocks, and what surrounds the car."""

from fusion.doctor.examine import examine
from fusion.doctor.shots import read_shots

__all__ = ["examine", "read_shots"]
