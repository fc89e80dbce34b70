"""PandaSet in its original layout of pickled tables (read)."""

from formats.pandaset.pandaset import PANDASET

__all__ = ["PANDASET"]
