"""T4, the data sets of TIER IV for Autoware: tables as in nuScenes, a folder a scene (written).

Who made a box stands there as `automatic_annotation` and `autolabel_metadata`. Readers of T4 refuse fields
that they do not know, so what else T4 has no place for lies beside, in `crosslabel/labels.json`.
"""

from pathlib import Path

from formats.format import Format
from formats.losses import Part
from formats.t4.write import write


def _recognises(path: Path) -> bool:
    """What is written can be opened as nuScenes, by whose reader."""
    return False


def _no_logs(path: Path) -> list[str]:
    return []


T4 = Format(
    name="t4",
    title="T4",
    recognises=_recognises,
    log_ids=_no_logs,
    write=write,
    loses=(
        "What of an instant is less than a microsecond.",
        "Which LiDAR measured a point, and when: all of them are taken to the instant of the frame.",
        "Columns of points beside x, y, z and intensity, but the ring where there is one LiDAR.",
        "Names of classes, attributes, locks, rectangles in images and reviews: they lie beside, in a file "
        "of our own.",
        "The model behind an automatic box: one without a name is called crosslabel, one without a score "
        "has 0.",
        "Sweeps and images that were taken outside of the trajectory.",
        "Lenses beside pinholes with up to five coefficients: their images are resampled.",
    ),
    drops=frozenset(Part) - {Part.BOXES, Part.PLACES},
    options={"hard_links": "link image files where the file system can, instead of copying them"},
)

__all__ = ["T4"]
