"""How well labels agree with a truth."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from calib.errors import CrosslabelError
from calib.types import F32, F64, I64, Bools
from fusion.align import points_in_ego, read_deskewed
from fusion.boxes import Box3D, Boxes
from fusion.categories import Kind, kind_of
from fusion.labels import LabelSet
from fusion.log import DriveLog
from fusion.overlap import count_points_in_boxes, iou_3d

MATCH_IOU = 0.5
STRICT_IOU = 0.7


@dataclass(frozen=True, slots=True)
class Score:
    """The agreement of one kind, or of all together. A figure that nothing stands for is NaN.

    Attributes:
        truth: boxes of the truth that count.
        labels: boxes of the labels that count.
        matched: pairs of the two.
        mean_iou: mean 3D IoU over the truth; what is not matched counts as 0.
        mean_iou_matched: the same over the pairs.
        recall_50: share of the truth with a partner of IoU 0.5 or more.
        recall_70: the same with 0.7.
        precision_50: share of the labels with a partner of IoU 0.5 or more.
        center_m: mean distance of the centres of pairs.
        yaw_rad: mean angle between the headings of pairs, half turns taken out.
        flips: share of the pairs that face more than a quarter turn apart.
        size_m: mean over the pairs of the largest error among length, width and height.
        id_switches: how often an object of the truth goes over to another label (Bernardin and
            Stiefelhagen, 2008), pairs of IoU 0.5 or more counted.
        mota_50: one less the share of misses, false boxes and switches in the truth, at IoU 0.5.
    """

    truth: int
    labels: int
    matched: int
    mean_iou: float
    mean_iou_matched: float
    recall_50: float
    recall_70: float
    precision_50: float
    center_m: float
    yaw_rad: float
    flips: float
    size_m: float
    id_switches: int
    mota_50: float

    def as_dict(self) -> dict[str, int | float | None]:
        """For JSON: NaN becomes None."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {name: None if value != value else value for name, value in values.items()}


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Scores over all kinds and for each kind that occurs."""

    overall: Score
    by_kind: Mapping[Kind, Score]

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "overall": self.overall.as_dict(),
            "by_kind": {kind.value: score.as_dict() for kind, score in self.by_kind.items()},
        }


@dataclass(frozen=True, eq=False, slots=True)
class _Frame:
    """The boxes of one kind at one instant, and whose they are."""

    truth_ids: tuple[str, ...]
    label_ids: tuple[str, ...]
    truth: Boxes
    labels: Boxes

    @classmethod
    def of(cls, truth: list[tuple[str, Box3D]], labels: list[tuple[str, Box3D]]) -> _Frame:
        return cls(
            tuple(id for id, _ in truth),
            tuple(id for id, _ in labels),
            Boxes.stack(box for _, box in truth),
            Boxes.stack(box for _, box in labels),
        )

    @property
    def truth_range_m(self) -> F64:
        return np.asarray(np.linalg.norm(self.truth.dst_from_box.translations[:, :2], axis=1))

    @property
    def label_range_m(self) -> F64:
        return np.asarray(np.linalg.norm(self.labels.dst_from_box.translations[:, :2], axis=1))


@dataclass(slots=True)
class _Tally:
    """What one kind has added up to so far.

    `pairs` holds IoU, error of the centre, angle of the heading, error of the size; `partners` the label
    that an object of the truth was last found under.
    """

    truth: int = 0
    labels: int = 0
    switches: int = 0
    pairs: list[tuple[float, float, float, float]] = field(default_factory=list)
    partners: dict[str, str] = field(default_factory=dict)


def evaluate(
    labels: LabelSet,
    truth: LabelSet,
    log: DriveLog | None = None,
    *,
    frames: Iterable[int] | None = None,
    leave_out_ns: Collection[int] = (),
    min_points: int = 0,
    max_range_m: float = np.inf,
    min_score: float = 0.0,
    fallback_m: float = 2.0,
) -> Evaluation:
    """Compares boxes in the ego frame of each instant, kind by kind (a "Van" may match a "Car").

    In each frame the pairs are chosen that have the highest sum of IoU; boxes that do not touch may
    still pair where their centres are within `fallback_m`, after all that do (Hungarian method).

    Args:
        labels: what is judged.
        truth: what it is judged by.
        log: needed for `min_points`.
        frames: the instants compared; all at which the truth has a box unless given.
        leave_out_ns: instants not compared, such as the key frames that labels were made from.
        min_points: boxes of the truth with fewer points count neither as found nor as missed.
        max_range_m: nor do those further from the car; labels out there without a partner do not count.
        min_score: labels with a lower score are left out.
        fallback_m: see above.

    Raises:
        CrosslabelError: points are asked for and there is no log.
    """
    if min_points > 0 and log is None:
        raise CrosslabelError("counting points in boxes needs the log with its sweeps")
    wanted = set(truth.timestamps_ns() if frames is None else frames) - set(leave_out_ns)
    there, here = _by_frame(truth, wanted), _by_frame(labels, wanted, min_score)
    tallies: dict[Kind, _Tally] = defaultdict(_Tally)
    for instant in sorted(wanted):
        cloud = _cloud(log, instant) if log is not None and min_points > 0 else None
        for kind in sorted(there[instant].keys() | here[instant].keys()):
            frame = _Frame.of(there[instant][kind], here[instant][kind])
            counts = frame.truth_range_m <= max_range_m
            if cloud is not None:
                counts &= count_points_in_boxes(cloud, frame.truth) >= min_points
            _add(tallies[kind], frame, counts, max_range_m, fallback_m)
    by_kind = {kind: _score([tallies[kind]]) for kind in sorted(tallies)}
    return Evaluation(_score(tallies.values()), by_kind)


def _by_frame(
    labels: LabelSet, wanted: set[int], min_score: float = 0.0
) -> dict[int, dict[Kind, list[tuple[str, Box3D]]]]:
    frames: dict[int, dict[Kind, list[tuple[str, Box3D]]]] = defaultdict(lambda: defaultdict(list))
    for track in labels.tracks.values():
        kind = kind_of(track.category)
        for instant, annotation in track.annotations.items():
            if instant in wanted and (annotation.score is None or annotation.score >= min_score):
                frames[instant][kind].append((track.id, annotation.box))
    return frames


def _cloud(log: DriveLog, instant: int) -> F32:
    ref = log.sweep_at(instant)
    return np.empty((0, 3), np.float32) if ref is None else points_in_ego(log, read_deskewed(log, ref))


def _add(tally: _Tally, frame: _Frame, counts: Bools, max_range_m: float, fallback_m: float) -> None:
    """Adds one frame; `counts` says which boxes of the truth do."""
    ious = iou_3d(frame.truth, frame.labels)
    rows, columns = _matched(ious, frame, fallback_m)
    free = np.setdiff1d(np.arange(len(frame.labels)), columns)
    tally.truth += int(counts.sum())
    tally.labels += int(counts[rows].sum() + (frame.label_range_m[free] <= max_range_m).sum())
    for row, column in zip(rows, columns, strict=True):
        if counts[row]:
            tally.pairs.append((float(ious[row, column]), *_errors(frame, row, column)))
            if ious[row, column] >= MATCH_IOU:
                _follow(tally, frame.truth_ids[row], frame.label_ids[column])


def _matched(ious: F64, frame: _Frame, fallback_m: float) -> tuple[I64, I64]:
    from scipy.optimize import linear_sum_assignment

    truth, labels = frame.truth.dst_from_box.translations, frame.labels.dst_from_box.translations
    nearness = 1 - np.linalg.norm(truth[:, None] - labels[None], axis=2) / fallback_m
    gains = np.where(ious > 0, 1 + ious, np.maximum(nearness, 0) / (1 + min(ious.shape)))
    rows, columns = linear_sum_assignment(gains, maximize=True)
    kept = gains[rows, columns] > 0
    return rows[kept].astype(np.int64), columns[kept].astype(np.int64)


def _errors(frame: _Frame, row: int, column: int) -> tuple[float, float, float]:
    truth, label = frame.truth.dst_from_box, frame.labels.dst_from_box
    center_m = float(np.linalg.norm(truth.translations[row] - label.translations[column]))
    turn_rad = truth.yaws_rad[row] - label.yaws_rad[column]
    size_m = np.abs(frame.truth.sizes_lwh_m[row] - frame.labels.sizes_lwh_m[column]).max()
    return center_m, float(abs((turn_rad + np.pi) % (2 * np.pi) - np.pi)), float(size_m)


def _follow(tally: _Tally, truth_id: str, label_id: str) -> None:
    tally.switches += tally.partners.get(truth_id, label_id) != label_id
    tally.partners[truth_id] = label_id


def _score(tallies: Iterable[_Tally]) -> Score:
    listed = list(tallies)
    truth, labels = sum(t.truth for t in listed), sum(t.labels for t in listed)
    pairs = np.array([pair for t in listed for pair in t.pairs]).reshape(-1, 4)
    ious, turns_rad = pairs[:, 0], pairs[:, 2]
    switches, good = sum(t.switches for t in listed), int((ious >= MATCH_IOU).sum())
    return Score(
        truth=truth,
        labels=labels,
        matched=len(pairs),
        mean_iou=_ratio(float(ious.sum()), truth),
        mean_iou_matched=_mean(ious),
        recall_50=_ratio(good, truth),
        recall_70=_ratio(int((ious >= STRICT_IOU).sum()), truth),
        precision_50=_ratio(good, labels),
        center_m=_mean(pairs[:, 1]),
        yaw_rad=_mean(np.minimum(turns_rad, np.pi - turns_rad)),
        flips=_mean(turns_rad > np.pi / 2),
        size_m=_mean(pairs[:, 3]),
        id_switches=switches,
        mota_50=1 - _ratio((truth - good) + (labels - good) + switches, truth),
    )


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else np.nan


def _mean(values: F64 | Bools) -> float:
    return float(values.mean()) if len(values) else np.nan
