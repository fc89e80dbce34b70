"""COCO (Lin et al., 2014): 2D boxes of every image in one JSON, written.

    annotations/instances.json      images/<log>/<camera>/<timestamp_ns>.jpg

A box is the one that a track has in the image, else what its 3D box shows there, at the image's own instant
and through its own lens, cut at the border. Coordinates count from the outer corner of the first pixel, as
those of COCO do, so they are ours and a half. `attributes` hold what COCO has no place for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import Any, TextIO

import numpy as np

from calib.se3 import SE3
from formats.errors import FormatError
from formats.files import atomic_folder, inside, replaced_file
from formats.format import Format
from formats.losses import Part
from formats.nuscenes.images import ImageWriter
from fusion.categories import kind_of
from fusion.course import Course
from fusion.labels import Annotation, ImageBox, LabelSet, Track
from fusion.log import DriveLog, ImageRef
from fusion.progress import Progress
from fusion.rectangles import Cloud, rectangles_in, shown_at

ANNOTATIONS, IMAGES = Path("annotations") / "instances.json", "images"
KINDS = ("copy", "none")
HALF_PX = 0.5
NOTHING_HIDES = Cloud(np.zeros((0, 3), np.float32), np.zeros(0, np.int32), SE3.identity())

Row = dict[str, Any]


def write(
    path: Path,
    pairs: Iterable[tuple[DriveLog, LabelSet]],
    *,
    images: str = "copy",
    progress: Progress | None = None,
) -> None:
    """Writes images and 2D boxes of logs into a folder that is new or empty.

    Raises:
        FormatError: something stands there, it cannot be written, or a name leads out of the folder.
    """
    if images not in KINDS:
        raise FormatError(path, "images", f"{images!r} is none of {', '.join(KINDS)}")
    with atomic_folder(path) as folder, _json(folder / ANNOTATIONS) as written:
        for log, labels in pairs:
            _write_log(written, path, log, labels, folder if images == "copy" else None, progress)


def write_labels(path: Path, log: DriveLog, labels: LabelSet) -> None:
    """Writes the 2D boxes of a log: `path` itself where it ends in .json, else `<log>.json` in that folder.

    Raises:
        FormatError: it cannot be written, or a name leads out of the folder.
    """
    file = path if path.suffix == ".json" else inside(path, f"{log.name}.json", path, "name of the log")
    with _json(file) as written:
        _write_log(written, path, log, labels, None, None)


class _Written:
    """A file of COCO, written row by row; annotations wait elsewhere until the images are through."""

    def __init__(self, images: TextIO, annotations: TextIO) -> None:
        self._files = {"images": images, "annotations": annotations}
        self._counts = dict.fromkeys(self._files, 0)
        self._categories: dict[str, int] = {}
        self.instances = 0

    def add(self, kind: str, row: Row) -> int:
        """Writes a row and returns its id."""
        comma = "\n" if self._counts[kind] == 0 else ",\n"
        self._counts[kind] += 1
        text = json.dumps({"id": self._counts[kind], **row}, allow_nan=False, ensure_ascii=False)
        self._files[kind].write(comma + text)
        return self._counts[kind]

    def category(self, name: str) -> int:
        """The id of a category, in order of appearance."""
        return self._categories.setdefault(name, len(self._categories) + 1)

    def categories(self) -> list[Row]:
        """Every category that was asked for."""
        known = self._categories.items()
        return [{"id": id, "name": name, "supercategory": str(kind_of(name))} for name, id in known]


@contextmanager
def _json(file: Path) -> Iterator[_Written]:
    """Gives what writes a file, which is whole at the end or not there."""
    with (
        replaced_file(file) as part,
        part.open("w", encoding="utf-8") as out,
        TemporaryFile("w+", encoding="utf-8") as rest,
    ):
        written = _Written(out, rest)
        out.write('{"info": {"description": "written by Crosslabel"}, "licenses": [], "images": [')
        yield written
        out.write('],\n"annotations": [')
        rest.seek(0)
        copyfileobj(rest, out)
        out.write(f'],\n"categories": {json.dumps(written.categories(), ensure_ascii=False)}}}\n')


def _write_log(
    written: _Written,
    path: Path,
    log: DriveLog,
    labels: LabelSet,
    folder: Path | None,
    progress: Progress | None,
) -> None:
    numbers = {id: written.instances + place for place, id in enumerate(labels.tracks, start=1)}
    written.instances += len(numbers)
    courses = {id: Course.of(log, track) for id, track in labels.tracks.items() if track.annotations}
    done, count = 0, sum(map(len, log.images.values()))
    for name, images in log.images.items():
        writer = ImageWriter(log.rig.cameras[name], hard_links=False, undistort=False)
        derived = _derived(log, courses, images)
        for image in images:
            file = f"{log.name}/{name}/{image.timestamp_ns}{writer.ending(image)}"
            place = inside((folder or path) / IMAGES, file, path, "name of the log or camera")
            if folder is not None:
                place.parent.mkdir(parents=True, exist_ok=True)
                writer.write(place, image)
            image_id = written.add("images", _image_row(log, image, file))
            for track in labels.tracks.values():
                row = _annotation_row(log, image, track, derived[image.timestamp_ns].get(track.id))
                if row is not None:
                    row |= {"image_id": image_id, "category_id": written.category(track.category)}
                    row["attributes"] |= {"instance": numbers[track.id]}
                    written.add("annotations", row)
            done += 1
            if progress is not None:
                progress(log.name, done, count)


def _image_row(log: DriveLog, image: ImageRef, file: str) -> Row:
    model = log.rig.cameras[image.camera].model
    origin = {"log": log.name, "camera": image.camera, "timestamp_ns": image.timestamp_ns}
    return {"file_name": file, "width": model.width_px, "height": model.height_px, "crosslabel": origin}


def _derived(
    log: DriveLog, courses: dict[str, Course], images: Sequence[ImageRef]
) -> dict[int, dict[str, tuple[float, ...]]]:
    """By image and track: left, top, right, bottom of what a 3D box shows, and the share that is cut off."""
    found: dict[int, dict[str, tuple[float, ...]]] = {image.timestamp_ns: {} for image in images}
    covered = [image for image in images if log.trajectory.covers(image.timestamp_ns)]
    for shown in shown_at(log, courses, covered):
        solid = np.ones(len(shown.boxes))
        seen = rectangles_in(log, shown.image, shown.boxes, shown.velocities_mps, NOTHING_HIDES, solid)
        for id, ltrb_px, cut in zip(shown.track_ids, seen.ltrb_px, seen.truncation, strict=True):
            if np.isfinite(ltrb_px).all():
                found[shown.image.timestamp_ns][id] = (*ltrb_px.tolist(), float(cut))
    return found


def _annotation_row(
    log: DriveLog, image: ImageRef, track: Track, derived: tuple[float, ...] | None
) -> Row | None:
    """What a track shows in an image; None where it shows nothing."""
    model = log.rig.cameras[image.camera].model
    own = track.image_boxes.get((image.camera, image.timestamp_ns))
    said: Row = {"track": track.id}
    sides: tuple[float, ...]
    maker: ImageBox | Annotation
    if own is not None:
        sides, maker = (own.left_px, own.top_px, own.right_px, own.bottom_px), own
    elif derived is not None:
        sides, maker = derived[:4], _nearest(track, image.timestamp_ns)
        said |= {"derived": True, "truncation": round(derived[4], 3)}
    else:
        return None
    said |= {"source": str(maker.source)} | ({} if maker.score is None else {"score": maker.score})
    ends = np.clip(np.array(sides).reshape(2, 2) + HALF_PX, 0, (model.width_px, model.height_px))
    (x, y), (width, height) = ends[0].tolist(), (ends[1] - ends[0]).tolist()
    if width <= 0 or height <= 0:
        return None
    box = {"bbox": [x, y, width, height], "area": width * height, "segmentation": [], "iscrowd": 0}
    return {**box, "attributes": said}


def _nearest(track: Track, timestamp_ns: int) -> Annotation:
    return track.annotations[min(track.annotations, key=lambda t: abs(t - timestamp_ns))]


def _never(path: Path) -> bool:
    return False


def _none(path: Path) -> list[str]:
    return []


COCO = Format(
    name="coco",
    title="COCO 2D boxes",
    recognises=_never,
    log_ids=_none,
    write=write,
    write_labels=write_labels,
    loses=(
        "All but 2D boxes, categories, ids of tracks, authors and scores: nothing in 3D, no calibration.",
        "Boxes that no image shows; a box that follows from 3D is as loose as the 3D box is.",
        "It is written only: other people's 2D boxes are not read.",
    ),
    drops=frozenset(Part),
    options={"images": "copy (default), or none to leave images out"},
)
