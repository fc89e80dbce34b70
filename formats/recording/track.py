"""The trajectory that the settings of a recording ask for."""

from __future__ import annotations

from pathlib import Path

from calib.se3 import SE3
from formats.errors import FormatError
from formats.recording.decode import Role, frame_of
from formats.recording.guess import NONE, topic_of
from formats.recording.settings import FROM_TRANSFORMS, STANDING, RecordingSettings
from formats.recording.survey import Survey
from formats.recording.ways import fix_row, from_fixes, from_poses, pose_row, turn_row
from fusion.trajectory import Trajectory


def trajectory_of(found: Survey, settings: RecordingSettings, source: Path) -> Trajectory | None:
    """Where the car was; None for one that stands.

    Raises:
        FormatError: what the settings name does not tell.
    """
    asked, ego = settings.trajectory or STANDING, settings.ego_frame or ""
    if asked == STANDING:
        return None
    if asked == FROM_TRANSFORMS:
        trajectory = found.frames.moving(settings.world_frame or "", ego)
        if trajectory is None:
            why = f"no transforms tell how {ego!r} moves in {settings.world_frame!r}"
            raise FormatError(source, "trajectory", why)
        return trajectory
    topic = topic_of(found, asked, (Role.WAY, Role.FIX), source, "trajectory")
    if asked in found.topics(Role.WAY):
        body = str(getattr(found.first(asked), "child_frame_id", "")).lstrip("/")
        body_from_ego = _fixed(found, body, ego)
        return from_poses(found.contents.path, topic.name, found.rows(asked, pose_row), body_from_ego)
    heading = settings.heading or NONE
    turns = []
    imu_from_ego = SE3.identity()
    if heading != NONE:
        topic_of(found, heading, (Role.IMU,), source, "heading")
        turns = [*found.rows(heading, turn_row)]
        imu_from_ego = _fixed(found, _frame(found, heading), ego)
    return from_fixes(
        found.contents.path,
        topic.name,
        found.rows(asked, fix_row),
        turns,
        _fixed(found, ego, _frame(found, asked)),
        imu_from_ego,
    )


def _frame(found: Survey, topic: str) -> str:
    message = found.first(topic)
    return "" if message is None else frame_of(message)


def _fixed(found: Survey, dst: str, src: str) -> SE3:
    """Returns dst_from_src; the identity where nothing tells."""
    dst_from_src = found.frames.fixed(dst, src)
    return SE3.identity() if dst_from_src is None else dst_from_src
