"""From a log and its labels to a desk."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from fusion.log import DriveLog
from fusion.store import LabelStore
from viewer.cache import FrameCache
from viewer.desk import Desk
from viewer.schema import Schema
from viewer.session import Session
from viewer.tools import choose


def desk_of(
    log: DriveLog,
    store: LabelStore,
    schema: Path | None = None,
    frame: int = 0,
    cache: FrameCache | None = None,
) -> Desk:
    """A desk with a log and the labels to work on.

    Raises:
        CrosslabelError: the schema cannot be read.
    """
    known = Schema.of(store.labels) if schema is None else Schema.read(schema)
    session = Session(log, store)
    session.go_to(frame)
    return Desk(session, cache or FrameCache(log), known, choose)


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
