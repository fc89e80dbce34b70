"""Rules about sensors and their clocks, faces that are off throughout, and what automation is unsure of."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest

from calib.doctor.finding import Finding as RigFinding
from calib.drift import Alarm, DriftReport, DriftVerdict
from calib.drift.turns import Turn
from calib.rig import Lidar
from calib.se3 import SE3Batch
from fusion.checks import Finding, Severity
from fusion.checks.check import asked, check
from fusion.checks.facts import Facts
from fusion.checks.facts.examined import Examined
from fusion.checks.queue import queue
from fusion.edits import LockAnnotations
from fusion.labels import Annotation, LabelSet, Source
from fusion.log import DriveLog, ImageRef
from fusion.trajectory import Trajectory
from tests.blame.conftest import unread
from tests.checks.made_pictures import with_cameras
from tests.checks.made_streets import (
    CAR,
    EGO_FROM_LIDAR,
    RIGHT,
    START_NS,
    STEP_NS,
    Thing,
    changed,
    found,
    labels_of,
    log_of,
    moved,
    only,
    sized,
    straight,
)
from tests.checks.rule_cases import Case, heeds, holds, mends

FRAMES, MS = 20, 1_000_000
NAMES = ("cam_front", "cam_left", "cam_right")
AHEAD = (Thing("ahead", "car", CAR, straight(12.0, -1.5, 5.0)),)


def taken(log: DriveLog, times_ns: Iterable[int], camera: str = "cam_front") -> DriveLog:
    """With images of one camera at these instants alone."""
    refs = tuple(ImageRef(camera, int(t), unread) for t in times_ns)
    return replace(with_cameras(log), images={camera: refs})


def street(frames: int = FRAMES) -> DriveLog:
    return log_of(RIGHT, frames, sweeps=False)


def still(log: DriveLog) -> DriveLog:
    places = SE3Batch(np.tile(np.eye(3), (len(log), 1, 1)), np.zeros((len(log), 3)))
    return replace(log, trajectory=Trajectory(log.timestamps_ns, places))


def test_images_that_have_just_the_times_of_frames_are_told() -> None:
    log, labels = with_cameras(street()), labels_of(RIGHT, FRAMES)
    several = found(log, labels, "K3")
    assert [one.camera for one in several] == list(NAMES)
    assert several[0].words.startswith("cam_front: 20 of 20 images have just the time of a frame")
    assert {one.severity for one in several} == {Severity.INFO} and several[0].value == 1.0
    assert len({one.id for one in several}) == 3
    assert found(with_cameras(street(), late_ns=5 * MS), labels, "K3") == []


def test_some_images_at_times_of_frames_are_chance() -> None:
    log, labels = street(), labels_of(RIGHT, FRAMES)
    times_ns = log.timestamps_ns + np.where(np.arange(FRAMES) % 10 == 0, 7, 0)
    assert found(taken(log, times_ns), labels, "K3") == []
    (one,) = found(taken(log, times_ns), labels, "K3", limits={"share": 0.85})
    assert one.value == pytest.approx(0.9) and "18 of 20" in one.words


def test_too_few_images_and_a_car_that_stands_say_nothing_of_times() -> None:
    labels = labels_of(RIGHT, FRAMES)
    assert found(taken(street(), street().timestamps_ns[:9]), labels, "K3") == []
    assert found(with_cameras(street(9)), labels_of(RIGHT, 9), "K3") == []
    assert check(still(with_cameras(street())), labels, only("K3")).skipped["K3"] == "needs the car's poses"


@pytest.mark.parametrize("late_ms", [0, 30, 50, 70])
def test_images_near_the_sweep_are_silent(late_ms: int) -> None:
    """At ten frames a second no image is further away than half a frame."""
    log = with_cameras(street(), late_ns=late_ms * MS)
    assert found(log, labels_of(RIGHT, FRAMES), "K4") == []


def test_images_far_in_time_from_the_sweep_are_told() -> None:
    labels = labels_of(RIGHT, FRAMES)
    late = with_cameras(street(), late_ns=10_000 * MS)
    several = found(late, labels, "K4")
    assert [one.camera for one in several] == list(NAMES)
    # The nearest image is the first: 10 s after the first frame, 1.9 s less after the last.
    assert several[0].value == pytest.approx(10_000 - 950) and several[0].limit == 50.0
    rare = START_NS + 150 * MS + 400 * MS * np.arange(5)
    (one,) = found(taken(street(), rare), labels, "K4")
    assert one.value == pytest.approx(100, abs=51) and "away from when the LiDAR passes its view" in one.words
    assert found(taken(street(), rare), labels, "K4", limits={"most_ms": 160}) == []


def test_the_beam_says_when_a_view_is_passed() -> None:
    """Images of each camera taken as the beam passes are right, though far from the sweep's own time."""
    offsets = tuple((np.arange(180) * 200 * MS // 180).tolist())
    log = log_of(RIGHT, FRAMES, sweeps=False, lidar=Lidar("lidar", EGO_FROM_LIDAR, offsets))
    labels = labels_of(RIGHT, FRAMES)
    every = 4 * STEP_NS
    # The left camera looks to 60 degrees, a sixth of a turn; only every fourth frame has an image.
    passed_ns = START_NS + 33 * MS + every * np.arange(-1, 6)
    right = taken(log, passed_ns, "cam_left")
    wrong = taken(log, passed_ns + 200 * MS, "cam_left")
    of_some = replace(right, timestamps_ns=log.timestamps_ns[::4])
    (told,) = found(of_some, labels, "K4", limits={"most_ms": -1.0})
    assert told.value == pytest.approx(0, abs=3)
    (told,) = found(replace(wrong, timestamps_ns=log.timestamps_ns[::4]), labels, "K4")
    assert told.value == pytest.approx(200, abs=3)


def test_cameras_without_images_or_place_say_nothing_of_times() -> None:
    labels = labels_of(RIGHT, FRAMES)
    assert found(taken(street(), []), labels, "K4") == []
    unknown = replace(street(), images={"cam_roof": (ImageRef("cam_roof", START_NS + 10**12, unread),)})
    assert found(unknown, labels, "K4") == []
    (one,) = found(taken(street(), [START_NS + 10**10]), labels, "K4")
    assert one.value == pytest.approx(10_000 - 950)


def leaping(by_m: tuple[float, float, float], since: int, until: int | None = None) -> DriveLog:
    """A log whose trajectory is off from one frame on."""
    log = street()
    off_m = np.zeros((FRAMES, 3))
    off_m[since:until] = by_m
    given = log.trajectory.world_from_ego
    world_from_ego = SE3Batch(given.rotations, given.translations + off_m)
    return replace(log, trajectory=Trajectory(log.timestamps_ns, world_from_ego))


def frames_of(findings: Iterable[Finding]) -> list[list[int]]:
    return [[(t - START_NS) // STEP_NS for t in one.timestamps_ns] for one in findings]


@pytest.mark.parametrize(
    ("by_m", "since"),
    [
        ((0.5, 0.3, 0.0), 2),
        ((0.5, 0.3, 0.0), 18),
        ((-3.0, 1.0, 0.0), 10),
        ((0.0, 0.0, 0.4), 10),
        ((0.25, 0.0, 0.0), 9),
    ],
)
def test_a_leap_of_the_cars_pose_is_one_finding_and_no_boxes_are_blamed(
    by_m: tuple[float, float, float], since: int
) -> None:
    (one,) = check(leaping(by_m, since), labels_of(RIGHT, FRAMES)).findings
    assert (one.rule, one.track_id, frames_of([one])) == ("K6", None, [[since]])
    assert one.value == pytest.approx(np.linalg.norm(by_m)) and one.limit == 0.2
    assert one.words.startswith(f"6 of 6 objects step {np.linalg.norm(by_m):.2f} m together")


@pytest.mark.parametrize("until", [11, 12, 13])
def test_a_leap_and_the_one_back_are_two(until: int) -> None:
    findings = check(leaping((0.5, 0.3, 0.0), 10, until), labels_of(RIGHT, FRAMES)).findings
    assert {one.rule for one in findings} == {"K6"} and frames_of(findings) == [[10], [until]]


def test_a_small_leap_is_not_told_and_projects_say_what_is_small() -> None:
    labels = labels_of(RIGHT, FRAMES)
    assert check(leaping((0.15, 0.0, 0.0), 10), labels).findings == ()
    assert found(leaping((0.5, 0.3, 0.0), 10), labels, "K6", limits={"least_m": 0.7}) == []
    assert len(found(leaping((0.15, 0.0, 0.0), 10), labels, "K6", limits={"least_m": 0.1})) == 1


def test_one_object_that_steps_is_itself_to_blame() -> None:
    labels = changed(labels_of(RIGHT, FRAMES), "parked", range(10, FRAMES), moved(y=0.5))
    findings = check(street(), labels).findings
    assert [(one.rule, one.track_id) for one in findings] == [("T15", "parked")]
    assert findings[0].words == "0.50 m to the left of the boxes before in 2 frames"


def test_three_objects_are_too_few_to_blame_the_car() -> None:
    few = tuple(thing for thing in RIGHT if thing.id in ("parked", "braking", "bus"))
    findings = check(leaping((0.5, 0.3, 0.0), 10), labels_of(few, FRAMES)).findings
    assert [one.rule for one in findings] == ["T15"] * 3
    assert [one.words.split(" the boxes")[0] for one in findings] == [
        "0.51 m ahead of", "0.50 m ahead of", "0.50 m behind"
    ]  # fmt: skip


def drift(moved_since: int | None) -> DriftReport:
    turn = Turn(np.radians([0.0, 0.4, 0.0]), np.eye(3) * 1e-8)
    words = "looks 0.40 degrees further left than before"
    alarm = None
    if moved_since is not None:
        at_ns = START_NS + STEP_NS * moved_since
        alarm = Alarm(moved_since + 3, at_ns + 3 * STEP_NS, moved_since, at_ns, turn, "yaw", words, 5.0)
    verdict = DriftVerdict.STEADY if alarm is None else DriftVerdict.MOVED
    return DriftReport(verdict, "", None, (), alarm, FRAMES, FRAMES, 20.0)


def examined(examined: Examined) -> Facts:
    return replace(Facts.of(with_cameras(street()), labels_of(RIGHT, FRAMES)), examined=examined)


def test_a_camera_that_moves_is_told_with_the_frame() -> None:
    facts = examined(Examined((), {"cam_front": drift(None), "cam_left": drift(7)}))
    (one,) = asked(facts, only("K1"))[0]
    assert (one.rule, one.camera, frames_of([one])) == ("K1", "cam_left", [[7]])
    assert one.words == "cam_left: looks 0.40 degrees further left than before"
    assert asked(facts, only("K5"))[0] == []
    assert [one.severity for one in asked(facts, only("K1", severity="info"))[0]] == [Severity.INFO]


def test_mistakes_in_the_rig_are_told_and_suspicions_are_not() -> None:
    rig = (
        RigFinding("inverted", "cam_front", "wrong", "The extrinsic is inverted", "turn it round"),
        RigFinding("pixels", "cam_front", "wrong", "The intrinsics are of another image size"),
        RigFinding("mount", "lidar", "wrong", "The LiDAR is turned by 90 degrees"),
        RigFinding("times", "cam_left", "suspicious", "Its times are odd"),
        RigFinding("roll", "cam_right", "note", "It is tilted"),
    )
    told, _ = asked(examined(Examined(rig, {})), only("K5"))
    assert [(one.camera, one.words) for one in told] == [
        ("cam_front", "The extrinsic is inverted: turn it round"),
        ("cam_front", "The intrinsics are of another image size"),
        (None, "The LiDAR is turned by 90 degrees"),
    ]
    assert len({one.id for one in told}) == 3, "each can be accepted by itself"
    assert len(queue(told)) == 3


def test_sensors_that_nobody_looked_at_are_not_asked() -> None:
    skipped = check(with_cameras(street()), labels_of(RIGHT, FRAMES)).skipped
    assert skipped["K1"] == skipped["K5"] == "needs a look at the sensors themselves"


THROUGHOUT = (
    Case(
        "P16", lambda labels: changed(labels, "ahead", range(12), sized(length=1.1)), "ahead",
        "back is 0.23 m or more off the points in nearly all frames", 0.225, 0.04 * 4.95,
        {"gap_m": 0.25}, within=0.001, things=AHEAD, sweeps=True,
    ),
    Case(
        "P16", lambda labels: changed(labels, "ahead", range(12), moved(y=0.2)), "ahead",
        "left side is 0.20 m or more off the points", 0.2, "gap_m", {"gap_m": 0.25}, within=0.001,
        things=AHEAD, sweeps=True,
    ),
    Case(
        "P17", lambda labels: changed(labels, "ahead", range(12), moved(y=-0.1)), "ahead",
        "points right outside of its left side in 100 % of the frames", 41 / 497, "share",
        {"share": 0.1}, things=AHEAD, sweeps=True,
    ),
    Case(
        "P17", lambda labels: changed(labels, "ahead", range(2, 10), sized(width=0.9)), "ahead",
        "left side in 67 % of the frames", 41 / 474, "share", {"frames": 0.7}, things=AHEAD, sweeps=True,
    ),
)  # fmt: skip


@pytest.mark.parametrize("case", THROUGHOUT, ids=str)
def test_a_face_that_is_off_throughout_is_found(case: Case) -> None:
    holds(case)
    mends(case)


@pytest.mark.parametrize("case", THROUGHOUT, ids=str)
def test_projects_change_what_is_off_throughout(case: Case) -> None:
    heeds(case)


@pytest.mark.parametrize("rule", ["P16", "P17"])
def test_a_face_that_is_off_now_and_then_is_not(rule: str) -> None:
    """Of a third of the frames nothing is said: just this part may not have been hit."""
    log, labels = log_of(AHEAD), labels_of(AHEAD)
    assert found(log, changed(labels, "ahead", range(4), moved(y=0.2)), rule) == []
    assert found(log, changed(labels, "ahead", range(4), moved(y=-0.2)), rule) == []


@pytest.mark.parametrize("rule", ["P16", "P17"])
def test_a_short_track_says_nothing_of_what_is_throughout(rule: str) -> None:
    log, labels = log_of(AHEAD, 4), labels_of(AHEAD, 4)
    wrong = changed(labels, "ahead", range(4), moved(y=0.2))
    assert found(log, wrong, rule) == []
    assert len(found(log, wrong, rule, limits={"least_frames": 4})) == 1


def with_boxes(labels: LabelSet, id: str, how: dict[int, Annotation]) -> LabelSet:
    track = labels.tracks[id]
    return labels.with_track(track.with_annotations(list(how.values())))


def unsure(labels: LabelSet, id: str, reasons: dict[int, str], source: Source = Source.AUTO) -> LabelSet:
    """Some boxes of which automation says that they want a look."""
    boxes = labels.tracks[id].annotations
    times_ns = {frame: START_NS + STEP_NS * frame for frame in reasons}
    put = {
        frame: replace(boxes[t], source=source, attributes={"look": reasons[frame]})
        for frame, t in times_ns.items()
    }
    return with_boxes(labels, id, put)


@pytest.mark.parametrize("source", [Source.AUTO, Source.INTERPOLATED])
def test_what_automation_is_unsure_of_wants_a_look(source: Source) -> None:
    log, labels = street(), labels_of(RIGHT, FRAMES)
    reasons = {3: "few points", 4: "few points", 9: "another size"}
    (one,) = check(log, unsure(labels, "bend", reasons, source)).findings
    assert (one.rule, one.track_id, one.severity) == ("I9", "bend", Severity.WARNING)
    assert one.words == "few points (2), another size (1)" and frames_of([one]) == [[3, 4, 9]]


def test_at_most_three_reasons_are_named() -> None:
    wrong = unsure(labels_of(RIGHT, FRAMES), "bend", {k: f"reason {k % 5}" for k in range(12)})
    (one,) = found(street(), wrong, "I9")
    assert one.words == "reason 0 (3), reason 1 (3), reason 2 (2)" and len(one.timestamps_ns) == 12


@pytest.mark.parametrize("source", [Source.HUMAN, Source.IMPORTED])
def test_what_people_made_or_confirmed_wants_no_look(source: Source) -> None:
    labels = labels_of(RIGHT, FRAMES)
    assert found(street(), unsure(labels, "bend", {3: "few points"}, source), "I9") == []
    wrong = unsure(labels, "bend", {3: "few points", 4: "few points"})
    seen = LockAnnotations("bend", (START_NS + 3 * STEP_NS,), True).apply(wrong)
    (one,) = found(street(), seen, "I9")
    assert frames_of([one]) == [[4]] and one.words == "few points (1)"


def test_two_attributes_that_are_left_out_are_two_findings() -> None:
    labels = labels_of(RIGHT, FRAMES)
    for id in ("parked", "bend", "braking"):
        boxes = labels.tracks[id].annotations
        said = {"visible": "yes", "lights": "off"}
        put = {n: replace(a, attributes=said) for n, a in enumerate(boxes.values())}
        if id == "bend":
            put[5] = replace(put[5], attributes={})
        labels = with_boxes(labels, id, put)
    told = found(street(), labels, "I8")
    assert [one.words for one in told] == ["lights is not said in 1 frame", "visible is not said in 1 frame"]
    assert {one.track_id for one in told} == {"bend"} and frames_of(told) == [[5], [5]]
    assert len({one.id for one in told}) == 2
    assert found(street(), labels, "I8", limits={"least_boxes": 61}) == []
    assert found(street(), labels, "I8", classes={"car": {"share": 0.999}}) == []
    assert len(found(street(), labels, "I8", classes={"bus": {"share": 0.999}})) == 2
