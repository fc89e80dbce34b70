"""A picture of the points that is kept, so that a box can move before it without drawing them all again."""

from __future__ import annotations

from typing import Any

import moderngl

from viewer.gl import shaders

ALIGNMENT = 4


class Layer:
    """Colours and depths of one view of the points."""

    def __init__(self, context: moderngl.Context) -> None:
        """Takes no room yet."""
        self.context = context
        self.program = context.program(vertex_shader=shaders.LAYER[0], fragment_shader=shaders.LAYER[1])
        self.array = context.vertex_array(self.program, [])
        self._looks: object = None
        self._target: moderngl.Framebuffer | None = None

    def begin(
        self, looks: tuple[tuple[int, int], *tuple[object, ...]], background: tuple[float, float, float]
    ) -> bool:
        """Whether the points have to be drawn, and if so makes the picture the target.

        Args:
            looks: its size, and all that decides what is seen.
            background: where nothing is.
        """
        if looks == self._looks:
            return False
        size = (max(looks[0][0], 1), max(looks[0][1], 1))
        if self._target is None or self._target.size != size:
            self._make(size)
        assert self._target is not None
        self._target.use()
        self.context.scissor = None
        red, green, blue = background
        self.context.clear(red, green, blue, 1.0, depth=1.0)
        self._looks = looks
        return True

    def show(self, pane: tuple[int, int, int, int]) -> None:
        """Draws the picture into a pane of the target."""
        if self._target is None:
            return
        colour: Any = self._target.color_attachments[0]
        depth: Any = self._target.depth_attachment
        depth.use(1)
        colour.use(0)  # last, as whoever draws after us counts on unit 0
        program: Any = self.program
        program["colours"], program["depths"], program["corner"] = 0, 1, pane[:2]
        self.context.disable(moderngl.BLEND)
        self.array.render(moderngl.TRIANGLES, vertices=3)
        self.context.enable(moderngl.BLEND)

    def _make(self, size: tuple[int, int]) -> None:
        if self._target is not None:
            for part in (*self._target.color_attachments, self._target.depth_attachment, self._target):
                if part is not None:
                    part.release()
        # An alignment other than Qt's would stay behind, and Qt's letters would be garbled.
        depth = self.context.depth_texture(size, alignment=ALIGNMENT)
        depth.compare_func = ""
        colour = self.context.texture(size, 4, alignment=ALIGNMENT)
        self._target = self.context.framebuffer([colour], depth)
