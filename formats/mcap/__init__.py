"""MCAP files with Foxglove's messages, a file a log: everything that was measured and what is claimed of it.

    /tf, /tf_static, /ego/pose          where the car was, and where its sensors sit
    /lidars/<name>/points               clouds, bit for bit
    /cameras/<name>/image, calibration  images as they were taken, and lenses that Foxglove knows
    /labels                             a SceneUpdate a frame: a cube and a text an object, in `base_link`

An attachment `crosslabel` of JSON keeps what messages have no place for. Files that others wrote open too:
every cube of a SceneUpdate is a box of the track that its entity's id names.
"""

from collections.abc import Iterable
from pathlib import Path

from formats.format import Format
from formats.mcap.read import log_ids, open_log, recognises
from fusion.labels import LabelSet
from fusion.log import DriveLog
from fusion.progress import Progress


def write(
    path: Path, pairs: Iterable[tuple[DriveLog, LabelSet]], *, progress: Progress | None = None
) -> None:
    """Writes logs with their labels (`formats.mcap.write`, which only those load that write).

    Raises:
        FormatError: it cannot be written, or an input file cannot be read.
    """
    from formats.mcap.write import write

    write(path, pairs, progress=progress)


def write_labels(path: Path, log: DriveLog, labels: LabelSet) -> None:
    """Writes the labels of one log alone (`formats.mcap.write`).

    Raises:
        FormatError: it cannot be written.
    """
    from formats.mcap.write import write_labels

    write_labels(path, log, labels)


def read_labels(path: Path, log: DriveLog) -> LabelSet:
    """The labels of a log (`formats.mcap.labels`).

    Raises:
        FormatError: damaged, or a box that cannot be.
    """
    from formats.mcap.labels import read_labels

    return read_labels(path, log)


MCAP = Format(
    name="mcap",
    title="MCAP for Foxglove",
    recognises=recognises,
    log_ids=log_ids,
    open_log=open_log,
    read_labels=read_labels,
    write=write,
    write_labels=write_labels,
    loses=(
        "Points that are not finite or lie at the origin of their LiDAR; rings below 0 or above 4095.",
        "Sweeps and images from outside of the trajectory.",
        "Images that are no files of JPEG or PNG become PNG.",
    ),
)

__all__ = ["MCAP"]
