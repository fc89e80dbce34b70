"""How far a long computation has come."""

from collections.abc import Callable

# Called with the name of the step, how many of its parts are done, and how many there are.
Progress = Callable[[str, int, int], None]
