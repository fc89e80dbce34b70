"""The page of `crosslabel autolabel --trips`: how drives lie on each other, and what they shared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autolabel.trips.pictures import FromAbove
from autolabel.trips.told import carried, changes
from scripts.report import LinePlot, Pair, Paragraph, Part, Picture, Report, Section, Series, Table, Verdict

if TYPE_CHECKING:
    from autolabel import Config
    from autolabel.together import Together
    from autolabel.trips.alignment import AlignedTrip
    from autolabel.trips.told import Change

MOST_ROWS = 400


def page(together: Together, config: Config) -> Report:
    """The whole page."""
    trips = together.alignment.trips
    logs = [proposal.log for proposal in together.proposals]
    above = FromAbove.of(logs, together.alignment, config.trips.align)
    sections = [
        Section("How they lie on each other", _alignment(together, above)),
        Section("What was shared", _shared(together, above)),
    ]
    return Report(f"Trips {', '.join(trip.log for trip in trips)}", _summary(together), sections)


def _summary(together: Together) -> Verdict:
    trips = together.alignment.trips
    met = [trip.log for trip in trips if trip.meets]
    count = sum(len([*carried(proposal.edits)]) for proposal in together.proposals)
    told = f"{count} objects were carried over, {len(_changes(together))} places have changed."
    if not met:
        return Verdict("bad", "No two trips lie on each other: each was labelled alone.")
    if len(met) == len(trips):
        return Verdict("good", f"All {len(trips)} trips lie on each other. {told}")
    alone = ", ".join(trip.log for trip in trips if not trip.meets)
    return Verdict("warning", f"{len(met)} of {len(trips)} trips lie on each other. {told} Alone: {alone}.")


def _alignment(together: Together, above: FromAbove) -> list[Part]:
    trips = together.alignment.trips
    header = ("trip", "places", "on others", "moved m", "scans lie within cm", "degrees", "% agree")
    parts: list[Part] = [Table(header, [_row(trip) for trip in trips])]
    if any(trip.meets for trip in trips):
        before = Picture(
            above.trips(found=False), "As given: what stands around each trip in a colour.", False
        )
        after = Picture(above.trips(found=True), "Laid on each other: where trips agree colours mix.", False)
        parts.append(Pair(before, after))
    measured = [trip for trip in trips if np.isfinite(trip.residuals_m).any()]
    if measured:
        caption = "How far each scan lies from where the corrected trajectory puts it."
        parts.append(LinePlot(caption, "seconds", "cm", [_residuals(trip) for trip in measured]))
    return parts


def _row(trip: AlignedTrip) -> tuple[str | int | float, ...]:
    if not trip.meets:
        return trip.log, len(trip.stations_ns), "meets none", "", "", "", ""
    count = int(trip.on_others.sum())
    if not np.isfinite(trip.residuals_m).any():
        return trip.log, len(trip.stations_ns), count, "the others are laid on it", "", "", ""
    off_cm = round(100 * float(np.nanmedian(trip.residuals_m)), 2)
    agree = round(100 * float(np.nanmedian(trip.agreement)))
    figures = trip.moved_m, off_cm, round(float(np.nanmedian(trip.residuals_deg)), 3), agree
    return trip.log, len(trip.stations_ns), count, *figures


def _residuals(trip: AlignedTrip) -> Series:
    seconds = (trip.stations_ns - trip.stations_ns[0]) / 1e9
    return Series(trip.log, seconds, 100 * trip.residuals_m)


def _changes(together: Together) -> tuple[Change, ...]:
    return changes([proposal.log for proposal in together.proposals], together.findings)


def _shared(together: Together, above: FromAbove) -> list[Part]:
    changed = _changes(together)
    rows: list[tuple[str | int, ...]] = []
    for proposal in together.proposals:
        for track in carried(proposal.edits):
            origin = f"{track.attributes['from_trip']}, track {track.attributes['from_track']}"
            rows.append((proposal.log.name, track.category, track.id, origin, len(track.annotations)))
    parts: list[Part] = []
    if any(trip.meets for trip in together.alignment.trips):
        caption = (
            "What stands there: labelled on several trips blue, carried over green, gone red, new orange, "
            "something else there now violet, labelled on one trip and not seen from others grey."
        )
        parts.append(Picture(above.things(together.labels, together.findings, changed), caption, False))
    if rows:
        parts.append(Paragraph(f"Carried over: {len(rows)} objects."))
        parts.append(Table(("to", "category", "track", "from", "boxes"), rows[:MOST_ROWS]))
    if changed:
        listed = [(c.trip, c.track_id, c.kind, c.other, round(c.confidence, 2)) for c in changed]
        parts.append(Paragraph(f"Changed: {len(changed)} places."))
        parts.append(Table(("stands on", "track", "is", "on", "confidence"), listed[:MOST_ROWS]))
    return parts or [Paragraph("Nothing was shared.")]
