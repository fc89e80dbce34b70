"""What is found of what is truly there, and what each of its boxes is worth."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from autolabel.config import Config
from autolabel.detect import Detector
from autolabel.pipeline import Given, applied, label
from autolabel.scans import Scans
from autolabel.world import LocalWorld
from calib.types import F64, Bools
from fusion.boxes import Boxes
from fusion.categories import Kind, kind_of
from fusion.labels import Annotation, LabelSet, Track
from fusion.overlap import iou_3d, iou_bev
from tests.benchmarks.detector_drives import LabelledDrive

LEAST_POINTS, FARTHEST_M, LEAST_SCORE = 20, 40.0, 0.3
FOUND_IOU, FOUND_M = 0.3, 0.4
GROUPS = {
    Kind.CAR: "car",
    Kind.TRUCK: "heavy",
    Kind.BUS: "heavy",
    Kind.TRAILER: "heavy",
    Kind.CONSTRUCTION: "heavy",
    Kind.BICYCLE: "cyclist",
    Kind.MOTORCYCLE: "cyclist",
    Kind.PEDESTRIAN: "person",
}


@dataclass(frozen=True, slots=True)
class Sought:
    """One object in one frame, and the box on it, whatever that is called.

    Attributes:
        group: see `GROUPS`.
        away_m: from the car.
        found: whether there is a box on it; what follows is NaN or false where there is none.
        iou: of the volumes.
        off_m: (3,) how far off the centre is, along, across and up.
        size_m: (3,) how much too long, wide and high.
        size_ok: whether each is right within 10 % or 0.2 m.
        turn_rad: how far off the heading is, half turns left out.
        flipped: whether it faces backwards.
        kind_ok: whether the kind is right.
    """

    group: str
    away_m: float
    found: bool
    iou: float = 0.0
    off_m: tuple[float, float, float] = (np.nan, np.nan, np.nan)
    size_m: tuple[float, float, float] = (np.nan, np.nan, np.nan)
    size_ok: tuple[bool, bool, bool] = (False, False, False)
    turn_rad: float = np.nan
    flipped: bool = False
    kind_ok: bool = False

    @property
    def center_ok(self) -> bool:
        return bool(np.linalg.norm(self.off_m) <= 0.2)

    @property
    def no_edit_but_flip(self) -> bool:
        return self.center_ok and all(self.size_ok) and self.turn_rad <= np.radians(10) and self.kind_ok

    @property
    def no_edit(self) -> bool:
        return self.no_edit_but_flip and not self.flipped


@dataclass(frozen=True, slots=True)
class Claim:
    """One box.

    Attributes:
        group: what it is called.
        away_m: from the car.
        score: how sure the detector is.
        on_something: whether it is the best box on some true object, however few points that has.
        right: whether that object is of its kind as well.
    """

    group: str
    away_m: float
    score: float
    on_something: bool
    right: bool


@dataclass
class Findings:
    """All of a drive."""

    true: list[Sought] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)


def findings(drive: LabelledDrive, detector: Detector) -> Findings:
    """What a detector makes of a drive frame by frame, within `FARTHEST_M` of the car."""
    made, scans = Findings(), Scans(LocalWorld.of(drive.log))
    for frame in range(len(scans)):
        found = detector.detect(scans, frame)
        ego_from_local = scans.world.local_from_ego(scans.frames_ns[frame : frame + 1])[0].inverse()
        present = list(drive.truth.at(int(scans.frames_ns[frame])))
        add_frame(made, present, found.boxes.moved(ego_from_local), found.categories, found.scores)
    return made


def label_findings(drive: LabelledDrive, detector: Detector | None = None) -> Findings:
    """What the whole pipeline makes of it, from nothing."""
    proposal = label(drive.log, Given(detector=detector), Config(rectangles=False))
    made, labels = Findings(), applied(LabelSet(), proposal.edits)
    for frame_ns in LocalWorld.of(drive.log).frames_ns.tolist():
        found = list(labels.at(frame_ns))
        boxes = Boxes.stack(annotation.box for _, annotation in found)
        scores = np.array([annotation.score or 0.0 for _, annotation in found])
        names = [track.category for track, _ in found]
        add_frame(made, list(drive.truth.at(frame_ns)), boxes, names, scores)
    return made


def add_frame(
    made: Findings,
    truth: Sequence[tuple[Track, Annotation]],
    boxes: Boxes,
    categories: Sequence[str],
    scores: F64,
) -> None:
    """Adds one frame: what is there, and the boxes that were made, both in the ego frame."""
    kinds = [kind_of(category) for category in categories]
    present = [(kind_of(track.category), annotation) for track, annotation in truth]
    true = Boxes.stack(a.box for _, a in present)
    sure = np.flatnonzero(scores >= LEAST_SCORE)
    partners = partners_of(true, boxes.take(sure))
    for k, (kind, annotation) in enumerate(present):
        if kind in GROUPS and counts(annotation):
            partner = int(sure[partners[k]]) if partners[k] >= 0 else -1
            made.true.append(compared(annotation, kind, boxes, kinds, partner, true.take(np.array([k]))))
    everyone = partners_of(true, boxes)
    owner = {partner: present[k][0] for k, partner in enumerate(everyone) if partner >= 0}
    for k, kind in enumerate(kinds):
        away_m = float(np.hypot(*boxes.dst_from_box.translations[k, :2]))
        if away_m <= FARTHEST_M:
            right = k in owner and owner[k] is kind
            made.claims.append(Claim(GROUPS[kind], away_m, float(scores[k]), k in owner, right))


def counts(annotation: Annotation) -> bool:
    """Whether an object is seen well enough to be asked for."""
    points = annotation.attributes["num_points"]
    near = float(np.hypot(*annotation.box.center[:2])) <= FARTHEST_M
    return near and isinstance(points, int) and points >= LEAST_POINTS


def partners_of(true: Boxes, boxes: Boxes) -> list[int]:
    """The box that lies on each true object, -1 where none does."""
    from scipy.optimize import linear_sum_assignment

    between = true.dst_from_box.translations[:, None, :2] - boxes.dst_from_box.translations[None, :, :2]
    near: Bools = np.linalg.norm(between, axis=2) <= FOUND_M
    ious = iou_bev(true, boxes)
    gains: F64 = np.where((ious >= FOUND_IOU) | near, 1 + ious, 0.0)
    chosen = [-1] * len(true)
    for row, column in zip(*linear_sum_assignment(gains, maximize=True), strict=True):
        if gains[row, column] > 0:
            chosen[row] = int(column)
    return chosen


def compared(
    annotation: Annotation, kind: Kind, boxes: Boxes, kinds: list[Kind], partner: int, mine: Boxes
) -> Sought:
    """An object with the box on it."""
    group, away_m = GROUPS.get(kind, "other"), float(np.hypot(*annotation.box.center[:2]))
    if partner < 0:
        return Sought(group, away_m, False)
    its, size = boxes.take(np.array([partner])), annotation.box.size_lwh_m
    box_from_ego = annotation.box.ego_from_box.inverse()
    off_m, size_m = box_from_ego @ its.dst_from_box.translations[0], its.sizes_lwh_m[0] - size
    turn = abs((its.dst_from_box.yaws_rad[0] - annotation.box.yaw_rad + np.pi) % (2 * np.pi) - np.pi)
    size_ok = np.abs(size_m) <= np.maximum(0.1 * size, 0.2)
    return Sought(
        group, away_m, True, float(iou_3d(mine, its)[0, 0]), tuple(off_m.tolist()), tuple(size_m.tolist()),
        tuple(size_ok.tolist()), float(min(turn, np.pi - turn)), bool(turn > np.pi / 2),
        kinds[partner] is kind,
    )  # fmt: skip


def groups_of(made: Findings) -> Iterator[str]:
    """The groups that occur."""
    yield from sorted({t.group for t in made.true} | {c.group for c in made.claims if c.score >= LEAST_SCORE})
