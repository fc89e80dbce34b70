"""Tools: each is a generator that takes the events of one drag, previews, and does one thing at its end."""

from viewer.tools.choose import choose

__all__ = ["choose"]
