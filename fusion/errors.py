"""Errors about what was measured and what is claimed."""

from calib.errors import CrosslabelError


class TimeRangeError(CrosslabelError):
    """An instant outside of what a trajectory or a log covers."""


class EditError(CrosslabelError):
    """An edit that does not fit the labels it is applied to."""


class StoreError(CrosslabelError):
    """A file of labels that cannot be opened, read or written."""
