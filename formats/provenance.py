"""Who made a box, how sure it is of it and who confirmed it, as a few keys of JSON beside the box."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from formats.errors import FormatError
from formats.extras import read_score, read_source
from formats.fields import Field
from fusion.labels import Annotation, Json, LabelSet


def provenance(annotation: Annotation) -> dict[str, Json]:
    """The source always; the score and the lock where there are such."""
    said: dict[str, Json] = {"source": str(annotation.source)}
    said |= {} if annotation.score is None else {"score": annotation.score}
    return said | ({"locked": True} if annotation.locked else {})


def with_provenance(annotation: Annotation, said: Field) -> Annotation:
    """The annotation with what `provenance` gave.

    Raises:
        FormatError: something else.
    """
    locked = said.get("locked")
    return replace(
        annotation, source=read_source(said), score=read_score(said), locked=bool(locked and locked.flag())
    )


def spread(attributes: Any, taken: frozenset[str]) -> tuple[dict[str, Json], dict[str, Json]]:
    """Attributes that may stand under their own names, and those whose names mean something else there."""
    free = {key: value for key, value in attributes.items() if key not in taken}
    return free, {key: value for key, value in attributes.items() if key in taken}


def require_near(path: Path, labels: LabelSet, farthest_m: float) -> None:
    """Raises FormatError where a box is further away than its reader would believe."""
    for track in labels.tracks.values():
        for annotation in track.annotations.values():
            if np.abs(annotation.box.center).max() > farthest_m:
                where = f"track {track.id!r} at {annotation.timestamp_ns} ns"
                raise FormatError(path, where, f"a box more than {farthest_m:g} m away cannot be")
