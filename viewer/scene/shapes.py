"""What is drawn in 3D: points, lines and faces with their colours, in the ego frame of the frame shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from calib.types import F32, F64, U8, Floats
from fusion.boxes import EDGES, Box3D, Boxes

WIDTH_PX, SELECTED_PX, HOVERED_PX = 1.6, 2.6, 2.2
WHITE = (255, 255, 255)
FACE_ALPHA, GHOST_ALPHA = 38, 130
PIN, PIN_M = (255, 190, 70), (0.25, 0.9)
SIGHT, CROSS_M = (255, 200, 60), 0.5
# Two triangles for each face, whose corners run as `UNIT_CORNERS` does.
_FACES = ((0, 1, 2, 3), (4, 5, 6, 7), (0, 1, 5, 4), (3, 2, 6, 7), (0, 3, 7, 4), (1, 2, 6, 5))
TRIANGLES = np.array([[(a, b, c), (a, c, d)] for a, b, c, d in _FACES]).reshape(-1)

Colour = tuple[int, int, int]


@dataclass(frozen=True, eq=False, slots=True)
class Lines:
    """Straight lines of some width on the screen.

    Attributes:
        ends: (S, 2, 3) float32.
        colours: (S, 4) uint8.
        widths_px: (S,) float32.
    """

    ends: F32
    colours: U8
    widths_px: F32

    @classmethod
    def of(cls, ends: Floats, colour: Colour, width_px: float = WIDTH_PX, alpha: int = 255) -> Lines:
        """All of one colour."""
        listed = np.asarray(ends, dtype=np.float32).reshape(-1, 2, 3)
        colours = np.tile(np.array([*colour, alpha], np.uint8), (len(listed), 1))
        return cls(listed, colours, np.full(len(listed), width_px, np.float32))

    @classmethod
    def joined(cls, parts: Iterable[Lines]) -> Lines:
        """All of several."""
        listed = [cls.of(np.zeros((0, 2, 3)), WHITE), *parts]
        columns = ([getattr(part, name) for part in listed] for name in ("ends", "colours", "widths_px"))
        return cls(*(np.concatenate(column) for column in columns))


@dataclass(frozen=True, eq=False, slots=True)
class Faces:
    """Triangles that one sees through.

    Attributes:
        corners: (T, 3, 3) float32.
        colours: (T, 4) uint8.
    """

    corners: F32
    colours: U8

    @classmethod
    def of(cls, boxes: Iterable[tuple[Box3D, Colour]]) -> Faces:
        """The sides of boxes."""
        corners, colours = [np.zeros((0, 3, 3), np.float32)], [np.zeros((0, 4), np.uint8)]
        for box, colour in boxes:
            corners.append(box.corners()[TRIANGLES].reshape(-1, 3, 3).astype(np.float32))
            colours.append(np.tile(np.array([*colour, FACE_ALPHA], np.uint8), (12, 1)))
        return cls(np.concatenate(corners), np.concatenate(colours))


@dataclass(frozen=True, slots=True)
class BoxLook:
    """How one box is drawn.

    Attributes:
        box: the box.
        colour: of its class.
        selected: whether it is the one that is being worked on.
        hovered: whether the pointer is on it.
        ghost: whether it is only a proposal.
    """

    box: Box3D
    colour: Colour
    selected: bool = False
    hovered: bool = False
    ghost: bool = False

    @property
    def width_px(self) -> float:
        """Of its lines."""
        return SELECTED_PX if self.selected else HOVERED_PX if self.hovered else WIDTH_PX

    @property
    def rgba(self) -> tuple[int, int, int, int]:
        """Of its lines."""
        return (*(WHITE if self.selected else self.colour), GHOST_ALPHA if self.ghost else 255)


def box_lines(looks: Iterable[BoxLook]) -> Lines:
    """Edges of boxes, and for each a line on the ground that says where its front is."""
    listed = list(looks)
    boxes = Boxes.stack(look.box for look in listed)
    ends = np.concatenate([boxes.corners()[:, np.array(EDGES)], _headings(boxes)], axis=1)
    each = ends.shape[1]
    colours = np.array([look.rgba for look in listed], dtype=np.uint8).reshape(-1, 4)
    widths_px = np.array([look.width_px for look in listed], dtype=np.float32)
    return Lines(
        ends.reshape(-1, 2, 3).astype(np.float32), np.repeat(colours, each, 0), np.repeat(widths_px, each)
    )


def box_faces(looks: Iterable[BoxLook]) -> Faces:
    """The sides of those boxes that stand out."""
    return Faces.of((look.box, look.colour) for look in looks if look.selected or look.hovered)


def _headings(boxes: Boxes) -> F64:
    """(N, 1, 2, 3) from the middle of each bottom to a little beyond the front."""
    length_m, _, height_m = boxes.sizes_lwh_m.T
    ends = np.zeros((len(boxes), 1, 2, 3))
    ends[:, 0, 1, 0] = length_m / 2 + np.minimum(0.25 * length_m, 0.8)
    ends[:, 0, :, 2] = -height_m[:, None] / 2
    turned = np.einsum("nij,nakj->naki", boxes.dst_from_box.rotations, ends)
    return np.asarray(turned + boxes.dst_from_box.translations[:, None, None])


def sight_lines(eye: Floats, end: Floats, meets: bool) -> Lines:
    """A line of sight, with a cross where it meets something."""
    arms = CROSS_M * np.eye(3)
    cross = np.stack([end - arms, end + arms], axis=1) if meets else np.zeros((0, 2, 3))
    through = Lines.of(np.stack([eye, end])[None], SIGHT, WIDTH_PX, 200)
    return Lines.joined([through, Lines.of(cross, SIGHT, SELECTED_PX)])


def pins(boxes: Iterable[Box3D]) -> Lines:
    """A mark above each of some boxes: something was said of them."""
    low = [box.ego_from_box @ np.array([0.0, 0.0, box.height_m / 2 + PIN_M[0]]) for box in boxes]
    bottom = np.array(low).reshape(-1, 3)
    tip = bottom + np.array([0.0, 0.0, PIN_M[1]])
    side = np.array([PIN_M[0], 0.0, 0.0])
    flag = tip + side - np.array([0.0, 0.0, PIN_M[0]])
    ends = [(bottom, tip), (tip, flag), (flag, tip - np.array([0.0, 0.0, 2 * PIN_M[0]]))]
    return Lines.of(np.concatenate([np.stack(pair, axis=1) for pair in ends]), PIN, SELECTED_PX)


def grid(half_m: float = 60.0, step_m: float = 10.0, z_m: float = 0.0) -> Lines:
    """Squares on the ground around the car, and the two axes of the car."""
    at = np.arange(-half_m, half_m + step_m / 2, step_m)
    low, high = np.full(len(at), -half_m), np.full(len(at), half_m)
    level = np.full(len(at), z_m)
    along = np.stack([np.column_stack([low, at, level]), np.column_stack([high, at, level])], axis=1)
    across = along[:, :, [1, 0, 2]]
    axes = np.array([[[0.0, 0, z_m], [3, 0, z_m]], [[0, 0, z_m], [0, 3, z_m]]])
    return Lines.joined(
        [
            Lines.of(np.concatenate([along, across]), (90, 96, 110), 1.0, 110),
            Lines.of(axes[:1], (235, 80, 80), 2.0),
            Lines.of(axes[1:], (80, 210, 110), 2.0),
        ]
    )
