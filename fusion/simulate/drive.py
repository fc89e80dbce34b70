"""Putting a simulated drive together."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from threading import Lock

import numpy as np
from numpy.typing import ArrayLike

from calib.rig import Rig
from calib.types import F32, F64, I64, U8, Bools
from fusion.boxes import Box3D
from fusion.labels import Annotation, LabelSet, Source, Track
from fusion.log import DriveLog, ImageRef, SweepRef
from fusion.simulate.actors import Actor, clock
from fusion.simulate.config import SimulationConfig
from fusion.simulate.ego import CAMERAS, LIDAR, LIDAR_PLACE_M, beam_passes_ns, rig, trajectory_along
from fusion.simulate.footprints import Occupancy
from fusion.simulate.furnishing import furnish
from fusion.simulate.mesh import Mesh, merge
from fusion.simulate.population import EGO_LENGTH_M, EGO_WIDTH_M, drive_all, ego_footprint_shift, populate
from fusion.simulate.render import Picture, Shot, pixel_rays, render
from fusion.simulate.scan import Scan, scan
from fusion.simulate.scene import NONE, Scene, Solid
from fusion.simulate.street import Street
from fusion.simulate.traffic import Lights
from fusion.simulate.trips import Outing, random_streams, still_parked
from fusion.simulate.truth import Sighting, sightings
from fusion.sweep import Sweep
from fusion.trajectory import Trajectory

START_NS = 1_700_000_000_000_000_000


@dataclass(eq=False)
class Drive:
    """A simulated world with a car that drives through it; frames are made when they are read.

    Any number of threads may read frames at once.

    Attributes:
        config: all there is to choose.
        street: where.
        rig: the sensors.
        trajectory: world_from_ego.
        actors: all that may be labelled.
    """

    config: SimulationConfig
    street: Street = field(init=False)
    rig: Rig = field(init=False)
    trajectory: Trajectory = field(init=False)
    actors: tuple[Actor, ...] = field(init=False)
    _furniture: Mesh = field(init=False)
    _lock: Lock = field(init=False, repr=False, default_factory=Lock)
    _scene: Scene | None = field(init=False, repr=False, default=None)
    _rays: dict[str, tuple[F32, Bools]] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        config = self.config
        rngs = random_streams(config)
        self.street, self.rig = Street.of(config), rig(config)
        lights, times_ns = Lights.of(config), clock(config.seconds, self.start_ns)
        way, moving = drive_all(self.street, lights, config, rngs[0], times_ns)
        self.trajectory = trajectory_along(way.path, way.at_m, times_ns, rngs[1])
        taken = Occupancy.over(times_ns)
        ego_from_center = ego_footprint_shift()
        world_from_center = self.trajectory.world_from_ego @ ego_from_center
        taken.take(Trajectory(times_ns, world_from_center), EGO_LENGTH_M, EGO_WIDTH_M)
        self._furniture = furnish(self.street, lights, rngs[3], taken)
        parked = None
        if config.trip:
            parked = still_parked(Drive(replace(config, trip=0)).actors, config, rngs[2], times_ns)
        self.actors = tuple(populate(self.street, lights, config, rngs[2], taken, moving, times_ns, parked))

    @property
    def scene(self) -> Scene:
        """The world that rays are cast into."""
        with self._lock:
            if self._scene is None:
                self._scene = self._built_scene()
            return self._scene

    def _built_scene(self) -> Scene:
        meshes, owners = [self._furniture], [np.full(len(self._furniture), NONE, np.int32)]
        for index, actor in enumerate(self.actors):
            if not actor.moving:
                mesh = actor.body.meshes[0]
                world_from_box = actor.world_from_box(actor.trajectory.start_ns)
                meshes.append(mesh.moved(world_from_box))
                owners.append(np.full(len(mesh), index, np.int32))
        return Scene(Solid(merge(meshes)), np.concatenate(owners), self.actors)

    @property
    def start_ns(self) -> int:
        """When the drive begins."""
        return START_NS + Outing.of(self.config).late_ns

    @property
    def timestamps_ns(self) -> I64:
        """(F,) beginnings of the revolutions."""
        return self.start_ns + self.config.period_ns * np.arange(self.config.frames, dtype=np.int64)

    def scan(self, frame: int) -> Scan:
        """One revolution with the actor that each point lies on."""
        ego_from_lidar = self.rig.lidars[LIDAR].ego_from_sensor
        start_ns = int(self.timestamps_ns[frame])
        return scan(self.config, self.scene, self.trajectory, LIDAR, ego_from_lidar, start_ns, frame)

    def exposure_ns(self, camera: str, frame: int) -> int:
        """When a camera fires: as the beam of the LiDAR crosses its axis."""
        yaw_deg = next(row[2] for row in CAMERAS if row[0] == camera)
        azimuth_rad = np.array([np.radians(yaw_deg)])
        return int(self.timestamps_ns[frame]) + int(beam_passes_ns(self.config, azimuth_rad)[0])

    def picture(self, camera: str, frame: int) -> Picture:
        """One image with the actor that each pixel shows."""
        sensor = self.rig.cameras[camera]
        shot = Shot.of(sensor, self.trajectory, self.exposure_ns(camera, frame))
        with self._lock:
            if camera not in self._rays:
                self._rays[camera] = pixel_rays(sensor.model)
            rays = self._rays[camera]
        return render(self.scene, self.street.crossing_m, sensor.model, rays, shot)

    def sightings(
        self, camera: str, frame: int, place: ArrayLike, actor: Actor | None = None
    ) -> list[Sighting]:
        """The exact pixels at which an image shows a (3,) place of the world, or of an actor's box frame."""
        point = np.asarray(place, dtype=np.float64)

        def place_world(timestamp_ns: int) -> F64:
            return point if actor is None else actor.world_from_box(timestamp_ns) @ point

        image_ns = self.exposure_ns(camera, frame)
        return sightings(self.rig.cameras[camera], self.trajectory, image_ns, place_world)

    def _read_sweep(self, frame: int) -> Sweep:
        return self.scan(frame).sweep

    def _read_image(self, camera: str, frame: int) -> U8:
        return self.picture(camera, frame).rgb

    def log(self) -> DriveLog:
        """The log of this drive."""
        times_ns = self.timestamps_ns
        sweeps = tuple(SweepRef(LIDAR, int(t), partial(self._read_sweep, k)) for k, t in enumerate(times_ns))
        images = {
            name: tuple(
                ImageRef(name, self.exposure_ns(name, k), partial(self._read_image, name, k))
                for k in range(len(times_ns))
            )
            for name in self.rig.cameras
        }
        metadata = {"source": "simulated", "style": self.config.style, "seed": str(self.config.seed)}
        return DriveLog(
            self.config.name, self.rig, self.trajectory, times_ns, {LIDAR: sweeps}, images, (), metadata
        )

    def seen_ns(self, actor: Actor) -> I64:
        """(F,) when the beam passes the middle of an actor in each revolution."""
        times_ns = self.timestamps_ns
        ego_from_world = self.trajectory.at_many(times_ns).inverse()
        offsets_ns = np.zeros(len(times_ns), dtype=np.int64)
        for _ in range(4):
            places = ego_from_world @ actor.poses(times_ns + offsets_ns).translations
            ahead_m, left_m = (places - np.array(LIDAR_PLACE_M))[:, :2].T
            offsets_ns = beam_passes_ns(self.config, np.arctan2(left_m, ahead_m))
        return np.asarray(times_ns + offsets_ns)

    def labels(self) -> LabelSet:
        """The truth: every object within the label range at every frame, hidden or not.

        As people draw them, boxes sit on their points: where the object is when the beam passes it.
        """
        times_ns = self.timestamps_ns
        ego_from_world = self.trajectory.at_many(times_ns).inverse()
        tracks = []
        for actor in self.actors:
            world_from_box = actor.poses(self.seen_ns(actor))
            ego_from_box = ego_from_world @ world_from_box
            near = np.hypot(*ego_from_box.translations[:, :2].T) <= self.config.label_range_m
            size = [float(value) for value in actor.body.size_lwh_m]
            annotations = [
                Annotation(int(times_ns[k]), Box3D(ego_from_box[k], *size), Source.IMPORTED)
                for k in np.flatnonzero(near)
            ]
            if annotations:
                tracks.append(Track.of(actor.id, actor.body.category, annotations, {"moving": actor.moving}))
        return LabelSet.of(tracks)


def simulate(config: SimulationConfig | None = None) -> tuple[DriveLog, LabelSet]:
    """A drive through a town, and the truth about everything in it.

    Nothing is cast or rendered before it is read, and the same frame always reads the same. The labels
    hold every object within `label_range_m` at every frame, whether it can be seen or not;
    `visible_only` leaves those that the LiDAR meets.
    """
    drive = Drive(config or SimulationConfig())
    return drive.log(), drive.labels()
