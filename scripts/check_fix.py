"""`crosslabel check --fix`: repairs that are sure, in the labels themselves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fusion.checks import Finding
    from fusion.log import DriveLog

SURE = 0.9
AUTHOR = "crosslabel check"


def repair(labels: Path | None, log: DriveLog, findings: Sequence[Finding]) -> None:
    """Applies the fixes of sure findings to the labels.db of a log, at most one a track; each can be undone.

    Raises:
        FormatError: the labels lie in no labels.db.
    """
    from formats.errors import FormatError
    from formats.labels_db import files_by_log, recognises
    from fusion.errors import EditError
    from fusion.store import LabelStore
    from scripts.console import note

    if labels is None or not recognises(labels):
        raise FormatError(
            labels or Path("--labels"), "", "only a labels.db can be repaired: name one with --labels"
        )
    touched: set[str | None] = set()
    done = 0
    with LabelStore.open(files_by_log(labels)[log.name]) as store:
        for one in findings:
            tracks = {one.track_id, one.other_id} - {None}
            if one.fix is None or one.chance < SURE or touched & tracks:
                continue
            try:
                store.apply(one.fix, AUTHOR, automatic=True)
            except EditError as error:
                note(f"{log.name}: {one.rule} of {one.track_id} was not repaired: {error}")
                continue
            touched |= tracks
            done += 1
    note(f"{log.name}: {done} findings repaired; undo them one by one in the viewer")
