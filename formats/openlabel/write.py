"""Labels written as OpenLABEL."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from formats.errors import FormatError
from formats.extras import labels_extra
from formats.files import inside, write_json
from formats.openlabel.systems import FARTHEST_M, system_names, systems_and_streams, transform_data
from formats.openlabel.words import EXTRA, INSTANT, LOCKED, SCORE, SOURCE, Said, say, uid_of
from formats.provenance import require_near
from fusion.boxes import Boxes
from fusion.labels import Annotation, ImageBox, LabelSet, Track
from fusion.log import DriveLog

VERSION = "1.0.0"
CUBOID, BOX = "cuboid", "bbox"
Entry = dict[str, Any]


def write_labels(path: Path, log: DriveLog, labels: LabelSet) -> None:
    """Writes the labels of a log: `path` itself where it ends in .json, else `<log>.json` in that folder.

    Frames are those of the log and whatever instants are labelled beside; the 2D box of an image stands in
    the frame that is nearest.

    Raises:
        FormatError: it cannot be written, or the log's name leads out of the folder.
    """
    file = label_file(path, log.name)
    require_near(file, labels, FARTHEST_M / 2)
    instants_ns = _instants_ns(log, labels)
    cameras = {camera for track in labels.tracks.values() for camera, _ in track.image_boxes}
    names = system_names(log, cameras)
    systems, streams = systems_and_streams(log.rig, names, cameras)
    writer = _Writer(file, names["ego"], instants_ns)
    for track in labels.tracks.values():
        writer.add(track)
    frames = {str(n): writer.frame(n, _properties(log, names, t)) for n, t in enumerate(instants_ns)}
    intervals = _intervals(range(len(instants_ns)))
    content = {
        "metadata": _metadata(log, labels),
        "coordinate_systems": systems,
        "streams": streams,
        "objects": writer.objects,
        "frames": frames,
        **({"frame_intervals": intervals} if intervals else {}),
    }
    write_json(file, {"openlabel": content})


def label_file(path: Path, log_name: str) -> Path:
    """Where the labels of a log belong under a path.

    Raises:
        FormatError: the name of the log leads out of the folder.
    """
    if path.suffix.lower() == ".json":
        return path
    return inside(path, f"{log_name}.json", path, "name of the log")


def _metadata(log: DriveLog, labels: LabelSet) -> Entry:
    """What is said of the whole set; the rest of a track stands with its object."""
    extra = {key: value for key, value in labels_extra(labels).items() if key != "tracks"}
    return {
        "schema_version": VERSION,
        "name": log.name,
        "annotator": "Crosslabel",
        "comment": "timestamps are nanoseconds; centres of pixels are whole numbers",
        EXTRA: extra,
    }


def _instants_ns(log: DriveLog, labels: LabelSet) -> list[int]:
    instants_ns = {*log.timestamps_ns.tolist(), *labels.timestamps_ns()}
    if not instants_ns:
        instants_ns = {t for track in labels.tracks.values() for _, t in track.image_boxes}
    return sorted(instants_ns)


def _properties(log: DriveLog, names: dict[str, str], timestamp_ns: int) -> Entry:
    said: Entry = {"timestamp": timestamp_ns}
    if log.trajectory.covers(timestamp_ns):
        world_from_ego = log.trajectory.at(timestamp_ns)
        way: Entry = {"src": names["ego"], "dst": names["world"]}
        way["transform_src_to_dst"] = transform_data(world_from_ego)
        said["transforms"] = {f"{names['ego']}_to_{names['world']}": way}
    return said


class _Writer:
    """Gathers the objects of a file, and what each frame holds of them."""

    def __init__(self, file: Path, ego: str, instants_ns: list[int]) -> None:
        self.file, self.ego, self.instants_ns = file, ego, instants_ns
        self.numbers = {t: number for number, t in enumerate(instants_ns)}
        self.objects: Entry = {}
        self._frames: dict[int, Entry] = {}

    def add(self, track: Track) -> None:
        uid, where = uid_of(track.id), f"track {track.id!r}"
        if uid in self.objects:
            raise FormatError(self.file, where, f"another track has the key {uid}")
        pointers: dict[str, list[int]] = {}
        boxes = Boxes.stack(annotation.box for annotation in track.annotations.values())
        quaternions = boxes.dst_from_box.quaternions_wxyz.tolist()
        for (t, annotation), (w, x, y, z) in zip(track.annotations.items(), quaternions, strict=True):
            cuboid = self._cuboid(where, annotation, [x, y, z, w])
            self._put(uid, self.numbers[t], CUBOID, cuboid)
            pointers.setdefault(CUBOID, []).append(self.numbers[t])
        for (camera, t), box in track.image_boxes.items():
            number, entry = self._nearest(t), self._box(where, camera, t, box)
            self._put(uid, number, BOX, entry)
            pointers.setdefault(entry["name"], []).append(number)
        known = sorted({number for numbers in pointers.values() for number in numbers})
        data = say(self.file, where, track.attributes)
        self.objects[uid] = {
            "name": track.id,
            "type": track.category,
            "coordinate_system": self.ego,
            **({"frame_intervals": _intervals(known)} if known else {}),
            **({"object_data": data} if data else {}),
            "object_data_pointers": {
                name: {
                    "type": CUBOID if name == CUBOID else BOX,
                    "frame_intervals": _intervals(sorted(set(numbers))),
                }
                for name, numbers in pointers.items()
            },
        }

    def frame(self, number: int, properties: Entry) -> Entry:
        return {"frame_properties": properties, **self._frames.get(number, {})}

    def _put(self, uid: str, number: int, kind: str, entry: Entry) -> None:
        objects = self._frames.setdefault(number, {"objects": {}})["objects"]
        data = objects.setdefault(uid, {"object_data": {}})["object_data"]
        data.setdefault(kind, []).append(entry)

    def _cuboid(self, where: str, annotation: Annotation, turn: list[float]) -> Entry:
        box = annotation.box
        value = [*box.center.tolist(), *turn, *box.size_lwh_m.tolist()]
        locked = {LOCKED: True} if annotation.locked else {}
        said = self._said(where, annotation, **locked)
        return {"name": CUBOID, "val": value, "coordinate_system": self.ego, "attributes": said}

    def _box(self, where: str, camera: str, timestamp_ns: int, box: ImageBox) -> Entry:
        middle = [(box.left_px + box.right_px) / 2, (box.top_px + box.bottom_px) / 2]
        value = [*middle, box.right_px - box.left_px, box.bottom_px - box.top_px]
        said = self._said(where, box, **{INSTANT: timestamp_ns})
        return {"name": f"{BOX} {camera}", "val": value, "coordinate_system": camera, "attributes": said}

    def _said(self, where: str, one: Annotation | ImageBox, **ours: int | bool) -> Said:
        score = {} if one.score is None else {SCORE: one.score}
        return say(self.file, where, one.attributes, **{SOURCE: str(one.source)}, **score, **ours)

    def _nearest(self, timestamp_ns: int) -> int:
        after = min(bisect_left(self.instants_ns, timestamp_ns), len(self.instants_ns) - 1)
        before = max(after - 1, 0)
        early_ns, late_ns = (abs(self.instants_ns[n] - timestamp_ns) for n in (before, after))
        return before if early_ns <= late_ns else after


def _intervals(numbers: Iterable[int]) -> list[dict[str, int]]:
    """Rising numbers as intervals, both ends included."""
    intervals: list[dict[str, int]] = []
    for number in numbers:
        if intervals and intervals[-1]["frame_end"] == number - 1:
            intervals[-1]["frame_end"] = number
        else:
            intervals.append({"frame_start": number, "frame_end": number})
    return intervals
