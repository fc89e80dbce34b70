"""Logs and their labels to MCAP files (mcap.dev/spec), stamp by stamp."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple

from foxglove_schemas_protobuf.SceneUpdate_pb2 import SceneUpdate
from mcap.writer import CompressionType
from mcap.writer import Writer as McapWriter
from mcap_protobuf.schema import register_schema

from formats.errors import FormatError
from formats.files import atomic_folder, replaced_file
from formats.mcap import messages
from formats.mcap.beside import attached
from formats.mcap.names import ATTACHMENT, EGO, LABELS, POSE, TF, TF_STATIC, WORLD, Names
from formats.mcap.scene import scene
from formats.names import folder_name, new_place
from formats.recording.decode import LAST_NS
from formats.recording.folder import MCAP
from formats.recording.guess import NONE
from formats.recording.settings import CameraSettings, LidarSettings, RecordingSettings
from fusion.labels import Annotation, LabelSet, Track
from fusion.log import DriveLog, Ref, SweepRef
from fusion.progress import Progress

LIBRARY = "crosslabel"
CHUNK_BYTES, USUAL_NS = 4 << 20, 100_000_000
Kind = tuple[Literal["start", "end"], bool]
EMPTY: Kind = ("start", True)


class Event(NamedTuple):
    """A message that can be made: its instant, its place among those of one instant, and its topic."""

    timestamp_ns: int
    rank: int
    topic: str
    make: Callable[[], Any]


def write(
    path: Path, pairs: Iterable[tuple[DriveLog, LabelSet]], *, progress: Progress | None = None
) -> None:
    """Writes a file a log into a folder that is new or empty.

    Raises:
        FormatError: it cannot be written, a log has no sweeps, or an input file cannot be read.
    """
    with atomic_folder(path) as root:
        for log, labels in pairs:
            file = new_place(root, path, log.name, MCAP)
            if not any(log.sweeps.values()):
                words = "a log without sweeps; a recording needs a LiDAR that sees something"
                raise FormatError(path, log.name, words)
            _require_instants(path, log, labels)
            with file.open("wb") as stream:
                _Recording(path, stream, log, labels).write(progress)


def write_labels(path: Path, log: DriveLog, labels: LabelSet) -> None:
    """Writes the scenes of one log alone into a file, or into one of its name in a folder.

    Raises:
        FormatError: it cannot be written.
    """
    file = path if path.suffix.lower() == MCAP else path / f"{folder_name(path, log.name)}{MCAP}"
    _require_instants(file, log, labels)
    with replaced_file(file) as part, part.open("wb") as stream:
        _Recording(file, stream, replace(log, sweeps={}, images={}), labels).write(labels_alone=True)


def _require_instants(path: Path, log: DriveLog, labels: LabelSet) -> None:
    instants_ns = [log.trajectory.start_ns, log.trajectory.end_ns]
    instants_ns += [ref.timestamp_ns for refs in log.sweeps.values() for ref in (*refs[:1], *refs[-1:])]
    instants_ns += [ref.timestamp_ns for refs in log.images.values() for ref in (*refs[:1], *refs[-1:])]
    instants_ns += [*labels.timestamps_ns(), *log.timestamps_ns.tolist()]
    for odd_ns in (min(instants_ns), max(instants_ns)):
        if not 0 <= odd_ns < LAST_NS:
            raise FormatError(path, log.name, f"a recording has no instant such as {odd_ns} ns")


def _each(topic: str, rank: int, refs: tuple[Ref, ...], make: Callable[[Ref], Any]) -> Iterator[Event]:
    for ref in refs:
        yield Event(ref.timestamp_ns, rank, topic, partial(make, ref))


@contextmanager
def _writable(path: Path, where: str) -> Iterator[None]:
    try:
        yield
    except UnicodeError as error:
        raise FormatError(path, where, f"not a text that can be written: {error}") from None


class _Recording:
    """One log on its way into a file."""

    def __init__(self, path: Path, stream: IO[bytes], log: DriveLog, labels: LabelSet) -> None:
        self.path, self.log, self.labels = path, log, labels
        self.names = Names.of(log.rig)
        # What lies open is read by its index alone; images are packed already.
        self.file = McapWriter(stream, chunk_size=CHUNK_BYTES, compression=CompressionType.NONE)
        self.schemas: dict[str, int] = {}
        self.channels: dict[str, int] = {}
        self.kinds: dict[str, Kind] = {}
        self.by_time: dict[int, list[tuple[Track, Annotation]]] = {}
        for track in labels.tracks.values():
            for timestamp_ns, annotation in track.annotations.items():
                self.by_time.setdefault(timestamp_ns, []).append((track, annotation))

    def write(self, progress: Progress | None = None, labels_alone: bool = False) -> None:
        """Everything, in order of time; or what is claimed alone."""
        self.file.start(profile="", library=LIBRARY)
        self._channel(LABELS, SceneUpdate)
        measured = [] if labels_alone else [self._poses(), *self._sweeps(), *self._images()]
        streams = [self._scenes(), *measured]
        total = 2 * len(self.log.trajectory.timestamps_ns) + len(self._instants_ns())
        total += sum(
            len(refs) for by_sensor in (self.log.sweeps, self.log.images) for refs in by_sensor.values()
        )
        first_ns = 0
        for done, event in enumerate(heapq.merge(*streams, key=lambda event: event[:2]), start=1):
            if done == 1:
                first_ns = event.timestamp_ns
                for fixed in () if labels_alone else self._what_stays(first_ns):
                    self._put(fixed)
            self._put(event)
            if progress is not None:
                progress(self.log.name, done, total)
        with _writable(self.path, ATTACHMENT):
            content = attached(self.path, self.log, self.labels, self._settings())
        self.file.add_attachment(first_ns, first_ns, ATTACHMENT, "application/json", content)
        self.file.finish()  # type: ignore[no-untyped-call]

    def _put(self, event: Event) -> None:
        with _writable(self.path, f"{event.topic} at {event.timestamp_ns} ns"):
            message = event.make()
            channel = self._channel(event.topic, type(message))
            content = message.SerializeToString(deterministic=True)
            self.file.add_message(channel, event.timestamp_ns, content, event.timestamp_ns)

    def _channel(self, topic: str, kind: Any) -> int:
        name = kind.DESCRIPTOR.full_name
        if topic not in self.channels:
            if name not in self.schemas:
                self.schemas[name] = register_schema(self.file, kind)
            self.channels[topic] = self.file.register_channel(topic, "protobuf", self.schemas[name])
        return self.channels[topic]

    def _what_stays(self, first_ns: int) -> Iterator[Event]:
        rig, names = self.log.rig, self.names
        placed = {names.lidars[name]: lidar.ego_from_sensor for name, lidar in rig.lidars.items()}
        placed |= {names.cameras[name]: camera.ego_from_sensor for name, camera in rig.cameras.items()}
        yield Event(first_ns, 0, TF_STATIC, partial(messages.sensor_transforms, first_ns, placed))
        for name, camera in rig.cameras.items():
            if messages.lens(camera.model) is not None:
                make = partial(messages.calibration, first_ns, names.cameras[name], camera.model)
                yield Event(first_ns, 0, names.calibration(name), make)

    def _poses(self) -> Iterator[Event]:
        way = self.log.trajectory
        for t, world_from_ego in zip(way.timestamps_ns.tolist(), way.world_from_ego, strict=True):
            yield Event(t, 1, TF, partial(messages.ego_transform, t, world_from_ego))
            yield Event(t, 1, POSE, partial(messages.ego_pose, t, world_from_ego))

    def _sweeps(self) -> Iterator[Iterator[Event]]:
        for name, refs in self.log.sweeps.items():
            yield _each(self.names.points(name), 2, refs, self._cloud)

    def _cloud(self, ref: SweepRef) -> Any:
        sweep = ref.read()
        kind = sweep.stamps, sweep.deskewed
        if len(sweep) and self.kinds.setdefault(ref.lidar, kind) != kind:
            where = f"{ref.lidar} at {ref.timestamp_ns} ns"
            raise FormatError(self.path, where, "stamped or deskewed unlike the sweeps before it")
        return messages.cloud(sweep, self.names.lidars[ref.lidar])

    def _images(self) -> Iterator[Iterator[Event]]:
        for name, refs in self.log.images.items():
            model = self.log.rig.cameras[name].model
            make = partial(messages.image, frame=self.names.cameras[name], model=model)
            yield _each(self.names.image(name), 3, refs, make)

    def _instants_ns(self) -> list[int]:
        return sorted({*self.log.timestamps_ns.tolist(), *self.by_time})

    def _scenes(self) -> Iterator[Event]:
        """A frame without objects says so. The last one lasts as long as the one before it."""
        instants_ns = self._instants_ns()
        lasting_ns = [later - t for t, later in pairwise(instants_ns)]
        lasting_ns.append(lasting_ns[-1] if lasting_ns else USUAL_NS)
        for t, lasts_ns in zip(instants_ns, lasting_ns, strict=False):
            here = self.by_time.get(t, [])
            yield Event(t, 4, LABELS, partial(scene, self.path, lasts_ns, here))

    def _settings(self) -> RecordingSettings:
        """Where the reader of recordings finds what, so that it need not guess."""
        names, log = self.names, self.log
        lidars = {
            name: LidarSettings(
                topic=names.points(name),
                frame=names.lidars[name],
                stamps=self.kinds.get(name, EMPTY)[0],
                time_field=messages.TIME_FIELD,
                time_unit="ns",
                time_clock=False,
                deskewed=self.kinds.get(name, EMPTY)[1],
            )
            for name in log.rig.lidars
            if log.sweeps.get(name)
        }
        cameras = {
            name: CameraSettings(
                topic=names.image(name),
                info_topic=names.calibration(name) if messages.lens(log.rig.cameras[name].model) else NONE,
                frame=names.cameras[name],
                rectified=False,
            )
            for name in log.rig.cameras
            if log.images.get(name)
        }
        return RecordingSettings(
            world_frame=WORLD, ego_frame=EGO, lidars=lidars, cameras=cameras, trajectory=POSE
        )
