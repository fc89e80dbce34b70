"""Putting errors into labels and logs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from calib.types import F64
from fusion.labels import LabelSet
from fusion.log import DriveLog
from fusion.seeded.boxes import flips, heights, shifts, sizes, turns
from fusion.seeded.kinds import SENSOR_KINDS, ErrorKind, Level
from fusion.seeded.meaning import missing_attributes, wrong_classes, wrong_motion
from fusion.seeded.seeded import SeedConfig, Seeded
from fusion.seeded.sensors import clocks, drifts, with_late_camera
from fusion.seeded.site import Change, Maker, Site
from fusion.seeded.spurious import spurious
from fusion.seeded.survey import Survey
from fusion.seeded.tracks import cuts, duplicates, late_tracks, missing_boxes, missing_tracks, swaps

MAKERS: dict[ErrorKind, Maker] = {
    ErrorKind.SHIFT_ONE: shifts,
    ErrorKind.SHIFT_SEVERAL: shifts,
    ErrorKind.TURN: turns,
    ErrorKind.FLIP_MOVING: flips,
    ErrorKind.FLIP_STANDING: flips,
    ErrorKind.SIZE_ONE: sizes,
    ErrorKind.SIZE_TRACK: sizes,
    ErrorKind.HEIGHT: heights,
    ErrorKind.MISSING_BOX: missing_boxes,
    ErrorKind.MISSING_TRACK: missing_tracks,
    ErrorKind.EMPTY: spurious,
    ErrorKind.CLUTTER: spurious,
    ErrorKind.DUPLICATE: duplicates,
    ErrorKind.SWAP_NEAR: swaps,
    ErrorKind.SWAP_FAR: swaps,
    ErrorKind.CUT: cuts,
    ErrorKind.CLASS_LIKE: wrong_classes,
    ErrorKind.CLASS_GROSS: wrong_classes,
    ErrorKind.LATE: late_tracks,
    ErrorKind.DRIFT: drifts,
    ErrorKind.CLOCK: clocks,
    ErrorKind.NO_ATTRIBUTE: missing_attributes,
    ErrorKind.WRONG_MOTION: wrong_motion,
}
MOST_TOO_LONG = 10  # objects with more boxes than may still go wrong that are tried for one error
NEED_SWEEPS = frozenset(
    {ErrorKind.HEIGHT, ErrorKind.MISSING_TRACK, ErrorKind.EMPTY, ErrorKind.CLUTTER, ErrorKind.LATE}
)
NEED_MOTION = frozenset(
    {
        ErrorKind.FLIP_MOVING,
        ErrorKind.FLIP_STANDING,
        ErrorKind.LATE,
        ErrorKind.WRONG_MOTION,
        ErrorKind.EMPTY,
        ErrorKind.CLUTTER,
    }
)


def seed_errors(
    log: DriveLog, labels: LabelSet, config: SeedConfig | None = None, survey: Survey | None = None
) -> Seeded:
    """Puts errors into labels, each on an object of its own, and at most one into the sensors.

    Args:
        log: with or without sweeps; without, kinds that need points are left out.
        labels: whether right or not; locked annotations are changed like others.
        config: how many and which.
        survey: of this log and these labels with the same `run`, where several seeds share it.
    """
    config = config or SeedConfig()
    survey = survey or Survey.of(log, labels, config.run)
    work = _Work(Site(survey, config, np.random.default_rng(config.seed)))
    if config.count is None:
        work.fill()
    else:
        work.place_each(config.count)
    return work.result()


@dataclass(eq=False)
class _Work:
    """The errors of one seed as they come together."""

    site: Site
    changes: list[Change] = field(default_factory=list)
    left_out: dict[ErrorKind, str] = field(default_factory=dict)
    _spots: dict[int, list[F64]] = field(default_factory=dict)

    def fill(self) -> None:
        """Adds errors of one kind after the other until the share of tracks or of boxes is reached."""
        config, tracks = self.site.config, len(self.site.survey.labels.tracks)
        wanted = max(1, round(config.share * tracks))
        while True:
            before = len(self.changes)
            for level in self._one_of_each():
                if sum(len(change.uses) for change in self.changes) >= wanted:
                    return
                self._place(level, round(config.most_boxes * self.site.survey.labels.annotation_count))
            if len(self.changes) == before:
                return

    def _one_of_each(self) -> Iterator[Level]:
        """A level of each kind in random order."""
        by_kind: dict[ErrorKind, list[Level]] = {}
        for level in self.site.config.levels:
            by_kind.setdefault(level.kind, []).append(level)
        kinds = list(by_kind)
        for k in self.site.rng.permutation(len(kinds)).tolist():
            levels = by_kind[kinds[k]]
            yield levels[int(self.site.rng.integers(len(levels)))]

    def place_each(self, count: int) -> None:
        """Adds so many errors of each level, as far as there is room."""
        levels = self.site.config.levels
        for _ in range(count):
            for k in self.site.rng.permutation(len(levels)).tolist():
                self._place(levels[k], None)

    def _place(self, level: Level, most_boxes: int | None) -> None:
        """Adds one error of a level where a free object fits and the boxes in all do not become too many."""
        sensor_is_off = any(change.error.kind in SENSOR_KINDS for change in self.changes)
        if level.kind in SENSOR_KINDS and sensor_is_off:
            return
        impossible = self._objection(level)
        if impossible:
            self.left_out[level.kind] = impossible
            return
        wrong = sum(len(change.error.timestamps_ns) for change in self.changes)
        too_long = 0
        for change in MAKERS[level.kind](self.site, level):
            if most_boxes is not None and wrong + len(change.error.timestamps_ns) > most_boxes:
                too_long += 1
                if too_long == MOST_TOO_LONG:
                    return
            elif self._is_apart(change):
                self._add(change)
                return
        if not too_long and all(change.error.kind is not level.kind for change in self.changes):
            self.left_out[level.kind] = f"{level.kind}: no object fits, or none that is free"

    def _objection(self, level: Level) -> str:
        """Why errors of a kind cannot be made here; empty where they can."""
        kind, survey = level.kind, self.site.survey
        if kind in SENSOR_KINDS and not any(survey.log.images.values()):
            return f"{kind}: the log has no images"
        if kind in NEED_SWEEPS and not survey.has_sweeps:
            return f"{kind}: the log has no sweeps"
        if kind in NEED_MOTION and not survey.knows_motion:
            return f"{kind}: the way of the car is not known"
        return ""

    def _is_apart(self, change: Change) -> bool:
        for timestamp_ns, place in change.spots:
            for other in self._spots.get(timestamp_ns, ()):
                if np.linalg.norm((place - other)[:2]) < self.site.config.apart_m:
                    return False
        return True

    def _add(self, change: Change) -> None:
        self.changes.append(change)
        self.left_out.pop(change.error.kind, None)
        self.site.taken.update(change.uses, (track.id for track in change.put))
        for timestamp_ns, place in change.spots:
            self._spots.setdefault(timestamp_ns, []).append(place)

    def result(self) -> Seeded:
        """The log and labels with all errors."""
        log, before = self.site.survey.log, self.site.survey.labels
        tracks = dict(before.tracks)
        origins: dict[str, tuple[str, ...]] = {}
        for change in self.changes:
            tracks = {id: track for id, track in tracks.items() if id not in change.removed}
            tracks |= {track.id: track for track in change.put}
            origins |= change.origins
        labels = LabelSet(tracks, before.reviews, before.attributes)
        for change in self.changes:
            log = change.log or log
            if change.late_ns and change.error.camera is not None:
                labels = with_late_camera(labels, change.error.camera, change.late_ns)
        errors = tuple(change.error for change in self.changes)
        said = tuple(self.left_out[kind] for kind in sorted(self.left_out))
        return Seeded(log, labels, errors, before, said, origins)
