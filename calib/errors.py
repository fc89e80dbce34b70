"""The errors that a user can cause; the command line prints each as one line."""

MOST_CHARACTERS = 800


class CrosslabelError(Exception):
    """Root of every error that bad input or bad arguments can cause; one line, whatever files hold."""

    def __str__(self) -> str:
        said = " ".join(super().__str__().split())
        half = MOST_CHARACTERS // 2
        return said if len(said) <= MOST_CHARACTERS else f"{said[:half]} ... {said[-half:]}"


class CalibrationError(CrosslabelError):
    """A transform or a camera model that cannot be right."""
