"""The errors that a user can cause; the command line prints each as one line."""


class CrosslabelError(Exception):
    """Root of every error that bad input or bad arguments can cause."""


class CalibrationError(CrosslabelError):
    """A transform or a camera model that cannot be right."""
