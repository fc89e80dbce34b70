"""Drawing with OpenGL 3.3 core through moderngl; nothing else in the project touches it."""

from viewer.gl.renderer import Renderer

__all__ = ["Renderer"]
