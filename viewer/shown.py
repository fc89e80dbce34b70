"""From the desk to what is drawn of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from calib.errors import CrosslabelError
from calib.project import VisiblePoints
from calib.types import F32, U8
from fusion.boxes import Boxes
from fusion.log import ImageRef
from fusion.sight import cloud_seen_in_image, colour_cloud
from viewer.colours import GREY, ColourBy, colours_of, dimmed
from viewer.desk import Desk
from viewer.display import Ground
from viewer.merge import REACH, Merge, merged
from viewer.scene import BoxLook, Faces, Lines, box_faces, box_lines, grid

GHOST = (120, 255, 170)
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
    _merged: tuple[tuple[Any, ...], tuple[F32, U8]] | None = field(default=None, repr=False)
    _seen: dict[str, tuple[ImageRef, VisiblePoints | None]] = field(default_factory=dict, repr=False)

    def colours(self) -> U8:
        """(N, 4) of all points of the frame; the same array as long as nothing changes."""
        display = self.desk.display
        labels = self.desk.session.labels if display.colour_by in BY_LABEL else None
        made_of = (self.desk.frame, display.colour_by, display.ground, labels)
        if self._colours is None or _differ(made_of, self._colours[0]):
            self._colours = (made_of, self._made())
        return self._colours[1]

    def points(self) -> tuple[F32, U8]:
        """(N, 3) places and (N, 4) colours of the points that are shown; the same while nothing changes."""
        desk, colours = self.desk, self.colours()
        merge = desk.display.merge
        others = self._others() if merge is not Merge.NONE else None
        made_of = (colours, merge, others)
        if self._points is None or _differ(made_of, self._points[0]):
            points = desk.cloud.points
            if desk.display.ground is Ground.HIDDEN:
                kept = desk.visible_points()
                points, colours = points[kept], colours[kept]
            if others is not None:
                points, colours = np.concatenate([points, others[0]]), np.concatenate([colours, others[1]])
            self._points = (made_of, (points, colours))
        return self._points[1]

    def points_in(self, image: ImageRef) -> VisiblePoints | None:
        """The points that an image shows, hidden ones left out; None where nobody can say."""
        known = self._seen.get(image.camera)
        if known is None or known[0] is not image:
            known = (image, self._points_in(image))
            self._seen[image.camera] = known
        return known[1]

    def drawing(self) -> tuple[Lines, Faces]:
        """The grid, boxes and what stands out of them; the same as long as nothing changes."""
        desk, session = self.desk, self.desk.session
        made_of = (
            session.present(),
            session.selected,
            desk.hovered,
            desk.display.others,
            desk.proposals.ghost,
        )
        if self._drawing is None or _differ(made_of, self._drawing[0]):
            looks = self.looks()
            self._drawing = (made_of, (Lines.joined([grid(), box_lines(looks)]), box_faces(looks)))
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
        ghost = self.desk.proposals.ghost
        found = None if ghost is None else ghost.annotations.get(self.desk.session.time_ns)
        return [] if found is None else [BoxLook(found.box, GHOST, ghost=True)]

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

    def _made(self) -> U8:
        desk, cloud = self.desk, self.desk.cloud
        if len(cloud.points) == 0:
            return np.zeros((0, 4), np.uint8)
        if desk.display.colour_by is ColourBy.CAMERA:
            colours = _by_camera(desk)
        else:
            there = desk.session.present()
            looks = [desk.schema.colour(track.category) for track, _ in there]
            boxes = Boxes.stack(annotation.box for _, annotation in there)
            colours = colours_of(cloud, desk.display.colour_by, boxes, looks)
        if desk.display.ground is Ground.DIMMED and desk.display.colour_by is not ColourBy.UNLABELLED:
            colours = dimmed(colours, cloud.on_ground)
        return colours

    def _points_in(self, image: ImageRef) -> VisiblePoints | None:
        sweep = self.desk.cloud.sweep
        if sweep is None:
            return None
        try:
            return cloud_seen_in_image(self.desk.session.log, sweep, image)
        except CrosslabelError:
            return None


def _differ(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    """Whether anything is another thing than it was."""
    return any(a is not b for a, b in zip(one, other, strict=True))


def _by_camera(desk: Desk) -> U8:
    """The colours that the cameras saw; grey where none looks."""
    cloud, frame = desk.cloud, desk.frame
    made = np.tile(np.array(GREY, np.uint8), (len(cloud.points), 1))
    if frame is None or cloud.sweep is None or not frame.images:
        return made
    at_hand = [replace(ref, load=partial(np.asarray, pixels)) for ref, pixels in frame.images.values()]
    try:
        colours, cameras = colour_cloud(desk.session.log, cloud.sweep, at_hand)
    except CrosslabelError:
        return made
    made[cameras >= 0, :3] = colours[cameras >= 0]
    return made
