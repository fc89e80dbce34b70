"""How often box, calibration and clock are told apart: `python -m tests.benchmarks.blame --cache FOLDER`.

Writes docs/blame.md. What the images of simulated drives show, and what a network finds in real ones, is
kept in the folder.
"""

import argparse
import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np

from calib import SE3, Rig
from calib.types import F64
from fusion.boxes import Box3D
from fusion.checks.blame import Culprit, Judgement, Views, judge, views_of
from fusion.checks.blame.boxes import frames_shown
from fusion.checks.blame.decide import LEAST_TIME_S, LEAST_TURN_RAD
from fusion.checks.evidence import Evidence
from fusion.labels import LabelSet
from fusion.log import DriveLog
from tests.benchmarks import blame_page as page
from tests.benchmarks.blame_drives import Case, kitti, pandaset, simulated

REPOSITORY = Path(__file__).parents[2]
SHARED_DATA = Path(os.environ.get("CROSSLABEL_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
SEEDS, SEQUENCES = range(100, 108), ("0003", "0005", "0007", "0009", "0011", "0017")
TURNS_DEG, LATE_MS, SHIFTS_M = (0.1, 0.2, 0.3, 0.5), (10.0, 20.0, 40.0), (0.3, 0.5, 1.0)
AXES = ("pitch", "yaw", "roll")
SILENT = (Culprit.NONE, Culprit.UNDECIDED)
WRONG_BOXES, FARTHEST_M = 10, 50.0


@dataclass
class Tally:
    """What was said in how many cases.

    Attributes:
        said: by kind of error, then by answer.
        beside: by kind of error, how many cameras without an error were blamed.
        needless: boxes named that nobody moved, of how many boxes in images.
        words: what is said where nothing was disturbed.
    """

    said: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    beside: Counter[str] = field(default_factory=Counter)
    needless: Counter[str] = field(default_factory=Counter)
    words: list[str] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        for kind, answers in other.said.items():
            self.said[kind].update(answers)
        self.beside.update(other.beside)
        self.needless.update(other.needless)
        self.words += other.words


def turned(log: DriveLog, camera: str, turn_rad: F64) -> DriveLog:
    """The log whose rig says that a camera is turned, which it is not."""
    given_cam_from_cam = SE3.from_rotation_vector(turn_rad)
    sensor = log.rig.cameras[camera]
    ego_from_given_cam = sensor.ego_from_sensor @ given_cam_from_cam.inverse()
    wrong = replace(sensor, ego_from_sensor=ego_from_given_cam)
    cameras = {**log.rig.cameras, camera: wrong}
    return replace(log, rig=Rig.of(tuple(log.rig.lidars.values()), tuple(cameras.values())))


def late(evidence: list[Evidence], camera: str, late_ms: float) -> list[Evidence]:
    """The evidence with timestamps of one camera that are too late."""
    late_ns = round(1e6 * late_ms)
    return [
        replace(told, timestamp_ns=told.timestamp_ns + late_ns) if told.camera == camera else told
        for told in evidence
    ]


def camera_trials(case: Case, views: Views, camera: str, sign: float) -> Iterator[tuple[str, str, int]]:
    """Kind of error, what was said, how many others were blamed."""
    number = [*case.log.rig.cameras].index(camera)
    others = views.take(np.flatnonzero(views.cameras != number))

    def said(log: DriveLog, evidence: list[Evidence], right: Culprit) -> tuple[str, int]:
        mine = views_of(log, case.labels, evidence, cameras=(camera,))
        found = judge(log, case.labels, evidence, Views.joined([others, mine])).cameras
        named = found[camera].culprit
        beside = sum(one.culprit not in SILENT for name, one in found.items() if name != camera)
        return "right" if named is right else named.value if named in SILENT else "wrong", beside

    for size_deg in TURNS_DEG:
        for axis, name in enumerate(AXES):
            turn_rad = np.radians(sign * size_deg) * np.eye(3)[axis]
            answer = said(turned(case.log, camera, turn_rad), case.evidence, Culprit.CALIBRATION)
            yield f"turned {size_deg:g} deg, {name}", *answer
    for size_ms in LATE_MS:
        answer = said(case.log, late(case.evidence, camera, sign * size_ms), Culprit.CLOCK)
        yield f"clock off by {size_ms:g} ms", *answer


def box_trials(case: Case, judged: Judgement, seed: int) -> Iterator[tuple[str, str, int]]:
    """Some boxes of different tracks are moved; each is one case."""
    tracks, pairs = [*case.labels.tracks.values()], judged.pairs
    both_sides = pairs.usable[:, 0] & pairs.usable[:, 2]
    frames = frames_shown(case.log, tracks, case.evidence, pairs)
    seen = np.unique(np.column_stack([pairs.views.tracks, frames])[both_sides], axis=0)
    for direction in ("across the line of sight", "in any direction"):
        rng, picked = np.random.default_rng(seed), dict[str, int]()
        for track, frame_ns in rng.permutation(seen).tolist():
            center = tracks[track].annotations[frame_ns].box.center
            if np.hypot(*center[:2]) < FARTHEST_M and len(picked) < WRONG_BOXES:
                picked.setdefault(tracks[track].id, frame_ns)
        for size_m in SHIFTS_M:
            wrong = moved(case.labels, picked, size_m, direction, rng)
            found = judge(case.log, wrong, case.evidence, views_of(case.log, wrong, case.evidence))
            beside = sum(one.culprit not in SILENT for one in found.cameras.values())
            named = {(box.track_id, frame_ns) for box in found.boxes for frame_ns in box.timestamps_ns}
            for number, one in enumerate(picked.items()):
                answer = "right" if one in named else "none"
                yield f"one box {size_m:g} m off, {direction}", answer, beside if number == 0 else 0


def moved(
    labels: LabelSet, picked: dict[str, int], size_m: float, direction: str, rng: np.random.Generator
) -> LabelSet:
    """The labels with some boxes shifted along the ground."""
    for track_id, frame_ns in picked.items():
        track = labels.tracks[track_id]
        annotation = track.annotations[frame_ns]
        box, angle_rad = annotation.box, rng.uniform(0, 2 * np.pi)
        if direction.startswith("across"):
            sight_rad = np.arctan2(box.center[1], box.center[0])
            angle_rad = sight_rad + rng.choice([-np.pi / 2, np.pi / 2])
        shift_m = size_m * np.array([np.cos(angle_rad), np.sin(angle_rad), 0.0])
        shifted = Box3D(SE3(box.ego_from_box.rotation, box.center + shift_m), *box.size_lwh_m.tolist())
        labels = labels.with_track(track.with_annotations([replace(annotation, box=shifted)]))
    return labels


def trials(case: Case, cameras: list[str], seed: int) -> Tally:
    """All errors in some cameras of a drive, and in some boxes."""
    tally = Tally()
    views = views_of(case.log, case.labels, case.evidence)
    judged = judge(case.log, case.labels, case.evidence, views)
    for blame in judged.cameras.values():
        named = blame.culprit.value if blame.culprit in SILENT else "wrong"
        tally.said["nothing"]["right" if blame.culprit is Culprit.NONE else named] += 1
        tally.words.append(blame.words)
    tally.needless["boxes named"] += sum(len(box.timestamps_ns) for box in judged.boxes)
    frames = frames_shown(case.log, [*case.labels.tracks.values()], case.evidence, judged.pairs)
    tally.needless["boxes"] += len(np.unique(np.column_stack([judged.pairs.views.tracks, frames]), axis=0))
    for number, camera in enumerate(cameras):
        for kind, answer, beside in camera_trials(case, views, camera, (-1.0) ** (seed + number)):
            tally.said[kind][answer] += 1
            tally.beside[kind] += beside
    for kind, answer, beside in box_trials(case, judged, seed):
        tally.said[kind][answer] += 1
        tally.beside[kind] += beside
    return tally


def on_simulated(seed: int, cache: Path) -> Tally:
    case = simulated(seed, cache)
    names = [*case.log.rig.cameras]
    return trials(case, [names[2 * seed % 6], names[(2 * seed + 3) % 6]], seed)


def on_kitti(sequence: str) -> Tally:
    return trials(kitti(sequence, SHARED_DATA), ["image_02"], int(sequence))


def on_pandaset(cache: Path) -> Tally:
    case = pandaset(SHARED_DATA, cache)
    return trials(case, [*case.log.rig.cameras], 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, required=True, help="folder for what images show")
    parser.add_argument("--seeds", type=int, nargs="*", default=list(SEEDS), help="simulated drives")
    parser.add_argument("--sequences", nargs="*", default=list(SEQUENCES), help="of KITTI")
    parser.add_argument("--page", type=Path, default=REPOSITORY / "docs" / "blame.md")
    arguments = parser.parse_args()
    arguments.cache.mkdir(parents=True, exist_ok=True)
    sets = {"simulated": Tally(), "KITTI": Tally(), "PandaSet": on_pandaset(arguments.cache)}
    with ProcessPoolExecutor(2) as pool:
        for tally in pool.map(on_kitti, arguments.sequences):
            sets["KITTI"].add(tally)
        for tally in pool.map(partial(on_simulated, cache=arguments.cache), arguments.seeds):
            sets["simulated"].add(tally)
            print(*page.rows(sets), sep="\n", flush=True)
    seeds, sequences = ", ".join(map(str, arguments.seeds)), ", ".join(arguments.sequences)
    least = (np.degrees(LEAST_TURN_RAD), 1e3 * LEAST_TIME_S)
    arguments.page.write_text(page.text(sets, seeds, sequences, *least), encoding="utf-8")


if __name__ == "__main__":
    main()
