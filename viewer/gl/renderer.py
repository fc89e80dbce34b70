"""Buffers on the graphics card, filled once a frame, and drawn into any number of panes."""

from __future__ import annotations

from typing import Any

import moderngl
import numpy as np

from calib.types import F32, F64, U8
from viewer.gl import shaders
from viewer.gl.batch import Batch
from viewer.gl.layer import Layer
from viewer.scene.shapes import Faces, Lines

DARK, LIGHT = (0.055, 0.062, 0.078), (0.94, 0.945, 0.95)
BLEND = (moderngl.SRC_ALPHA, moderngl.ONE_MINUS_SRC_ALPHA, moderngl.ONE, moderngl.ONE_MINUS_SRC_ALPHA)

Rectangle = tuple[int, int, int, int]


class Renderer:
    """Draws points, lines and faces.

    Attributes:
        context: of OpenGL, 3.3 or later; it has to be current whenever a method is called.
        background: red, green, blue from 0 to 1.
    """

    def __init__(self, context: moderngl.Context) -> None:
        """Compiles the programs."""
        self.context, self.background = context, DARK
        point = {"places": "3f place", "colours": "4f1 colour"}
        self._points = Batch(context, shaders.POINTS, point, moderngl.POINTS)
        self._near = Batch(context, shaders.POINTS, point, moderngl.POINTS)
        self._layer, self._filled = Layer(context), 0
        self._lines = Batch(
            context,
            shaders.LINES,
            {"ends": "3f 3f 1f start end width_px", "colours": "4f1 colour"},
            moderngl.TRIANGLES,
        )
        self._faces = Batch(
            context, shaders.FACES, {"corners": "3f place", "colours": "4f1 colour"}, moderngl.TRIANGLES
        )

    def put_points(self, points: F32, colours: U8) -> None:
        """Fills in (N, 3) places with their (N, 4) colours."""
        self._points.fill(len(points), places=points, colours=colours)
        self._filled += 1

    def put_near_points(self, points: F32, colours: U8) -> None:
        """Fills in those points that views close by need, which are far fewer."""
        self._near.fill(len(points), places=points, colours=colours)

    def put_lines(self, lines: Lines) -> None:
        """Fills in lines."""
        ends = np.hstack([lines.ends.reshape(-1, 6), lines.widths_px[:, None]])
        colours = np.repeat(lines.colours, 6, axis=0)
        self._lines.fill(6 * len(ends), ends=np.repeat(ends, 6, axis=0), colours=colours)

    def put_faces(self, faces: Faces) -> None:
        """Fills in triangles."""
        colours = np.repeat(faces.colours, 3, axis=0)
        self._faces.fill(len(colours), corners=faces.corners, colours=colours)

    def clear(self, target: moderngl.Framebuffer, size_px: tuple[int, int]) -> None:
        """Begins a picture."""
        target.use()
        self.context.scissor = None
        self.context.viewport = (0, 0, *size_px)
        self.context.clear(*self.background, 1.0, depth=1.0)

    def draw(
        self,
        target: moderngl.Framebuffer,
        pane: Rectangle,
        clip_from_ego: F64,
        point_px: float,
        near: bool = False,
    ) -> None:
        """Draws all that was filled in as a view sees it.

        Args:
            target: where to.
            pane: left, bottom, width, height in pixels of the target, counted from its lower left corner.
            clip_from_ego: (4, 4) what the view sees.
            point_px: how large points are.
            near: whether the near points are enough; other views keep what they drew of all points for as
                long as they look from the same place.
        """
        matrix = np.ascontiguousarray(clip_from_ego.T, dtype=np.float32)
        self._aim(pane)
        if near:
            self._draw_points(self._near, matrix, point_px)
        else:
            looks = (pane[2:], matrix.tobytes(), point_px, self._filled, self.background)
            if self._layer.begin(looks, self.background):
                self._aim((0, 0, *pane[2:]))
                self._draw_points(self._points, matrix, point_px)
                target.use()
                self._aim(pane)
            self._layer.show(pane)
        self._draw_boxes(target, pane, matrix)

    def _aim(self, pane: Rectangle) -> None:
        context: Any = self.context
        context.viewport = pane
        context.scissor = pane
        context.enable_only(moderngl.DEPTH_TEST | moderngl.PROGRAM_POINT_SIZE | moderngl.BLEND)
        context.blend_func = BLEND

    def _draw_points(self, points: Batch, matrix: F32, point_px: float) -> None:
        points.set("clip_from_ego", matrix)
        points.set("size_px", np.array([point_px], dtype=np.float32))
        points.render()

    def _draw_boxes(self, target: moderngl.Framebuffer, pane: Rectangle, matrix: F32) -> None:
        context: Any = self.context
        for batch in (self._lines, self._faces):
            batch.set("clip_from_ego", matrix)
        self._lines.set("size_px", np.array(pane[2:], dtype=np.float32))
        self._lines.render()
        # Faces hide nothing that lies behind them.
        target.depth_mask = False
        self._faces.render()
        target.depth_mask = True
        context.scissor = None
