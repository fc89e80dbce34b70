"""How long, how dense and how busy a simulated drive is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from calib.errors import CrosslabelError
from calib.rig import ReadoutDirection

Style = Literal["straight", "curve", "stop"]


@dataclass(frozen=True, slots=True)
class SimulationConfig:
    """Everything that decides a simulated drive: the same values give the same bytes.

    Attributes:
        name: of the log.
        seed: of everything random.
        trip: 0, 1, 2, ...: drives through the same street on other days, in other traffic.
        seconds: length of the drive.
        sweep_hz: revolutions of the LiDAR a second.
        style: a straight street, a bending one, or a straight one with a red light at the crossing.
        ego_speed_mps: speed the car wants to drive at.
        rings: lasers of the LiDAR.
        azimuth_steps: firings a revolution.
        max_range_m: farthest return.
        range_noise_m: standard deviation of a range.
        dropout: whether weak and random returns get lost.
        cameras: how many, 0 to 6.
        image_size_px: width and height.
        fisheye: whether the first camera is a fisheye.
        readout_ms: from the exposure of a camera's first row to that of its last one; 0 for global shutters.
        readout: where the rows or columns are exposed to, one after the other.
        parked: share of the parking bays that is taken.
        moved_parked: share of those parked at trip 0 that are gone at another one; others have come.
        vehicles: moving vehicles beside the car, at most.
        pedestrians: people on foot, at most.
        cyclists: at most.
        street_margin_m: how far the street goes on behind the start and past the end.
        label_range_m: objects nearer than this are labelled.

    Raises:
        CrosslabelError: a value that cannot be.
    """

    name: str = "simulated"
    seed: int = 7
    trip: int = 0
    seconds: float = 8.0
    sweep_hz: float = 10.0
    style: Style = "curve"
    ego_speed_mps: float = 8.0
    rings: int = 64
    azimuth_steps: int = 1200
    max_range_m: float = 120.0
    range_noise_m: float = 0.02
    dropout: bool = True
    cameras: int = 6
    image_size_px: tuple[int, int] = (960, 540)
    fisheye: bool = False
    readout_ms: float = 0.0
    readout: ReadoutDirection = "down"
    parked: float = 0.7
    moved_parked: float = 0.3
    vehicles: int = 14
    pedestrians: int = 26
    cyclists: int = 5
    street_margin_m: float = 110.0
    label_range_m: float = 80.0

    def __post_init__(self) -> None:
        positive = (self.seconds, self.sweep_hz, self.rings, self.azimuth_steps, *self.image_size_px)
        if (
            min(positive) <= 0
            or not 0 <= self.cameras <= 6
            or min(self.ego_speed_mps, self.readout_ms, self.trip) < 0
        ):
            raise CrosslabelError(f"a drive cannot be simulated with these values: {self}")
        if self.style not in ("straight", "curve", "stop"):
            raise CrosslabelError(f"there is no style {self.style!r}; known are straight, curve, stop")

    @classmethod
    def tiny(cls) -> SimulationConfig:
        """Four sparse sweeps and two small cameras: for tests."""
        return cls(
            name="simulated-tiny",
            seconds=0.4,
            rings=32,
            azimuth_steps=400,
            cameras=2,
            image_size_px=(192, 108),
            vehicles=5,
            pedestrians=4,
            cyclists=1,
            street_margin_m=50.0,
        )

    @classmethod
    def demo(cls) -> SimulationConfig:
        """Eight seconds through a bending street with a crossing."""
        return cls(name="simulated-demo")

    @classmethod
    def full(cls) -> SimulationConfig:
        """Twenty seconds with a red light, 120,000 firings a sweep, six cameras."""
        return cls(
            name="simulated-full",
            seconds=20.0,
            style="stop",
            azimuth_steps=1875,
            ego_speed_mps=9.0,
            vehicles=24,
            pedestrians=40,
            cyclists=8,
        )

    @property
    def frames(self) -> int:
        """Number of sweeps."""
        return max(1, round(self.seconds * self.sweep_hz))

    @property
    def period_ns(self) -> int:
        """Time of one revolution."""
        return round(1e9 / self.sweep_hz)
