"""From the desk to what is drawn of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from calib.errors import CrosslabelError
from calib.project import VisiblePoints
from calib.types import F32, U8
from fusion.boxes import Boxes
from fusion.log import DriveLog, ImageRef
from fusion.sight import cloud_seen_in_image, colour_cloud
from fusion.sweep import Sweep
from viewer.background import Background
from viewer.desk import Desk
from viewer.display import Ground
from viewer.frames.frame import MOST_POINTS, Cloud, Frame
from viewer.frames.merge import REACH, Merge, merged
from viewer.panes import Panes
from viewer.review.reviews import commented
from viewer.same import same
from viewer.scene.colours import GREY, ColourBy, colours_of, dimmed
from viewer.scene.shapes import BoxLook, Faces, Lines, box_faces, box_lines, grid, pins, sight_lines
from viewer.scene.views import Flat

GHOST = (120, 255, 170)
MOST_CAMERAS = 24
NO_COLOURS = np.zeros((0, 4), np.uint8)
Seen = tuple[ImageRef, VisiblePoints | None]
BY_LABEL = (ColourBy.LABEL, ColourBy.UNLABELLED)


@dataclass(eq=False)
class Shown:
    """What a desk shows; what has not changed is not made again.

    Attributes:
        desk: the desk.
    """

    desk: Desk
    _colours: tuple[tuple[Any, ...], U8] | None = field(default=None, repr=False)
    _drawing: tuple[tuple[Any, ...], tuple[Lines, Faces]] | None = field(default=None, repr=False)
    _points: tuple[tuple[Any, ...], tuple[F32, U8]] | None = field(default=None, repr=False)
    _near: tuple[tuple[Any, ...], tuple[F32, U8]] | None = field(default=None, repr=False)
    _merged: tuple[tuple[Any, ...], tuple[F32, U8]] | None = field(default=None, repr=False)
    _seen: dict[str, Seen] = field(default_factory=dict, repr=False)
    _soon: Background[str, tuple[ImageRef, Sweep], Seen] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        make = lambda wish: (wish[0], _seen_in(self.desk.session.log, wish[1], wish[0]))  # noqa: E731
        self._soon = Background(make, lambda made, wish: made[0] is wish[0], MOST_CAMERAS, self._tell)

    def close(self) -> None:
        """Makes nothing more in the background."""
        self._soon.close()

    def colours(self) -> U8:
        """(N, 4) of all points of the frame; the same array as long as nothing changes."""
        return self._colours_of(self.desk.frame)

    def _colours_of(self, frame: Frame | None) -> U8:
        display = self.desk.display
        labels = self.desk.session.labels if display.colour_by in BY_LABEL else None
        made_of = (frame, display.colour_by, display.ground, labels)
        if self._colours is None or not same(made_of, self._colours[0]):
            self._colours = (made_of, NO_COLOURS if frame is None else self._made(frame))
        return self._colours[1]

    def points(self) -> tuple[F32, U8]:
        """(N, 3) places and (N, 4) colours of the points that are shown; the same while nothing changes."""
        desk, frame = self.desk, self.desk.frame
        cloud, colours = Cloud.empty() if frame is None else frame.cloud, self._colours_of(frame)
        merge = desk.display.merge
        others = self._others() if merge is not Merge.NONE else None
        made_of = (colours, merge, others)
        if self._points is None or not same(made_of, self._points[0]):
            points = cloud.points
            if desk.display.ground is Ground.HIDDEN:
                kept = ~cloud.on_ground
                points, colours = points[kept], colours[kept]
            if others is not None:
                every = -(-len(others[0]) // max(MOST_POINTS - len(points), 1)) if len(others[0]) else 1
                points = np.concatenate([points, others[0][::every]])
                colours = np.concatenate([colours, others[1][::every]])
            self._points = (made_of, (points, colours))
        return self._points[1]

    def near_points(self) -> tuple[F32, U8]:
        """The same of those points that the flat views may show; the same while nothing changes."""
        flats = self.desk.panes.flats
        shown, views = self.points(), tuple(flats.values())
        made_of = (shown, *views)
        if self._near is None or not same(made_of, self._near[0]):
            self._near = (made_of, _around(shown, views, self.desk.panes))
        return self._near[1]

    def points_in(self, image: ImageRef) -> VisiblePoints | None:
        """The points that an image shows, hidden ones left out; None where nobody can say."""
        known = self._soon.get(image.camera)
        if known is None or known[0] is not image:
            known = self._seen.get(image.camera)
        if known is None or known[0] is not image:
            sweep = self.desk.cloud.sweep
            known = (image, None if sweep is None else _seen_in(self.desk.session.log, sweep, image))
            self._seen[image.camera] = known
        return known[1]

    def points_soon(self, image: ImageRef) -> VisiblePoints | None:
        """The same, made in the background with those of all other images; None until they are there."""
        frame, sweep = self.desk.frame, self.desk.cloud.sweep
        if frame is None or sweep is None:
            return None
        self._soon.want({ref.camera: (ref, sweep) for ref, _ in frame.images.values()})
        known = self._soon.get(image.camera)
        return known[1] if known is not None and known[0] is image else None

    def _tell(self) -> None:
        self.desk.proposals.later(self.desk.changed)

    def drawing(self) -> tuple[Lines, Faces]:
        """The grid, boxes and what stands out of them; the same as long as nothing changes."""
        desk, session = self.desk, self.desk.session
        made_of = (
            session.present(),
            session.selected,
            desk.hovered,
            desk.display.others,
            desk.proposals.ghost,
            desk.reviewing.current,
            desk.sightline,
            session.labels.reviews,
        )
        if self._drawing is None or not same(made_of, self._drawing[0]):
            looks = self.looks()
            said = commented(session.labels, session.time_ns)
            marks = pins(annotation.box for track, annotation in session.present() if track.id in said)
            lines = Lines.joined([grid(), box_lines(looks), marks, *self._line()])
            self._drawing = (made_of, (lines, box_faces(looks)))
        return self._drawing[1]

    def looks(self) -> list[BoxLook]:
        """The boxes that are shown."""
        desk = self.desk
        return [
            BoxLook(
                annotation.box,
                desk.schema.colour(track.category),
                track.id == desk.session.selected,
                track.id == desk.hovered,
            )
            for track, annotation in desk.session.present()
            if desk.display.others or track.id == desk.session.selected
        ] + self._ghost()

    def _ghost(self) -> list[BoxLook]:
        found = self.desk.proposals.at(self.desk.session.time_ns)
        if found is not None:
            return [BoxLook(found.box, GHOST, ghost=True)]
        box = self.desk.reviewing.proposed()
        return [] if box is None else [BoxLook(box, GHOST, hovered=True, ghost=True)]

    def _line(self) -> list[Lines]:
        line = self.desk.sightline
        return [] if line is None else [sight_lines(line.eye, line.end, line.meets)]

    def _others(self) -> tuple[F32, U8]:
        """The points of the other frames that are shown as well."""
        desk = self.desk
        merge, by = desk.display.merge, desk.display.colour_by
        track = desk.session.track if merge is Merge.OBJECT else None
        log, frame = desk.session.log, desk.session.frame
        ready = tuple(k for k in range(frame - REACH, frame + REACH + 1) if k in desk.cache)
        made_of = (frame, merge, by, track, ready)
        if self._merged is None or self._merged[0] != made_of:
            self._merged = (made_of, merged(log, desk.cache, frame, merge, track, by))
        return self._merged[1]

    def _made(self, frame: Frame) -> U8:
        desk, cloud = self.desk, frame.cloud
        if len(cloud.points) == 0:
            return NO_COLOURS
        if desk.display.colour_by is ColourBy.CAMERA:
            colours = _by_camera(desk.session.log, frame)
        else:
            there = desk.session.present()
            looks = [desk.schema.colour(track.category) for track, _ in there]
            boxes = Boxes.stack(annotation.box for _, annotation in there)
            colours = colours_of(cloud, desk.display.colour_by, boxes, looks)
        if desk.display.ground is Ground.DIMMED and desk.display.colour_by is not ColourBy.UNLABELLED:
            colours = dimmed(colours, cloud.on_ground)
        return colours


def _seen_in(log: DriveLog, sweep: Sweep, image: ImageRef) -> VisiblePoints | None:
    try:
        return cloud_seen_in_image(log, sweep, image)
    except CrosslabelError:
        return None


def _by_camera(log: DriveLog, frame: Frame) -> U8:
    """The colours that the cameras saw; grey where none looks."""
    sweep = frame.cloud.sweep
    made = np.tile(np.array(GREY, np.uint8), (len(frame.cloud.points), 1))
    if sweep is None or not frame.images:
        return made
    at_hand = [replace(ref, load=partial(np.asarray, pixels)) for ref, pixels in frame.images.values()]
    try:
        colours, cameras = colour_cloud(log, sweep, at_hand)
    except CrosslabelError:
        return made
    made[cameras >= 0, :3] = colours[cameras >= 0]
    return made


def _around(shown: tuple[F32, U8], views: Sequence[Flat], panes: Panes) -> tuple[F32, U8]:
    """Those points that lie within reach of some flat views of one box."""
    points, colours = shown
    if not views:
        return points[:0], colours[:0]
    x, y, _ = views[0].ego_from_box.translation.tolist()
    reach_m = max(view.reach_m(panes.size(view.side)) for view in views)
    near = np.flatnonzero((np.abs(points[:, 0] - x) < reach_m) & (np.abs(points[:, 1] - y) < reach_m))
    return points[near], colours[near]
