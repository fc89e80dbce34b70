"""Buffers on the graphics card, filled once a frame, and drawn into any number of panes."""

from __future__ import annotations

from typing import Any

import moderngl
import numpy as np

from calib.types import F32, F64, U8
from viewer.gl import shaders
from viewer.scene import Faces, Lines

DARK, LIGHT = (0.055, 0.062, 0.078), (0.94, 0.945, 0.95)
BLEND = (moderngl.SRC_ALPHA, moderngl.ONE_MINUS_SRC_ALPHA, moderngl.ONE, moderngl.ONE_MINUS_SRC_ALPHA)
LEAST_BYTES = 1024

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
        self._points = _Batch(
            context, shaders.POINTS, {"places": "3f place", "colours": "4f1 colour"}, moderngl.POINTS
        )
        self._lines = _Batch(
            context,
            shaders.LINES,
            {"ends": "3f 3f 1f start end width_px", "colours": "4f1 colour"},
            moderngl.TRIANGLES,
        )
        self._faces = _Batch(
            context, shaders.FACES, {"corners": "3f place", "colours": "4f1 colour"}, moderngl.TRIANGLES
        )

    def put_points(self, points: F32, colours: U8) -> None:
        """Fills in (N, 3) places with their (N, 4) colours."""
        self._points.fill(len(points), places=points, colours=colours)

    def put_colours(self, colours: U8) -> None:
        """Fills in new colours of the same points."""
        self._points.fill(len(colours), colours=colours)

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
        self, target: moderngl.Framebuffer, pane: Rectangle, clip_from_ego: F64, point_px: float
    ) -> None:
        """Draws all that was filled in as a view sees it.

        Args:
            target: where to.
            pane: left, bottom, width, height in pixels of the target, counted from its lower left corner.
            clip_from_ego: (4, 4) what the view sees.
            point_px: how large points are.
        """
        context: Any = self.context
        context.viewport = pane
        context.scissor = pane
        context.enable_only(moderngl.DEPTH_TEST | moderngl.PROGRAM_POINT_SIZE | moderngl.BLEND)
        context.blend_func = BLEND
        for batch in (self._points, self._lines, self._faces):
            batch.set("clip_from_ego", np.ascontiguousarray(clip_from_ego.T, dtype=np.float32))
        self._points.set("size_px", np.array([point_px], dtype=np.float32))
        self._lines.set("size_px", np.array(pane[2:], dtype=np.float32))
        self._points.render()
        self._lines.render()
        # Faces hide nothing that lies behind them.
        target.depth_mask = False
        self._faces.render()
        target.depth_mask = True
        context.scissor = None


class _Batch:
    """One program with its buffers."""

    def __init__(
        self, context: moderngl.Context, shaders: tuple[str, str], layouts: dict[str, str], mode: int
    ) -> None:
        self.context, self.layouts, self.mode, self.count = context, layouts, mode, 0
        self.program = context.program(vertex_shader=shaders[0], fragment_shader=shaders[1])
        self.buffers = {name: context.buffer(reserve=LEAST_BYTES, dynamic=True) for name in layouts}
        self.array: moderngl.VertexArray | None = None

    def fill(self, count: int, **columns: np.ndarray) -> None:
        """Writes into buffers, which are made anew only where they are too small."""
        for name, values in columns.items():
            content = np.ascontiguousarray(values)
            known = self.buffers[name]
            if known.size < content.nbytes:
                known.release()
                room = 1 << int(np.ceil(np.log2(content.nbytes)))
                self.buffers[name] = known = self.context.buffer(reserve=room, dynamic=True)
                self.array = None
            if content.nbytes:
                known.orphan(known.size)
                known.write(content)
        self.count = count

    def set(self, name: str, values: F32) -> None:
        """Sets a uniform."""
        uniform: Any = self.program[name]
        uniform.write(values.tobytes())

    def render(self) -> None:
        """Draws it."""
        if self.count == 0:
            return
        if self.array is None:
            content: list[Any] = [
                (self.buffers[name], *_layout(layout)) for name, layout in self.layouts.items()
            ]
            self.array = self.context.vertex_array(self.program, content)
        self.array.render(self.mode, vertices=self.count)


def _layout(text: str) -> tuple[str, ...]:
    """Formats as one word, then the names that take them."""
    words = text.split()
    formats = [word for word in words if word[0].isdecimal()]
    return (" ".join(formats), *words[len(formats) :])
