"""What several trips told each other, trip by trip, as a machine may read it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from autolabel.trips.alignment import AlignedTrip
from autolabel.trips.looks import Verdict
from autolabel.trips.share import FROM_TRACK, FROM_TRIP, Finding
from calib.types import F64
from fusion.edits import Edit, PutTrack
from fusion.labels import Track
from fusion.log import DriveLog


@dataclass(frozen=True, slots=True)
class Change:
    """Something that does not stand on another trip as it stands on this one.

    Attributes:
        trip: on which it stands.
        track_id: its track there.
        other: the trip on which it does not.
        kind: `gone` where the other is the later one, `new` where it is the earlier, `replaced` where
            something else stands there.
        confidence: 0 to 1.
    """

    trip: str
    track_id: str
    other: str
    kind: str
    confidence: float


def changes(logs: Sequence[DriveLog], findings: Sequence[Finding]) -> tuple[Change, ...]:
    """All changes between trips, whose clocks say which was first; else the order in which they are given."""
    ordered = sorted(range(len(logs)), key=lambda k: (int(logs[k].timestamps_ns[0]), k))
    order = {logs[k].name: place for place, k in enumerate(ordered)}
    return tuple(
        Change(f.trip, f.track_id, f.other, _kind(f, order), f.confidence) for f in findings if f.changed
    )


def _kind(finding: Finding, order: dict[str, int]) -> str:
    if finding.verdict is Verdict.REPLACED:
        return "replaced"
    return "gone" if order[finding.other] > order[finding.trip] else "new"


def carried(edits: Sequence[Edit]) -> Iterator[Track]:
    """The tracks that were carried over from other trips."""
    for edit in edits:
        if isinstance(edit, PutTrack) and FROM_TRIP in edit.track.attributes:
            yield edit.track


def told(
    trip: AlignedTrip, edits: Sequence[Edit], findings: Sequence[Finding], changed: Sequence[Change]
) -> dict[str, object]:
    """How one trip lies on the others, which of its labels came from them, and what is otherwise there."""
    agreed: dict[str, dict[str, str]] = {}
    for finding in findings:
        if finding.trip == trip.log and finding.other_id is not None:
            agreed.setdefault(finding.track_id, {})[finding.other] = finding.other_id
    return {
        "alignment": {
            "words": str(trip),
            "meets": trip.meets,
            "loops": trip.loops,
            "places": len(trip.stations_ns),
            "on_others": int(trip.on_others.sum()),
            "stretches_ns": [list(stretch) for stretch in trip.stretches_ns],
            "moved_m": round(trip.moved_m, 3),
            "residual_m": _median(trip.residuals_m, 4),
            "residual_deg": _median(trip.residuals_deg, 4),
            "agreement": _median(trip.agreement, 3),
        },
        "carried": [
            {
                "track": track.id,
                "category": track.category,
                "from": track.attributes[FROM_TRIP],
                "from_track": track.attributes[FROM_TRACK],
                "boxes": len(track.annotations),
                "score": _median(np.array([a.score for a in track.annotations.values()], np.float64), 3),
            }
            for track in carried(edits)
        ],
        "agreed": [{"track": id, "with": others} for id, others in agreed.items()],
        "changes": [
            {"track": c.track_id, "change": c.kind, "on": c.other, "confidence": round(c.confidence, 3)}
            for c in changed
            if c.trip == trip.log
        ],
    }


def _median(values: F64, digits: int) -> float | None:
    known = values[np.isfinite(values)]
    return round(float(np.median(known)), digits) if len(known) else None
