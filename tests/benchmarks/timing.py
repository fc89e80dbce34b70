"""What it costs not to use every reading at its own instant.

`python -m tests.benchmarks.timing` measures and writes docs/timing.md.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from calib import SE3, Camera, Lidar, Pinhole, Rig, SE3Batch
from calib.shutter import CameraMotion
from fusion import DriveLog, ImageRef, Sweep, Trajectory
from fusion.align import cloud_in_image
from fusion.simulate import Drive, SimulationConfig
from fusion.simulate.scan import scan
from fusion.simulate.truth import sightings

REPOSITORY = Path(__file__).parents[2]
ARGOVERSE = REPOSITORY.parent / "shared" / "data" / "argoverse2"
CLOCKS = "<!-- measured by tests.benchmarks.clocks -->"
DELAYS_MS, READOUTS_MS = (5, 25, 50), (10, 20, 30)
CHECKED = 60


@dataclass
class Case:
    """A car in motion that has just measured a cloud of things that stand still.

    Attributes:
        name: of the row.
        trajectory: of the car.
        lidar: in its place.
        camera: in its place, with a global shutter.
        sweep: raw, its points without noise.
        image_ns: when the camera looks.
    """

    name: str
    trajectory: Trajectory
    lidar: Lidar
    camera: Camera
    sweep: Sweep
    image_ns: int

    def places_world(self):
        """(N, 3) the exact places of the points."""
        instants_ns = self.sweep.timestamp_ns + self.sweep.offset_ns.astype(np.int64)
        lidars = self.trajectory.at_many(instants_ns) @ self.lidar.ego_from_sensor
        return lidars @ self.sweep.points.astype(np.float64)

    def seen(self, instant_ns, places_world):
        cam_from_world = (self.trajectory.at(instant_ns) @ self.camera.ego_from_sensor).inverse()
        return self.camera.model.project(cam_from_world @ places_world)

    def cost_px(self, places_world, other) -> float:
        """Median distance in the image between where points are and where a shortcut puts them."""
        truth = self.seen(self.image_ns, places_world)
        both = truth.visible & other.visible
        return float(np.median(np.linalg.norm(truth.uv_px[both] - other.uv_px[both], axis=1)))

    def delay_px(self, delay_ms: float) -> float:
        """Ignoring that the car moved between the sweep and the image."""
        places_world = self.places_world()
        return self.cost_px(places_world, self.seen(self.image_ns - round(delay_ms * 1e6), places_world))

    def skew_px(self) -> float:
        """Taking the sweep as if all of it had been measured at its own timestamp."""
        world_from_lidar = self.trajectory.at(self.sweep.timestamp_ns) @ self.lidar.ego_from_sensor
        skewed_world = world_from_lidar @ self.sweep.points.astype(np.float64)
        return self.cost_px(self.places_world(), self.seen(self.image_ns, skewed_world))

    def rolling(self, readout_ms: float) -> tuple[DriveLog, ImageRef]:
        camera = replace(self.camera, readout_ns=round(readout_ms * 1e6))
        frames = np.array([self.sweep.timestamp_ns])
        log = DriveLog(self.name, Rig.of((self.lidar,), (camera,)), self.trajectory, frames)
        return log, ImageRef(camera.name, self.image_ns, lambda: np.zeros((1, 1, 3), np.uint8))

    def shutter_px(self, readout_ms: float) -> float:
        """Taking an image as if all its rows had been exposed at its timestamp."""
        log, image = self.rolling(readout_ms)
        exposed = cloud_in_image(log, self.sweep, image)
        at_once = self.seen(self.image_ns, self.places_world()[exposed.index])
        both = at_once.visible
        return float(np.median(np.linalg.norm(at_once.uv_px[both] - exposed.uv_px[both], axis=1)))

    def residual_px(self, readout_ms: float) -> float:
        """Worst distance from the truth of what our own way says, raw sweep to rolling image."""
        log, image = self.rolling(readout_ms)
        exposed, places_world = cloud_in_image(log, self.sweep, image), self.places_world()
        camera, worst = log.rig.cameras[image.camera], 0.0
        picked = np.random.default_rng(0).choice(len(exposed.index), min(CHECKED, len(exposed.index)), False)
        for k in picked:
            place = places_world[exposed.index[k]]
            found = sightings(camera, self.trajectory, self.image_ns, lambda _, place=place: place)
            worst = max(worst, min(float(np.linalg.norm(s.uv_px - exposed.uv_px[k])) for s in found))
        return worst


def evenly(world_from_ego: SE3, start_ns: int, speed_mps: float, turn_radps: float) -> Trajectory:
    """A car that drives and turns evenly from a place on, as for 0.3 s before."""
    still = Camera("ego", SE3.identity(), Pinhole(1, 1, 0, 0, 2, 2), readout_ns=1_000_000_000)
    motion = CameraMotion.constant_twist(still, SE3.identity(), (speed_mps, 0, 0), (0, 0, turn_radps))
    world_from_egos = world_from_ego @ motion.cams_from_points.inverse()
    times_ns = start_ns + round(motion.first_ns) + round(motion.step_ns) * np.arange(len(world_from_egos))
    return Trajectory(times_ns, world_from_egos)


def simulated() -> list[Case]:
    """The simulated street (seed 101), driven through at the speeds that the table names."""
    config = replace(
        SimulationConfig.demo(),
        seed=101,
        vehicles=0,
        pedestrians=0,
        cyclists=0,
        dropout=False,
        range_noise_m=0.0,
    )
    drive, cases = Drive(replace(config, image_size_px=(1600, 900))), []
    start_ns, (lidar,) = int(drive.timestamps_ns[40]), drive.rig.lidars.values()
    for name, speed_mps, turn_deg in (("straight, 14 m/s", 14.0, 0.0), ("bend, 8 m/s, 26 deg/s", 8.0, 26.0)):
        way = evenly(drive.trajectory.at(start_ns), start_ns, speed_mps, np.radians(turn_deg))
        ego_from_lidar = lidar.ego_from_sensor
        sweep = scan(drive.config, drive.scene, way, lidar.name, ego_from_lidar, start_ns, 0).sweep
        for camera in ("cam_front", "cam_front_left", "cam_back_left"):
            image_ns = drive.exposure_ns(camera, 40)
            sensor = drive.rig.cameras[camera]
            cases.append(Case(f"simulated, {name}: {camera}", way, lidar, sensor, sweep, image_ns))
    return cases


def argoverse() -> list[Case]:
    """A real trajectory and rig; the cloud of the first sweep is taken along to the instants looked at."""
    from pyarrow import feather

    folder = next(path for path in ARGOVERSE.iterdir() if path.is_dir())

    def table(name):
        return {key: np.array(v) for key, v in feather.read_table(folder / name).to_pydict().items()}

    def poses(rows):
        quaternions = np.column_stack([rows[key] for key in ("qw", "qx", "qy", "qz")])
        return SE3Batch.from_quaternions_wxyz(
            quaternions, np.column_stack([rows[key] for key in ("tx_m", "ty_m", "tz_m")])
        )

    ego = table("city_SE3_egovehicle.feather")
    order = np.argsort(ego["timestamp_ns"])
    way = Trajectory(ego["timestamp_ns"][order], poses(ego).take(order))
    mounts, lenses = (
        table("calibration/egovehicle_SE3_sensor.feather"),
        table("calibration/intrinsics.feather"),
    )
    egos_from_sensor = dict(zip(mounts["sensor_name"].tolist(), poses(mounts), strict=True))
    names = lenses["sensor_name"].tolist()
    rows = table(f"sensors/lidar/{sorted((folder / 'sensors/lidar').iterdir())[0].name}")
    points = np.column_stack([rows["x"], rows["y"], rows["z"]]).astype(np.float32)
    times_ns = np.arange(way.start_ns + 10**8, way.end_ns - 3 * 10**8, 10**8)
    before, after = way.at_many(times_ns), way.at_many(times_ns + 10**8)
    speed_mps = np.linalg.norm(after.translations - before.translations, axis=1) / 0.1
    turns = after.yaws_rad - before.yaws_rad
    turn_degps = np.degrees(np.abs((turns + np.pi) % (2 * np.pi) - np.pi)) / 0.1
    cases = []
    for moment in (int(np.argmax(speed_mps)), int(np.argmax(turn_degps))):
        start_ns = int(times_ns[moment])
        offset_ns = rows["offset_ns"].astype(np.int32)
        # The sweep is compensated: measured again from where the car was at each point's own instant.
        egos = way.at_many(start_ns + offset_ns.astype(np.int64))
        raw = egos.inverse() @ (way.at(start_ns) @ points.astype(np.float64))
        sweep = Sweep("up", start_ns, raw.astype(np.float32), offset_ns=offset_ns, deskewed=False)
        said = f"{speed_mps[moment]:.1f} m/s, {turn_degps[moment]:.0f} deg/s"
        for name in ("ring_front_center", "ring_side_left"):
            k = names.index(name)
            numbers = [float(lenses[key][k]) for key in ("fx_px", "fy_px", "cx_px", "cy_px")]
            model = Pinhole(*numbers, int(lenses["width_px"][k]), int(lenses["height_px"][k]))
            camera = Camera(name, egos_from_sensor[name], model)
            lidar = Lidar("up", SE3.identity())
            cases.append(
                Case(f"Argoverse 2, {said}: {name}", way, lidar, camera, sweep, start_ns + 50_000_000)
            )
    return cases


def lines() -> list[str]:
    """The table."""
    heads = [
        "drive and camera",
        *[f"{ms} ms of motion" for ms in DELAYS_MS],
        *[f"shutter of {ms} ms" for ms in READOUTS_MS],
        "deskewing",
        "nothing (worst)",
    ]
    found = ["| " + " | ".join(heads) + " |", "|---" + "|--:" * (len(heads) - 1) + "|"]
    for case in simulated() + (argoverse() if ARGOVERSE.is_dir() else []):
        numbers = [*map(case.delay_px, DELAYS_MS), *map(case.shutter_px, READOUTS_MS), case.skew_px()]
        cells = [f"{number:.1f}" for number in numbers] + [f"**{case.residual_px(READOUTS_MS[-1]):.4f}**"]
        found.append(f"| {case.name} | " + " | ".join(cells) + " |")
        print(found[-1], flush=True)
    return found


TEXT = """# Every reading at its own instant

    python -m tests.benchmarks.timing

writes this page: how many pixels points that stand still are off, in the median, when something is
ignored. All columns but the last are the cost of a shortcut; the last is what is left when nothing is
ignored, as the largest error of {checked} points against brute force.

{table}

- **motion**: the sweep is taken as if measured when the image was, though that was 5, 25 or 50 ms later.
- **shutter**: the rows of the image are taken as if all exposed at its timestamp, though they were
  exposed one after the other in 10, 20 or 30 ms. Rows near the middle are hardly off, so the median is
  about half of what the first and the last row are.
- **deskewing**: all points of the sweep are taken as if measured at its timestamp.
- **nothing**: the raw sweep through `fusion.align.cloud_in_image` into an image with a shutter of 30 ms.
  The truth is the trajectory's own pose at each row's instant, which `fusion.simulate.truth` finds by
  Brent's method.

The simulated drives are a street of the simulator (seed 101; no parameter was chosen on it) with even
motion, images of 1600x900; the front cameras open 70 degrees across. The Argoverse 2 rows, where the data
set is at hand, have the real trajectory and calibration of log 7fab2350 where it is fastest and where it
turns most, with the cloud of its first sweep.

## What is meant by the time of an image

The timestamp of an image is the middle of the exposure of its middle row (`calib.rig.Camera`). Row `v` of
`H` is exposed at `timestamp + (v - (H - 1) / 2) / (H - 1) * readout_ns`; columns, where a camera reads
out sideways; reversed, where it reads out upwards or to the left. `Camera.timestamp_of_trigger_ns` is for
data sets that give the instant at which the first row began to be exposed: `trigger + exposure / 2 +
readout / 2`.

A point is seen when its row is exposed, at the instant t that solves `row(project(point, t)) = t`
(`calib.shutter`). It is found by the secant method from the middle of the readout, to 100 ns in two or three
more projections and from there along the line between the last two looks; where the image moves at more than
half the pace of the readout, by regula falsi to 1 ns. All from poses 0.2 ms apart, for every camera model;
Waymo's projection takes at most four Newton steps to 10 us from one pose and its rates. A point that no row
sees is not visible. Several rows may show a point whose image overtakes the readout, less than about half a
metre from a camera at 14 m/s: one of them is given where their number is odd, none where it is even.

## Whether a clock is right

`fusion.clock.estimate_offset` shifts the timestamps of a camera until the edges of the scans lie on the edges
of its images, together with a small turn of the camera. What it says is as sure as its frames agree, and as
the place of the camera is known: one that sits 2 cm further ahead than it says looks, at 10 m/s, like one
whose clock is 2 ms wrong (`place_m`). On simulated drives (seeds from 100 on; `INFLATION` was set on seeds
below), clocks up to 40 ms wrong, mounts turned by 0.15 degrees about each axis and shifted by what the first
column says; `python -m tests.benchmarks.clocks --cache FOLDER --docs docs/timing.md` measures:

{clocks}
"""


def main() -> None:
    """Measures and writes docs/timing.md, all but the table of clocks."""
    target = REPOSITORY / "docs" / "timing.md"
    page = TEXT.format(checked=CHECKED, table="\n".join(lines()), clocks=CLOCKS)
    measured = target.read_text(encoding="utf-8").partition(CLOCKS)[2]
    target.write_text(page.rstrip("\n") + (measured or "\n"), encoding="utf-8")
    sys.stdout.write(f"wrote {target.relative_to(REPOSITORY)}\n")


if __name__ == "__main__":
    main()
