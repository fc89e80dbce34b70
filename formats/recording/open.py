"""A recording opened as a log."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from calib.rig import Camera, Lidar, Rig
from calib.se3 import SE3
from formats.errors import FormatError
from formats.folder.poses import carried_on, standing_around
from formats.recording import video
from formats.recording.cameras import camera_of
from formats.recording.clouds import CloudRule, read_cloud
from formats.recording.folder import contents_of, recording_at
from formats.recording.guess import NONE, Guess, guess, why_unplaced
from formats.recording.pictures import PictureRule, read_picture
from formats.recording.places import Place
from formats.recording.settings import (
    LidarSettings,
    RecordingSettings,
    as_yaml,
)
from formats.recording.survey import Stamped, Survey, survey
from formats.recording.times import TimeRule
from formats.recording.track import trajectory_of
from formats.rigs.find import find_rig
from fusion.log import DriveLog, ImageRef, MissingFrame, SweepRef
from fusion.trajectory import Trajectory

LONGEST_RUN = 600


def open_log(path: Path, log_id: str) -> DriveLog:
    """Opens a recording; of clouds and images only the first bytes are read, where the file lets them be.

    Sensors whose place or calibration is not known are left out, and the metadata say so.

    Raises:
        FormatError: damaged; the settings name what is not there; no LiDAR; or clocks that do not meet.
    """
    recording, said, source = recording_at(path, log_id)
    return log_of(recording, log_id, said, source, _given(said, source))


def log_of(recording: Path, log_id: str, said: RecordingSettings, source: Path, given: Rig) -> DriveLog:
    """The same of a file or folder whose settings are at hand.

    Args:
        recording: the file or folder.
        log_id: what the log is to be called.
        said: the settings.
        source: what errors in the settings are laid to.
        given: sensors that take the places of those in the recording.

    Raises:
        FormatError: as of `open_log`.
    """
    found = survey(contents_of(recording))
    guessed = guess(found, said, source, given)
    rig = _rig(found, guessed, source, given)
    trajectory = trajectory_of(found, guessed.settings, source)
    lidars, cameras = guessed.settings.lidars or {}, guessed.settings.cameras or {}
    scans = {name: found.stamped.get(one.topic, []) for name, one in lidars.items()}
    shots = {
        name: [(s.stamp_ns + round(one.delay_ms * 1e6), s) for s in found.stamped.get(one.topic, [])]
        for name, one in cameras.items()
        if name in rig.cameras
    }
    if trajectory is None:
        every_ns = [s.stamp_ns for some in scans.values() for s in some]
        every_ns += [t for some in shots.values() for t, _ in some]
        if not every_ns:
            raise FormatError(recording, "", "no cloud in it can be read")
        trajectory = standing_around(min(every_ns), max(every_ns))
    missing: list[MissingFrame] = []
    sweeps = {
        name: tuple(_sweeps(found, name, lidars[name], some, trajectory, missing))
        for name, some in scans.items()
    }
    images = {
        name: tuple(_images(found, rig.cameras[name], cameras[name].topic, some, trajectory, missing))
        for name, some in shots.items()
    }
    main = next(iter(lidars))
    if not sweeps[main]:
        raise FormatError(recording, lidars[main].topic, _why_empty(scans[main], trajectory))
    return DriveLog(
        name=log_id,
        rig=rig,
        trajectory=carried_on(trajectory, trajectory.start_ns, trajectory.end_ns),
        timestamps_ns=np.array(sorted(ref.timestamp_ns for ref in sweeps[main]), dtype=np.int64),
        sweeps=sweeps,
        images=images,
        missing=tuple(missing),
        metadata=_metadata(found, guessed),
    )


def propose(path: Path, log_id: str) -> str:
    """The settings of a recording as YAML, with everything that was guessed, to be changed and put beside it.

    Raises:
        FormatError: as of `open_log`.
    """
    recording, said, source = recording_at(path, log_id)
    found = guess(survey(contents_of(recording)), said, source, _given(said, source))
    left_out = "".join(f"# left out: {note}\n" for note in found.notes)
    return f"# what is said and guessed of {recording.name}\n{left_out}{as_yaml(found.settings)}"


def _metadata(found: Survey, guessed: Guess) -> dict[str, str]:
    told = {
        "format": found.contents.kind,
        "trajectory": str(guessed.settings.trajectory),
        "ego frame": str(guessed.settings.ego_frame),
        "world frame": str(guessed.settings.world_frame or NONE),
        "settings": as_yaml(guessed.settings),
    }
    notes = {"left out": guessed.notes, "damage": found.contents.notes}
    return told | {name: "; ".join(some) for name, some in notes.items() if some}


def _given(said: RecordingSettings, source: Path) -> Rig:
    """The sensors of the rig file that the settings name."""
    return find_rig(source.parent / said.rig) if said.rig else Rig.of()


def _rig(found: Survey, guessed: Guess, source: Path, given: Rig) -> Rig:
    """The sensors where the transforms place them; those of a rig file take their places."""
    settings = guessed.settings
    assert settings.ego_frame is not None
    lidars = []
    for name, one in (settings.lidars or {}).items():
        if name in given.lidars:
            lidars.append(given.lidars[name])
        else:
            lidars.append(Lidar(name, _place(found, settings, one.frame, source, f"lidars.{name}")))
    cameras = []
    for name, shot in (settings.cameras or {}).items():
        if name in given.cameras:
            cameras.append(given.cameras[name])
        elif shot.info_topic in (None, NONE):
            raise FormatError(source, f"cameras.{name}", "neither camera info nor a rig file tells its lens")
        else:
            ego_from_cam = _place(found, settings, shot.frame, source, f"cameras.{name}")
            cameras.append(camera_of(found, name, shot, ego_from_cam))
    return Rig.of(tuple(lidars), tuple(cameras))


def _place(found: Survey, settings: RecordingSettings, frame: str | None, source: Path, where: str) -> SE3:
    """Returns ego_from_sensor."""
    assert settings.ego_frame is not None
    ego_from_sensor = found.frames.fixed(settings.ego_frame, frame or "")
    if ego_from_sensor is None:
        why = why_unplaced(found, settings.ego_frame, frame or "")
        raise FormatError(source, where, f"{why}; a rig file can say where it sits")
    return ego_from_sensor


def _sweeps(
    found: Survey,
    name: str,
    said: LidarSettings,
    scans: list[Stamped],
    trajectory: Trajectory,
    missing: list[MissingFrame],
) -> Iterator[SweepRef]:
    times = None
    if said.time_field not in (None, NONE):
        times = TimeRule(said.time_field or "", said.time_unit or "s", bool(said.time_clock))
    coding = found.contents.topics[said.topic].coding
    rule = CloudRule(name, coding, said.stamps or "start", times, said.deskewed)
    for t, scan in _usable(found, name, said.topic, [(s.stamp_ns, s) for s in scans], trajectory, missing):
        yield SweepRef(name, t, partial(read_cloud, scan.place, rule, t, scan.where))


def _images(
    found: Survey,
    camera: Camera,
    topic: str,
    shots: list[tuple[int, Stamped]],
    trajectory: Trajectory,
    missing: list[MissingFrame],
) -> Iterator[ImageRef]:
    size_px = (camera.model.width_px, camera.model.height_px)
    rule = PictureRule(found.contents.topics[topic].coding, size_px)
    before = _needed([shot for _, shot in shots]) if rule.coding.type in video.TYPES else {}
    for t, shot in _usable(found, camera.name, topic, shots, trajectory, missing):
        if rule.coding.type not in video.TYPES:
            yield ImageRef(camera.name, t, partial(read_picture, shot.place, rule, shot.where))
        elif shot.where in before:
            yield ImageRef(camera.name, t, partial(video.read_frame, before[shot.where], rule, shot.where))
        else:
            missing.append(MissingFrame(camera.name, t, f"{shot.where}: no key frame of the video before it"))


def _needed(shots: list[Stamped]) -> dict[str, tuple[Place, ...]]:
    """By message, those from the last key frame of a video to it; nothing for what has none near enough."""
    needed: dict[str, tuple[Place, ...]] = {}
    run: list[Place] = []
    for shot in shots:
        run = [shot.place] if shot.key else [*run, shot.place] if run else []
        if 0 < len(run) <= LONGEST_RUN:
            needed[shot.where] = tuple(run)
    return needed


def _usable(
    found: Survey,
    sensor: str,
    topic: str,
    timed: list[tuple[int, Stamped]],
    trajectory: Trajectory,
    missing: list[MissingFrame],
) -> Iterator[tuple[int, Stamped]]:
    """Messages of instants that are known and that no other one has; what the rest lacks is noted."""
    missing += [MissingFrame(sensor, t, why) for t, why in found.broken.get(topic, ())]
    seen: set[int] = set()
    for t, message in timed:
        if t in seen:
            missing.append(MissingFrame(sensor, t, f"{message.where}: a second one of this stamp"))
        elif not trajectory.covers(t):
            missing.append(MissingFrame(sensor, t, f"{message.where}: not while the way of the car is known"))
        else:
            yield t, message
        seen.add(t)


def _why_empty(scans: list[Stamped], trajectory: Trajectory) -> str:
    if not scans:
        return "none of its messages can be read"
    early_s = (trajectory.start_ns - scans[0].stamp_ns) / 1e9
    return (
        f"no cloud is of a time at which the way of the car is known: the first is stamped "
        f"{abs(early_s):.3f} s {'before' if early_s > 0 else 'after'} the way begins"
    )
