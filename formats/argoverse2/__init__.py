"""Argoverse 2's sensor data set in its own layout of Feather tables, with what it has no place for beside."""

from formats.argoverse2.folder import logs
from formats.argoverse2.labels import read_labels
from formats.argoverse2.read import open_log, recognises
from formats.argoverse2.write import write, write_labels
from formats.format import Format

LOSES = (
    "Instants of sweeps of LiDARs beside the main one: the nearest of each is taken to the instant of the "
    "main one's sweep, others are left out.",
    "Points as they were before they were deskewed, and up to a step of float32 of their places in the frame "
    "of the car (4 micrometres at 100 m).",
    "Sweeps and images that were taken outside of the trajectory.",
    "Images that are no JPEG are compressed as such; with undistort (the default) also the distortion of a "
    "camera and the pixels as they were taken.",
    "A character in the name of a log that no folder may have.",
)

ARGOVERSE2 = Format(
    name="argoverse2",
    title="Argoverse 2",
    recognises=recognises,
    log_ids=logs,
    open_log=open_log,
    read_labels=read_labels,
    write=write,
    write_labels=write_labels,
    loses=LOSES,
    options={
        "undistort": "resample images of cameras with distortion to a pinhole (default), or leave them be"
    },
)

__all__ = ["ARGOVERSE2"]
