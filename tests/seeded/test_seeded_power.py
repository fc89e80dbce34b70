"""What counts as found: hand-made findings, and checks that know everything, nothing, or too much."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calib.rig import Rig
from fusion.boxes import Box3D
from fusion.checks import Finding, Severity
from fusion.labels import Annotation, LabelSet, Track
from fusion.log import DriveLog
from fusion.seeded import (
    GRID,
    ErrorKind,
    Level,
    Power,
    SeedConfig,
    Seeded,
    SeededError,
    Share,
    score_findings,
    self_test,
)
from fusion.seeded.rules import NAMING, names
from fusion.seeded.self_test import Check
from fusion.trajectory import Trajectory

Drive = tuple[DriveLog, LabelSet]
FRAMES_NS = tuple(range(0, 20 * 100_000_000, 100_000_000))


def track_at(id: str, x_m: float, frames: Sequence[int] = range(20)) -> Track:
    box = Box3D.upright((x_m, 0, 0.8), (4, 2, 1.6), 0.0)
    return Track.of(id, "car", [Annotation(FRAMES_NS[k], box) for k in frames])


def small(errors: list[SeededError], after: LabelSet | None = None, **origins: tuple[str, ...]) -> Seeded:
    """A standing car with tracks a, b, c at 10, 30 and 50 m, and errors that are only told."""
    log = DriveLog("small", Rig.of(), Trajectory.standing(np.array(FRAMES_NS)), np.array(FRAMES_NS))
    labels = LabelSet.of([track_at("a", 10), track_at("b", 30), track_at("c", 50)])
    return Seeded(log, after or labels, tuple(errors), labels, (), origins)


def found(rule: str, track: str | None = None, frames: Sequence[int] = (), **more: object) -> Finding:
    times_ns = tuple(FRAMES_NS[k] for k in frames)
    return Finding(rule, Severity.WARNING, "", 5.0, track, times_ns, **more)  # type: ignore[arg-type]


def error(kind: ErrorKind, track: str | None = "a", frames: Sequence[int] = (5,), **more) -> SeededError:
    times_ns = tuple(FRAMES_NS[k] for k in frames)
    return SeededError(kind, 1.0, "told", track, more.pop("other", None), times_ns, **more)


SHIFT = error(ErrorKind.SHIFT_ONE)


def caught(seeded: Seeded, after: list[Finding], before: list[Finding] | None = None) -> tuple[int, int]:
    """Errors that were caught, and by rules that tell of them."""
    power = score_findings(seeded, before or [], after)
    row = power.all()
    return int(row.recall.part), int(row.named.part)


@pytest.mark.parametrize(
    ("finding", "expected"),
    [
        (found("P4", "a", [5]), (1, 1)),
        (found("P4", "a", [6]), (1, 1)),
        (found("P4", "a", [7]), (0, 0)),
        (found("P4", "a"), (1, 1)),
        (found("P4", "b", [5]), (0, 0)),
        (found("P10", "b", [5], other_id="a"), (1, 0)),
        (found("P9", "a", range(20)), (1, 0)),
        (found("K2", None, camera="front"), (0, 0)),
        (found("K2", "a", [5]), (0, 0)),
        (found("P14", None, [5], place=(13.5, 0.0, 0.5)), (1, 0)),
        (found("P14", None, [5], place=(14.5, 0.0, 0.5)), (0, 0)),
        (found("P14", None, [9], place=(10.0, 0.0, 0.5)), (0, 0)),
        (found("I2", None, [5]), (0, 0)),
    ],
)
def test_a_shift_is_caught_by_what_leads_to_the_box(finding: Finding, expected: tuple[int, int]) -> None:
    assert caught(small([SHIFT]), [finding]) == expected


def test_a_missing_object_is_found_at_its_place() -> None:
    after = LabelSet.of([track_at("b", 30), track_at("c", 50)])
    seeded = small([error(ErrorKind.MISSING_TRACK, "a", range(20))], after)
    for x_m, expected in ((8.0, 1), (6.1, 1), (5.9, 0), (30.0, 0)):
        cluster = found("P14", None, range(4, 10), place=(x_m, 0.0, 0.0))
        assert caught(seeded, [cluster])[0] == expected


def test_a_camera_is_found_by_rules_about_cameras() -> None:
    drift = error(ErrorKind.DRIFT, None, (), camera="front")
    seeded = small([drift])
    assert caught(seeded, [found("K2", camera="front")]) == (1, 1)
    assert caught(seeded, [found("K4", camera="front")]) == (1, 0)
    assert caught(seeded, [found("K2", camera="left")]) == (0, 0)
    about_box = found("C1", "b", [3], camera="front")
    assert caught(seeded, [about_box]) == (0, 0)
    # What a turned camera makes of right boxes is its fault, no false finding.
    assert score_findings(seeded, [], [about_box]).all().precision == Share(1, 1)
    assert score_findings(seeded, [], [replace(about_box, camera="left")]).all().precision == Share(0, 1)


def test_what_was_said_before_catches_nothing() -> None:
    seeded = small([SHIFT])
    said = found("P4", "a", range(3, 8))
    assert caught(seeded, [said], [said]) == (0, 0)
    assert caught(seeded, [replace(said, value=3.0)], [said]) == (0, 0)
    assert caught(seeded, [found("P4", "a", [5])], [said]) == (0, 0)
    assert caught(seeded, [found("P5", "a", [5])], [said]) == (1, 1)
    # The same rule at frames of the same track that it did not name before has found something new.
    assert caught(seeded, [found("P4", "a", [0, 5])], [found("P4", "a", [0])]) == (1, 1)
    cluster = found("P14", None, [5], place=(12.0, 0.0, 0.0))
    assert caught(seeded, [cluster], [replace(cluster, place=(11.0, 0.5, 0.0))]) == (0, 0)
    assert caught(seeded, [cluster], [replace(cluster, place=(40.0, 0.5, 0.0))]) == (1, 0)


def test_what_was_said_before_is_known_under_a_new_id() -> None:
    after = LabelSet.of([track_at("a", 10, range(10)), track_at("a-2", 10, range(10, 20))])
    cut = error(ErrorKind.CUT, "a", (9, 10), other="a-2")
    seeded = small([cut], after, **{"a-2": ("a",)})
    old = found("P9", "a", range(20))
    assert caught(seeded, [found("P9", "a-2", range(10, 20))], [old]) == (0, 0)
    assert caught(seeded, [found("P9", "a-2", range(10, 20))], []) == (1, 0)
    assert caught(seeded, [found("T10", "a-2", [10], other_id="a")], [old]) == (1, 1)


def test_precision_counts_new_findings_and_all_of_them() -> None:
    seeded = small([SHIFT])
    old = [found("P4", "b", [1]), found("P4", "c", [1]), found("P6", "c", [1])]
    power = score_findings(seeded, old, [*old, found("P4", "a", [5]), found("P4", "c", [15])])
    assert power.all().precision == Share(1, 2)
    assert power.all().precision_exact == Share(1, 5)
    row = power.kinds()[0]
    assert row.precision == Share(1, 2)
    assert row.precision_exact == Share(1, 4)  # P6 does not tell of shifts
    assert power.first_new[50] == Share(1, 2) and power.first_exact[50] == Share(1, 5)


def test_what_each_rule_found() -> None:
    seeded = small([SHIFT, error(ErrorKind.SIZE_ONE, "b")])
    before = [found("P10", "c", [1])]
    after = [
        *before,
        found("P4", "a", [5]),
        found("P4", "b", [5]),
        found("P4", "c", [9]),
        found("P2", "c", [9]),
    ]
    rules = {rule.id: rule for rule in score_findings(seeded, before, after).rules()}
    assert list(rules) == ["P2", "P4", "P10"]
    assert rules["P4"].precision == Share(2, 3) and rules["P2"].precision == Share(0, 1)
    assert rules["P10"].precision.whole == 0 and rules["P10"].precision_exact == Share(0, 1)
    assert rules["P4"].kinds == (ErrorKind.SHIFT_ONE, ErrorKind.SIZE_ONE)


def test_false_findings_are_shared_by_the_errors_they_could_have_been() -> None:
    one, two = SHIFT, error(ErrorKind.SHIFT_ONE, "b", (9,))
    seeded = small([replace(one, amount=0.2), two])
    power = score_findings(seeded, [], [found("P4", "a", [5]), found("P4", "b", [9]), found("P4", "c", [1])])
    assert [row.precision for row in power.levels(ErrorKind.SHIFT_ONE)] == [Share(1, 1.5), Share(1, 1.5)]
    assert power.kinds()[0].precision == Share(2, 3)


def test_opening_a_track_shows_ten_frames_at_most() -> None:
    seeded = small([SHIFT, error(ErrorKind.SIZE_TRACK, "b", range(20))])
    queue = [found("P9", "c", range(20)), found("P4", "a", [5]), found("P9", "b"), found("P4", "b", [0])]
    power = score_findings(seeded, [], queue)
    curve = dict(zip(GRID.round(3).tolist(), power.caught_by_share.tolist(), strict=True))
    assert curve[0.16] == 0  # ten of sixty for c
    assert curve[0.185] == 1 and curve[0.345] == 1  # one more for a
    assert curve[0.35] == 2  # ten more for b; its first frame has been seen
    assert power.opened_for(0.5) == pytest.approx(0.185) and power.opened_for(0.9) == pytest.approx(0.35)
    assert score_findings(seeded, [], queue[:2]).opened_for(0.9) is None


def test_the_order_of_the_queue_counts() -> None:
    seeded = small([SHIFT])
    good, bad = found("P4", "a", [5]), [found("P4", "c", [2 * k]) for k in range(10)]
    head, tail = (score_findings(seeded, [], queue) for queue in ([good, *bad], [*bad, good]))
    assert head.opened_for() < tail.opened_for()
    many = [found("I2", "c", [k % 20], value=k) for k in range(60)]
    power = score_findings(seeded, [], [good, *many])
    assert power.first_new[50] == Share(1, 50) and power.first_new[100] == Share(1, 61)


def test_no_errors_and_no_findings() -> None:
    power = score_findings(small([]), [], [])
    assert power.errors == 0 and power.opened_for() is None and np.isnan(power.all().recall.value)
    power = Power.together([])
    assert power.kinds() == [] and power.opened_for() is None
    assert power.gross().recall.as_dict()["share"] is None


def test_rules_are_known_by_the_beginning_of_their_ids() -> None:
    assert names("P1", ErrorKind.EMPTY) and names("P1-deep", ErrorKind.EMPTY)
    assert not names("P11", ErrorKind.EMPTY) and names("P11", ErrorKind.DUPLICATE)
    assert set(NAMING) == set(ErrorKind)


@given(whole=st.integers(1, 500), share=st.floats(0, 1))
def test_the_interval_holds_the_share(whole: int, share: float) -> None:
    part = round(share * whole)
    low, high = Share(part, whole).interval
    assert 0 <= low <= part / whole + 1e-12 and part / whole - 1e-12 <= high <= 1
    wide, wider = Share(part, whole).interval, Share(4 * part, 4 * whole).interval
    assert wider[1] - wider[0] < wide[1] - wide[0]


def test_a_known_interval() -> None:
    """Wilson's interval of 8 in 10 as tables give it."""
    assert Share(8, 10).interval == pytest.approx((0.4902, 0.9433), abs=1e-4)


def oracle(drive: Drive) -> Check:
    """A check that compares with the truth, and names what it sees by the rules of the catalogue."""
    given, truth = drive

    def check(log: DriveLog, labels: LabelSet) -> list[Finding]:
        findings: list[Finding] = []
        for id, track in labels.tracks.items():
            old = truth.tracks.get(id)
            if old is None:
                findings.append(Finding("P11", Severity.MANDATORY, "", 5, id, tuple(track.annotations)))
                continue
            wrong = tuple(t for t, a in track.annotations.items() if old.annotations.get(t) != a)
            wrong += tuple(old.annotations.keys() - track.annotations.keys())
            if wrong:
                findings.append(Finding("P4", Severity.WARNING, "", 5, id, tuple(sorted(wrong))))
            elif track != old:
                findings.append(Finding("I3", Severity.WARNING, "", 5, id))
        for id in truth.tracks.keys() - labels.tracks.keys():
            first = next(iter(truth.tracks[id].annotations.values()))
            place = tuple(first.box.center.tolist())
            findings.append(Finding("P14", Severity.WARNING, "", 5, None, (first.timestamp_ns,), place=place))
        for name, sensor in log.rig.cameras.items():
            ego_from_given = given.rig.cameras[name].ego_from_sensor
            if not sensor.ego_from_sensor.is_close(ego_from_given):
                findings.append(Finding("K1", Severity.WARNING, "", 60, camera=name))
            if log.images[name] != given.images[name]:
                findings.append(Finding("K4", Severity.WARNING, "", 60, camera=name))
        return findings

    return check


def test_a_check_that_knows_everything_finds_everything(drive: Drive) -> None:
    steps: list[tuple[str, int, int]] = []
    power = self_test(*drive, oracle(drive), SeedConfig(), range(6), lambda *step: steps.append(step))
    assert power.seeds == 6 and power.errors > 40 and power.missed == ()
    assert power.all().recall.value == 1 and power.all().precision.value == 1
    assert power.first_new[50].value == 1 and power.opened_for() < 0.1
    assert steps[-1] == ("self-test", 6, 6)
    assert sum(row.recall.whole for row in power.kinds()) == power.errors


def test_a_check_that_knows_nothing_finds_nothing(drive: Drive) -> None:
    power = self_test(*drive, lambda log, labels: [], SeedConfig(), range(2))
    assert power.errors > 10 and len(power.missed) == power.errors
    assert power.all().recall.value == 0 and power.opened_for() is None
    assert power.missed[0].startswith("seed 0: ")


def test_a_check_that_cries_at_everything_is_no_better(drive: Drive) -> None:
    """What it says of right boxes it says before, so nothing it says later is new."""

    def cry(log: DriveLog, labels: LabelSet) -> list[Finding]:
        return [Finding("P4", Severity.WARNING, "", 5, id) for id in labels.tracks]

    config = SeedConfig(levels=(Level(ErrorKind.SHIFT_ONE, 1.0, True), Level(ErrorKind.CUT)))
    power = self_test(*drive, cry, config, range(3))
    assert power.all().recall.value == 0 and power.gross().precision_exact.value == 0
