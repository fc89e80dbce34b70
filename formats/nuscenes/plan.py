"""Which readings of a log a nuScenes data set holds, and which of them are key frames of which sample."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from calib.types import I64
from formats.nuscenes.log import FileRef, beside_of
from formats.nuscenes.sensors import MAIN_LIDAR, channels_of, free_channel
from formats.nuscenes.tokens import microseconds, token_of
from fusion.beam import view_offset_ns
from fusion.errors import TimeRangeError
from fusion.log import DriveLog, ImageRef, SweepRef

NEAR_NS = 100_000_000


@dataclass(frozen=True, slots=True)
class Reading:
    """One row of sample_data.

    Attributes:
        token: its token.
        timestamp_ns: its instant.
        sample: index of the sample it belongs to.
        is_key_frame: whether it is the sample's reading of this sensor.
        ref: what can be read; None for a frame whose sweep the log has not.
    """

    token: str
    timestamp_ns: int
    sample: int
    is_key_frame: bool
    ref: SweepRef | ImageRef | FileRef | None


@dataclass(frozen=True, slots=True)
class Channel:
    """All readings of one sensor, in order of time."""

    modality: str
    sensor: str
    name: str
    readings: tuple[Reading, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Plan:
    """What is written of a log.

    Attributes:
        samples_ns: (S,) instants of the annotated key frames.
        sample_tokens: their tokens.
        channels: LIDAR_TOP first, then the sensors in the order of the rig, then those that it has not.
    """

    samples_ns: I64
    sample_tokens: tuple[str, ...]
    channels: tuple[Channel, ...]

    def images(self) -> dict[int, list[ImageRef]]:
        """The key-frame images of all cameras, by index of their sample."""
        found: dict[int, list[ImageRef]] = {}
        for channel in self.channels:
            for reading in channel.readings:
                if reading.is_key_frame and isinstance(reading.ref, ImageRef):
                    found.setdefault(reading.sample, []).append(reading.ref)
        return found


def plan_of(log: DriveLog, keyframe_every: int = 1, keyframes_ns: Collection[int] | None = None) -> Plan:
    """Lays out a log: every n-th frame is a sample, or those that are named; the rest lies between them.

    A camera's key frame is the image nearest to when the LiDAR's beam passes its view, each image serving
    one sample at most.
    What was measured outside of the trajectory is left out, as it has no place in the world.

    Raises:
        TimeRangeError: no frame at all lies within the trajectory.
    """
    frames_ns = [int(t) for t in log.timestamps_ns if log.trajectory.covers(int(t))]
    chosen_ns = frames_ns if keyframes_ns is None else [t for t in frames_ns if t in keyframes_ns]
    if not chosen_ns:
        raise TimeRangeError(f"log {log.name!r} has no frame within its trajectory: nothing can be a sample")
    samples_ns = np.array(chosen_ns[::keyframe_every], dtype=np.int64)
    channels = [_main_channel(log, frames_ns, samples_ns)]
    names = channels_of(log.rig)
    for (modality, sensor), name in names.items():
        if name != MAIN_LIDAR:
            refs = log.sweeps.get(sensor, ()) if modality == "lidar" else log.images.get(sensor, ())
            offset_ns = 0 if modality == "lidar" else view_offset_ns(log, sensor)
            channels.append(_channel(log, modality, sensor, name, refs, samples_ns, offset_ns))
    beside, taken = beside_of(log), {MAIN_LIDAR, *names.values()}
    for aside in beside.sensors if beside else ():
        kind = re.sub(r"[^A-Z0-9]", "", aside.modality.upper()) or "SENSOR"
        name = free_channel(kind, aside.name, taken)
        taken.add(name)
        channels.append(_channel(log, aside.modality, aside.name, name, aside.readings, samples_ns, 0))
    tokens = tuple(token_of(log.name, "sample", int(t)) for t in samples_ns)
    return Plan(samples_ns, tokens, tuple(channels))


def file_name(log: DriveLog, channel: Channel, reading: Reading, ending: str) -> str:
    """Where a reading's file lies, named as in nuScenes."""
    folder = "samples" if reading.is_key_frame else "sweeps"
    stem = re.sub(r"[^A-Za-z0-9._+-]", "-", log.name).lstrip(".") or "log"
    if stem != log.name:
        stem += "-" + token_of(log.name)[:6]
    micros = microseconds(reading.timestamp_ns)
    return f"{folder}/{channel.name}/{stem}__{channel.name}__{micros}{ending}"


def _main_channel(log: DriveLog, frames_ns: list[int], samples_ns: I64) -> Channel:
    """LIDAR_TOP: the frames, and what sweeps the main LiDAR made beside them."""
    main = log.rig.main_lidar
    sensor = main.name if main else ""
    refs = {
        ref.timestamp_ns: ref for ref in log.sweeps.get(sensor, ()) if log.trajectory.covers(ref.timestamp_ns)
    }
    instants_ns = sorted({*frames_ns, *refs})
    keys = {int(t): index for index, t in enumerate(samples_ns)}
    readings = []
    for instant_ns in instants_ns:
        token = token_of(log.name, MAIN_LIDAR, instant_ns)
        sample = keys.get(instant_ns, _following(samples_ns, instant_ns))
        readings.append(Reading(token, instant_ns, sample, instant_ns in keys, refs.get(instant_ns)))
    return Channel("lidar", sensor, MAIN_LIDAR, tuple(readings))


def _channel(
    log: DriveLog,
    modality: str,
    sensor: str,
    name: str,
    refs: tuple[SweepRef, ...] | tuple[ImageRef, ...] | tuple[FileRef, ...],
    samples_ns: I64,
    offset_ns: int,
) -> Channel:
    covered = [ref for ref in refs if log.trajectory.covers(ref.timestamp_ns)]
    instants_ns = np.array([ref.timestamp_ns for ref in covered], dtype=np.int64)
    keys = _nearest_both_ways(instants_ns, samples_ns + offset_ns)
    readings = []
    for index, ref in enumerate(covered):
        token = token_of(log.name, name, ref.timestamp_ns)
        sample = keys.get(index, _following(samples_ns, ref.timestamp_ns))
        readings.append(Reading(token, ref.timestamp_ns, sample, index in keys, ref))
    return Channel(modality, sensor, name, tuple(readings))


def _following(samples_ns: I64, instant_ns: int) -> int:
    """The sample that follows an instant, as nuScenes has it: boxes are interpolated towards it."""
    return min(int(np.searchsorted(samples_ns, instant_ns)), len(samples_ns) - 1)


def _nearest_both_ways(instants_ns: I64, samples_ns: I64) -> dict[int, int]:
    """Readings that are the nearest to a sample whose nearest reading they are: {reading: sample}."""
    if not len(instants_ns):
        return {}
    of_sample, of_reading = _nearest(instants_ns, samples_ns), _nearest(samples_ns, instants_ns)
    return {
        int(reading): sample
        for sample, reading in enumerate(of_sample)
        if of_reading[reading] == sample and abs(instants_ns[reading] - samples_ns[sample]) <= NEAR_NS
    }


def _nearest(among_ns: I64, wanted_ns: I64) -> I64:
    after = np.clip(np.searchsorted(among_ns, wanted_ns), 1, max(len(among_ns) - 1, 1))
    after = np.minimum(after, len(among_ns) - 1)
    before = np.maximum(after - 1, 0)
    earlier = np.abs(among_ns[before] - wanted_ns) <= np.abs(among_ns[after] - wanted_ns)
    return np.where(earlier, before, after)
