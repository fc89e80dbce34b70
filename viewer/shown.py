"""From the desk to what is drawn of it."""

from __future__ import annotations

import numpy as np

from calib.types import F32, U8
from fusion.boxes import Boxes
from fusion.sight import colour_cloud
from viewer.colours import GREY, ColourBy, colours_of, dimmed
from viewer.desk import Desk, Ground
from viewer.scene import BoxLook, Faces, Lines, box_faces, box_lines, grid


def points_shown(desk: Desk) -> tuple[F32, U8]:
    """(N, 3) places and (N, 4) colours of the points that are shown."""
    cloud, display = desk.cloud, desk.display
    if len(cloud.points) == 0:
        return cloud.points, np.zeros((0, 4), np.uint8)
    if display.colour_by is ColourBy.CAMERA:
        colours = _by_camera(desk)
    else:
        there = desk.session.present()
        looks = [desk.schema.colour(track.category) for track, _ in there]
        colours = colours_of(cloud, display.colour_by, Boxes.stack(a.box for _, a in there), looks)
    if display.ground is Ground.DIMMED and display.colour_by is not ColourBy.UNLABELLED:
        colours = dimmed(colours, cloud.on_ground)
    if display.ground is Ground.HIDDEN:
        kept = ~cloud.on_ground
        return cloud.points[kept], colours[kept]
    return cloud.points, colours


def looks_shown(desk: Desk) -> list[BoxLook]:
    """The boxes that are shown."""
    return [
        BoxLook(
            annotation.box,
            desk.schema.colour(track.category),
            track.id == desk.session.selected,
            track.id == desk.hovered,
        )
        for track, annotation in desk.session.present()
        if desk.display.others or track.id == desk.session.selected
    ]


def lines_shown(desk: Desk) -> Lines:
    """Boxes and the grid on the ground."""
    return Lines.joined([grid(), box_lines(looks_shown(desk))])


def faces_shown(desk: Desk) -> Faces:
    """The sides of those boxes that stand out."""
    return box_faces(looks_shown(desk))


def _by_camera(desk: Desk) -> U8:
    """The colours that the cameras saw; grey where none looks."""
    made = np.tile(np.array(GREY, np.uint8), (len(desk.cloud.points), 1))
    log, frame = desk.session.log, desk.frame
    ref = log.sweep_at(desk.session.time_ns)
    if frame is None or ref is None or not frame.images:
        return made
    colours, cameras = colour_cloud(log, ref.read(), [image for image, _ in frame.images.values()])
    if len(colours) == len(made):
        made[cameras >= 0, :3] = colours[cameras >= 0]
    return made
