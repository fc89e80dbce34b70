"""One program on the graphics card with the buffers that it draws from."""

from __future__ import annotations

from typing import Any

import moderngl
import numpy as np

from calib.types import F32

LEAST_BYTES = 1024


class Batch:
    """One program with its buffers."""

    def __init__(
        self, context: moderngl.Context, shaders: tuple[str, str], layouts: dict[str, str], mode: int
    ) -> None:
        """Of a vertex and a fragment shader, and what each buffer holds: formats, then names."""
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
