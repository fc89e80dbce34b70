"""What is not said of a recording, guessed from its topics: settings that say everything."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from calib.rig import Rig
from formats.errors import FormatError
from formats.recording import video
from formats.recording.channels import Topic
from formats.recording.decode import Role, frame_of, stamp_ns
from formats.recording.layout import layout_of
from formats.recording.names import camera_of, chosen_images, is_rectified, sensor_names
from formats.recording.pictures import why_not
from formats.recording.settings import (
    FROM_TRANSFORMS,
    STANDING,
    CameraSettings,
    LidarSettings,
    RecordingSettings,
)
from formats.recording.survey import Survey
from formats.recording.times import Column, TimeRule, guessed_rule, guessed_stamps, guessed_unit

EGO_NAMES = ("base_link", "ego_vehicle", "ego", "vehicle", "car", "base_footprint", "rear_axle", "body")
WORLD_NAMES = ("map", "odom", "world", "local_map", "local", "enu", "utm")
NONE = "none"


@dataclass(slots=True)
class Guess:
    """Settings that say everything.

    Attributes:
        settings: with every sensor, frame and topic named.
        notes: what was left out, and why.
        fields: names of fields that the clouds of a LiDAR have.
    """

    settings: RecordingSettings
    notes: list[str] = field(default_factory=list)


def guess(survey: Survey, said: RecordingSettings, source: Path, given: Rig) -> Guess:
    """Fills in what the settings leave out.

    Args:
        survey: of the recording.
        said: settings as they are.
        source: the file that says them.
        given: sensors of the rig file, whose places and lenses need not be in the recording.

    Raises:
        FormatError: the settings name a topic that there is not; or nothing that can be a LiDAR is there.
    """
    notes: list[str] = []
    lidars = _lidars(survey, said, source, notes)
    if not lidars:
        held = ", ".join(sorted({topic.coding.type for topic in survey.contents.topics.values()}))
        why = f"holds no clouds of points that are read; its topics are of {held[:200] or 'nothing'}"
        raise FormatError(survey.contents.path, "", "; ".join([why, *notes[:2]]))
    ego = said.ego_frame or _ego(survey, lidars)
    world = said.world_frame or _world(survey, ego)
    if said.lidars is None:
        lidars = _placed(survey, ego, lidars, given, notes)
        if not lidars:
            raise FormatError(survey.contents.path, "", f"no LiDAR can be placed: {'; '.join(notes)[:300]}")
    settings = said.model_copy(
        update={
            "ego_frame": ego,
            "world_frame": world,
            "lidars": lidars,
            "cameras": _cameras(survey, said, source, ego, given, notes),
            "trajectory": said.trajectory or _way(survey, world, ego),
        }
    )
    if settings.trajectory in survey.topics(Role.FIX) and settings.heading is None:
        imus = survey.topics(Role.IMU)
        best = max(imus, key=lambda name: imus[name].count, default=None)
        settings = settings.model_copy(update={"heading": best or NONE})
    return Guess(settings, notes)


def topic_of(survey: Survey, name: str, roles: tuple[Role, ...], source: Path, where: str) -> Topic:
    """The topic that settings name.

    Raises:
        FormatError: there is none of this name and role that holds messages.
    """
    fitting = {key: topic for role in roles for key, topic in survey.topics(role).items()}
    if name not in fitting:
        known = ", ".join(sorted(fitting)) or "none"
        why = f"the recording has no topic {name!r} of {roles[0].value}, but {known[:300]}"
        raise FormatError(source, where, why)
    return fitting[name]


def _lidars(
    survey: Survey, said: RecordingSettings, source: Path, notes: list[str]
) -> dict[str, LidarSettings]:
    """Those that are said, or all there are; the one with the most points comes first."""
    if said.lidars is not None:
        for name, one in said.lidars.items():
            topic_of(survey, one.topic, (Role.CLOUD,), source, f"lidars.{name}.topic")
        return {name: _timed(survey, one) for name, one in said.lidars.items()}
    sizes = {}
    for topic in survey.topics(Role.CLOUD):
        columns = _columns(survey, topic)
        if {"x", "y", "z"} <= columns.keys() and topic in survey.stamped:
            sizes[topic] = len(columns["x"])
        else:
            notes.append(f"{topic}: no cloud of points that can be read")
    often = {topic: size for topic, size in sizes.items() if survey.contents.topics[topic].count > 1}
    notes += [f"{topic}: a single cloud" for topic in sizes if often and topic not in often]
    names = sensor_names(sorted(often or sizes), "lidar")
    ordered = sorted(names, key=lambda topic: (-sizes[topic], topic))
    return {names[topic]: _timed(survey, LidarSettings(topic=topic)) for topic in ordered}


def _columns(survey: Survey, topic: str) -> dict[str, Column]:
    """Fields of the first cloud that has points."""
    path = survey.contents.path

    def fits(message: Any) -> bool:
        try:
            return len(layout_of(message, path, topic)) > 0
        except FormatError:
            return False

    message = survey.first(topic, fits)
    if message is None:
        return {}
    layout = layout_of(message, path, topic)
    return {name: layout.column(name).reshape(-1) for name in layout.fields}


def _timed(survey: Survey, said: LidarSettings) -> LidarSettings:
    """With its frame, what its stamp is, and where the times of its points are."""
    columns = _columns(survey, said.topic)
    if not columns:
        return said.model_copy(update={"stamps": said.stamps or "start"})
    message = survey.first(said.topic)
    rule = _rule(said, columns)
    update: dict[str, Any] = {"frame": said.frame or frame_of(message), "stamps": said.stamps or "start"}
    if rule is None:
        return said.model_copy(update={**update, "time_field": NONE})
    if said.stamps is None:
        update["stamps"] = guessed_stamps(columns[rule.field], rule, stamp_ns(message))
    times = {"time_field": rule.field, "time_unit": rule.unit, "time_clock": rule.clock}
    return said.model_copy(update={**update, **times})


def _rule(said: LidarSettings, columns: dict[str, Column]) -> TimeRule | None:
    if said.time_field is None:
        rule = guessed_rule(columns)
    elif said.time_field not in columns:
        rule = None
    else:
        unit = guessed_unit(columns[said.time_field]) or ("s", False)
        rule = TimeRule(said.time_field, *unit)
    if rule is None:
        return None
    clock = rule.clock if said.time_clock is None else said.time_clock
    return TimeRule(rule.field, said.time_unit or rule.unit, clock)


def _ego(survey: Survey, lidars: dict[str, LidarSettings]) -> str:
    """A frame of a usual name that a LiDAR is fixed to, or else the highest that the main one is."""
    mounts = [one.frame for one in lidars.values() if one.frame]
    bodies = [
        str(message.child_frame_id).lstrip("/")
        for topic in survey.topics(Role.WAY)
        if (message := survey.first(topic)) is not None and hasattr(message, "child_frame_id")
    ]
    for ego in (*EGO_NAMES, *bodies):
        if any(ego and survey.frames.fixed(ego, mount) is not None for mount in mounts):
            return ego
    return survey.frames.fixed_top(mounts[0]) if mounts else EGO_NAMES[0]


def _world(survey: Survey, ego: str) -> str | None:
    """A frame of a usual name that the car moves in, or else the highest of them."""
    for world in (*WORLD_NAMES, survey.frames.top(ego)):
        if survey.frames.moving(world, ego) is not None:
            return world
    return None


def _way(survey: Survey, world: str | None, ego: str) -> str:
    if world is not None and survey.frames.moving(world, ego) is not None:
        return FROM_TRANSFORMS
    for role in (Role.WAY, Role.FIX):
        topics = {name: topic for name, topic in survey.topics(role).items() if topic.count > 1}
        if topics:
            return max(sorted(topics), key=lambda name: topics[name].count)
    return STANDING


def _placed(
    survey: Survey, ego: str, lidars: dict[str, LidarSettings], given: Rig, notes: list[str]
) -> dict[str, LidarSettings]:
    """Those whose place on the car is known."""
    placed = {}
    for name, one in lidars.items():
        why = why_unplaced(survey, ego, one.frame or "")
        if why and name not in given.lidars:
            notes.append(f"{one.topic}: {why}")
        else:
            placed[name] = one
    return placed


def why_unplaced(survey: Survey, ego: str, frame: str) -> str:
    """Why it is not known where a sensor sits; empty where it is."""
    if survey.frames.fixed(ego, frame) is not None:
        return ""
    if survey.frames.way(ego, frame, still=False) is not None:
        return f"its frame {frame!r} moves against {ego!r}"
    return f"no transform connects its frame {frame!r} with {ego!r}"


def _cameras(
    survey: Survey, said: RecordingSettings, source: Path, ego: str, given: Rig, notes: list[str]
) -> dict[str, CameraSettings]:
    if said.cameras is not None:
        for name, one in said.cameras.items():
            topic_of(survey, one.topic, (Role.IMAGE,), source, f"cameras.{name}.topic")
            if one.info_topic not in (None, NONE):
                topic_of(survey, one.info_topic or "", (Role.INFO,), source, f"cameras.{name}.info_topic")
        return {name: _described(survey, one) for name, one in said.cameras.items()}
    readable = {}
    for name, topic in survey.topics(Role.IMAGE).items():
        message = survey.first(name)
        why = "no image that can be read" if message is None else why_not(message)
        if message is not None and topic.coding.type in video.TYPES:
            why = video.why_unread(str(message.format).lower())
        if why:
            notes.append(f"{name}: {why}")
        else:
            readable[name] = topic.count
    names = sensor_names(chosen_images(readable, readable), "camera")
    found = {}
    for chosen, name in names.items():
        one = _described(survey, CameraSettings(topic=chosen))
        why = "" if one.info_topic != NONE else "no camera info goes with it"
        why = why or why_unplaced(survey, ego, one.frame or "")
        if why and name not in given.cameras:
            notes.append(f"{chosen}: {why}")
        else:
            found[name] = one
    return found


def _described(survey: Survey, said: CameraSettings) -> CameraSettings:
    """With its camera info and frame."""
    message = survey.first(said.topic)
    frame = said.frame or ("" if message is None else frame_of(message))
    info_topic = said.info_topic or _info_topic(survey, said.topic, frame)
    if not frame and info_topic in survey.contents.topics:
        info = survey.first(info_topic)
        frame = "" if info is None else frame_of(info)
    rectified = is_rectified(said.topic) if said.rectified is None else said.rectified
    return said.model_copy(update={"info_topic": info_topic, "frame": frame, "rectified": rectified})


def _info_topic(survey: Survey, topic: str, frame: str) -> str:
    """In the name space of the camera, or of its frame; "none" where there is not exactly one."""
    infos = {name: survey.first(name) for name in survey.topics(Role.INFO)}
    infos = {name: message for name, message in infos.items() if message is not None}
    space = camera_of(topic)
    for fitting in (
        [name for name in infos if name in (f"{space}/camera_info", f"{space}/calibration")],
        [name for name in infos if name in (f"{topic}/camera_info", f"{topic}/calibration")],
        [name for name in infos if frame and frame_of(infos[name]) == frame],
        [name for name in infos if space and name.rpartition("/")[0] == space],
    ):
        if len(fitting) == 1:
            return fitting[0]
    return NONE
