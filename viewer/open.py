"""From a log and its labels to a desk."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from calib.errors import CrosslabelError
from calib.rig import Lidar, Rig
from fusion.beam import measure_beam
from fusion.log import DriveLog
from fusion.store import LabelStore
from viewer.desk import Desk
from viewer.effort import effort_file
from viewer.frames.cache import FrameCache
from viewer.schema import Schema
from viewer.session import Session
from viewer.tools import choose

TRIES = 3
BEAM_UNKNOWN = (0,)  # one sector, at the timestamp of the sweep


def desk_of(
    log: DriveLog,
    store: LabelStore,
    schema: Path | None = None,
    frame: int = 0,
    cache: FrameCache | None = None,
) -> Desk:
    """A desk with a log and the labels to work on.

    Raises:
        CrosslabelError: the log has no frames, or the schema cannot be read.
    """
    if len(log) == 0:
        raise CrosslabelError(f"{log.name}: there are no frames to look at")
    known = Schema.of(store.labels) if schema is None else Schema.read(schema)
    session = Session(with_beam(log), store)
    session.go_to(frame)
    desk = Desk(session, cache or FrameCache(log), known, choose)
    desk.effort.path = effort_file(store.path)
    return desk


def with_beam(log: DriveLog) -> DriveLog:
    """The same log whose rig says when the beam passes what, so that drawing never reads a sweep for it."""
    lidar = log.rig.main_lidar
    if lidar is None or lidar.beam_offset_ns:
        return log
    known = replace(lidar, beam_offset_ns=_beam(log, lidar) or BEAM_UNKNOWN)
    lidars = {**log.rig.lidars, lidar.name: known}
    return replace(log, rig=Rig.of(tuple(lidars.values()), tuple(log.rig.cameras.values())))


def _beam(log: DriveLog, lidar: Lidar) -> tuple[int, ...]:
    """As measured on the first of the first few sweeps that can be read."""
    for ref in log.sweeps.get(lidar.name, ())[:TRIES]:
        try:
            sweep = ref.read()
        except Exception:  # of whatever kind: the frame itself will say so when it is shown
            continue
        sweep = sweep.keep(np.asarray(np.isfinite(sweep.points).all(axis=1)))
        return measure_beam(sweep, lidar.ego_from_sensor.rotate(sweep.points.astype(np.float64)))
    return ()


def own_file(folder: Path, log_name: str, author: str) -> Path:
    """Where an author's labels of a log are kept; no name leads out of the folder."""
    return folder / _plain(log_name) / f"{_plain(author)}.db"


def screen_problem() -> str | None:
    """Why no window can be opened here, in one line; None where nothing speaks against it."""
    if sys.platform != "linux" or os.environ.get("QT_QPA_PLATFORM"):
        return None
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        return None
    return "there is no screen here: the viewer needs a desktop (or a virtual one, such as xvfb-run)"


def _plain(name: str) -> str:
    """A name for a file or folder, whatever a log or a person is called."""
    return re.sub(r"[^\w.-]", "_", name).lstrip(".")[:80] or "unnamed"
