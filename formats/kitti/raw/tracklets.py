"""`tracklet_labels.xml`: objects over consecutive frames, in the frame of the Velodyne."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from calib.errors import CrosslabelError
from calib.se3 import SE3
from formats.errors import FormatError
from formats.kitti.raw.folder import TRACKLETS, drive_of
from formats.kitti.raw.xml import read_xml
from formats.turns import matrix_of_turns
from fusion.boxes import Box3D
from fusion.labels import Annotation, Json, LabelSet, Source, Track
from fusion.log import DriveLog

POSE = ("tx", "ty", "tz", "rx", "ry", "rz")
FARTHEST = 1e6


def read_labels(path: Path, log: DriveLog) -> LabelSet:
    """The tracklets of a drive, called by their place in the file; none where there is no such file.

    What the file says of a pose beside its place and turn (state, occlusion, truncation and the amounts) is
    in the attributes of the annotation.

    Raises:
        FormatError: the file is malformed, or a tracklet goes on beyond the log.
    """
    file = path if path.suffix == ".xml" else drive_of(path, log.name).folder / TRACKLETS
    if not file.is_file():
        return LabelSet()
    root = read_xml(file)
    tracklets = root.find("tracklets")
    if tracklets is None:
        raise FormatError(file, "", "without tracklets")
    frames_ns = log.timestamps_ns.tolist()
    items = enumerate(tracklets.findall("item"))
    return LabelSet.of(_track(_Place(file, f"tracklet {n}", item), str(n), frames_ns) for n, item in items)


class _Place:
    """An element and where it stands."""

    def __init__(self, path: Path, where: str, element: Element) -> None:
        self.path, self.where, self.element = path, where, element

    def error(self, message: str) -> FormatError:
        return FormatError(self.path, self.where, message)

    def text(self, name: str) -> str:
        found = self.element.find(name)
        if found is None:
            raise self.error(f"without {name}")
        return (found.text or "").strip()

    def number(self, name: str) -> float:
        text = self.text(name)
        try:
            value = float(text)
        except ValueError:
            value = np.nan
        if not abs(value) <= FARTHEST:
            raise self.error(f"{name} cannot be {text[:40]!r}")
        return value


def _track(place: _Place, id: str, frames_ns: list[int]) -> Track:
    first = place.number("first_frame")
    poses = place.element.findall("poses/item")
    if first < 0 or first != int(first) or first + len(poses) > len(frames_ns):
        message = f"{len(poses)} poses from frame {first:g} on are not in the log, which has {len(frames_ns)}"
        raise place.error(message)
    size_lwh_m = (place.number("l"), place.number("w"), place.number("h"))
    annotations = [
        _annotation(
            _Place(place.path, f"{place.where}, pose {k}", pose), frames_ns[int(first) + k], size_lwh_m
        )
        for k, pose in enumerate(poses)
    ]
    return Track.of(id, place.text("objectType"), annotations)


def _annotation(place: _Place, timestamp_ns: int, size_lwh_m: tuple[float, float, float]) -> Annotation:
    """The origin of a tracklet's pose is the centre of the lower face."""
    *bottom, about_x, about_y, about_z = (place.number(name) for name in POSE)
    ego_from_bottom = SE3(matrix_of_turns((about_z, about_y, about_x), "ZYX"), np.array(bottom))
    bottom_from_box = SE3(np.eye(3), np.array([0.0, 0.0, size_lwh_m[2] / 2]))
    try:
        box = Box3D(ego_from_bottom @ bottom_from_box, *size_lwh_m)
    except CrosslabelError as error:
        raise place.error(str(error)) from None
    return Annotation(timestamp_ns, box, Source.IMPORTED, attributes=dict(_said(place.element)))


def _said(pose: Element) -> Iterator[tuple[str, Json]]:
    for part in pose:
        if part.tag in POSE or len(part):
            continue
        text = (part.text or "").strip()
        try:
            number = float(text)
            known = np.isfinite(number)
        except ValueError:
            number, known = 0.0, False
        yield part.tag, (int(number) if number.is_integer() else number) if known else text
