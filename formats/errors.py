"""The error of every reader and writer."""

from pathlib import Path

from calib.errors import CrosslabelError


class FormatError(CrosslabelError):
    """A file that is not what it should be; names the file and the place in it."""

    def __init__(self, path: Path | str, where: str, message: str) -> None:
        """Says `path: where: message`; an empty `where` is left out."""
        self.path, self.where, self.message = str(path), where, message
        super().__init__(": ".join(part for part in (self.path, where, message) if part))
