"""The effort meter: what counts as an action, whose it is, what counts as time, and what a crash leaves."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from scripts.cli import app
from viewer.actions import by_id
from viewer.desk import Desk
from viewer.effort import Noted, by_box, by_track, effort_file, read_effort, write_csv
from viewer.panes import MAIN
from viewer.pointer import Button, Deed, Held, Pointer
from viewer.scene.views import Orbit, Side, to_pixels

DO = by_id()


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at_s = 100.0

    def __call__(self) -> float:
        return self.at_s


@pytest.fixture
def clock(desk: Desk) -> Clock:
    desk.effort.now_s = clock = Clock()
    return clock


def noted(desk: Desk) -> list[Noted]:
    return read_effort(effort_file(desk.session.store.path))


def two_cars(desk: Desk) -> tuple[str, str]:
    cars = [track.id for track, _ in desk.session.present() if track.category == "car"]
    return cars[0], cars[1]


def test_a_drag_is_one_action_however_often_it_moves(desk: Desk, drag: Callable[..., None]) -> None:
    car, _ = two_cars(desk)
    desk.session.select(car)
    drag(desk, Side.TOP, (200, 150), (230, 120))
    (one,) = noted(desk)
    assert (one.action, one.track, one.frame_ns) == ("mouse", car, desk.session.time_ns)
    assert one.category == "car"
    assert desk.effort.actions == 1


def test_a_key_is_one_action_and_so_is_a_click(desk: Desk) -> None:
    car, _ = two_cars(desk)
    desk.session.select(car)
    DO["box.flip"].do(desk)
    DO["object.confirm"].do(desk)
    desk.on_pointer(MAIN, Pointer(Deed.PRESS, (5.0, 5.0), Button.LEFT))
    desk.on_pointer(MAIN, Pointer(Deed.RELEASE, (5.0, 5.0), Button.LEFT))
    assert [one.action for one in noted(desk)] == ["box.flip", "object.confirm", "mouse"]
    assert desk.effort.actions == 3


def test_the_wheel_and_moving_about_are_none(desk: Desk) -> None:
    for deed in (Deed.MOVE, Deed.WHEEL, Deed.LEAVE):
        desk.on_pointer(MAIN, Pointer(deed, (50.0, 50.0), steps=1.0))
    assert desk.effort.actions == 0
    assert not effort_file(desk.session.store.path).exists()


def test_a_new_box_is_what_its_drag_was_for(desk: Desk, drag: Callable[..., None]) -> None:
    car, _ = two_cars(desk)
    desk.session.select(car)
    x, y, z = desk.session.annotation.box.center
    desk.look(MAIN, Orbit((x, y, z), 26.0, 0.0, np.radians(89.9)))
    box = desk.session.annotation.box
    half = np.array([box.length_m / 2, 0, 0])
    tail, front = to_pixels(
        desk.panes.orbit, desk.panes.size(MAIN), box.ego_from_box @ np.array([-half, half])
    )[0]
    desk.session.select(None)
    desk.category = "car"
    drag(desk, MAIN, tuple(tail), tuple(front), held=Held.CTRL)
    (one,) = noted(desk)
    assert one.track == desk.session.selected != car


def test_what_removes_an_object_was_done_to_it(desk: Desk) -> None:
    car, _ = two_cars(desk)
    desk.session.select(car)
    DO["object.remove"].do(desk)
    (one,) = noted(desk)
    assert one.track == car
    assert desk.session.selected is None


def test_time_goes_on_until_nothing_is_done_for_five_seconds(desk: Desk, clock: Clock) -> None:
    car, _ = two_cars(desk)
    desk.session.select(car)
    for after_s in (0.0, 2.0, 3.0, 60.0, 1.5):
        clock.at_s += after_s
        desk.on_pointer(MAIN, Pointer(Deed.MOVE, (50.0, 50.0)))
    clock.at_s += 0.5
    DO["box.flip"].do(desk)
    (one,) = noted(desk)
    assert one.seconds == pytest.approx(2.0 + 3.0 + 1.5 + 0.5)


def test_time_belongs_to_what_was_selected_while_it_passed(desk: Desk, clock: Clock) -> None:
    first, second = two_cars(desk)
    desk.session.select(first)
    DO["box.flip"].do(desk)
    clock.at_s += 4.0
    desk.effort.noticed()
    desk.session.select(second)
    desk.effort.did("mouse")
    clock.at_s += 1.0
    DO["box.flip"].do(desk)
    spent = {one.track: one for one in by_track(noted(desk))}
    assert (spent[first].actions, spent[first].seconds) == (1, pytest.approx(4.0))
    assert (spent[second].actions, spent[second].seconds) == (2, pytest.approx(1.0))


def test_what_does_not_go_is_an_action_too(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from fusion.errors import EditError

    car, _ = two_cars(desk)
    desk.session.select(car)

    def refuse(edit: object) -> None:
        raise EditError("no")

    monkeypatch.setattr(desk.session, "apply", refuse)
    with pytest.raises(EditError):
        DO["box.flip"].do(desk)
    assert [one.action for one in noted(desk)] == ["box.flip"]


def test_boxes_and_objects_are_summed_and_written(desk: Desk, tmp_path: Path) -> None:
    car, other = two_cars(desk)
    desk.session.select(car)
    DO["box.flip"].do(desk)
    DO["frame.next"].do(desk)
    DO["box.flip"].do(desk)
    desk.session.select(other)
    DO["box.flip"].do(desk)
    boxes, tracks = by_box(noted(desk)), by_track(noted(desk))
    assert sum(box.actions for box in boxes) == sum(track.actions for track in tracks) == 4
    assert [track.actions for track in tracks if track.track == car] == [3]
    assert len([box for box in boxes if box.track == car]) == 2
    write_csv(tmp_path / "effort.csv", boxes)
    with (tmp_path / "effort.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["track"] for row in rows] == [box.track for box in boxes]
    assert sum(int(row["actions"]) for row in rows) == 4


def test_a_line_that_a_crash_cut_off_costs_only_itself(make_desk: Callable[[], Desk]) -> None:
    desk = make_desk()
    car, _ = two_cars(desk)
    desk.session.select(car)
    for _ in range(3):
        DO["box.flip"].do(desk)
    path = effort_file(desk.session.store.path)
    path.write_bytes(path.read_bytes()[:-9] + b"\xff")
    desk.session.store.close()
    again = make_desk()
    again.session.select(car)
    DO["box.flip"].do(again)
    assert [one.action for one in read_effort(path)] == ["box.flip"] * 3


@pytest.mark.parametrize(
    "line",
    ["", "{}", "[1]", "null", '{"at_s": "NaN"}', '{"at_s": 1e999, "action": "a", "track": "1"}', "\x00"],
)
def test_lines_that_mean_nothing_are_left_out(tmp_path: Path, line: str) -> None:
    good = {"at_s": 1.0, "action": "a", "track": "1", "category": "car", "frame_ns": 5, "seconds": 1.0}
    worse = [{**good, "seconds": value} for value in (-1.0, float("nan"), float("inf"))]
    path = tmp_path / "effort.jsonl"
    path.write_text("\n".join([line, json.dumps(good), *map(json.dumps, worse)]), encoding="utf-8")
    assert read_effort(path) == [Noted(**good)]


def test_labelling_goes_on_where_effort_cannot_be_noted(desk: Desk, tmp_path: Path) -> None:
    desk.effort.path = tmp_path / "nowhere" / "effort.jsonl"
    car, _ = two_cars(desk)
    desk.session.select(car)
    for _ in range(2):
        DO["box.flip"].do(desk)
    assert len(desk.session.store.history()) == 2
    assert desk.effort.actions == 2


def test_the_command_prints_it_and_exports_it(desk: Desk, tmp_path: Path) -> None:
    labels = desk.session.store.path
    nothing = CliRunner().invoke(app, ["effort", str(labels)])
    assert nothing.exit_code != 0
    car, _ = two_cars(desk)
    desk.session.select(car)
    for _ in range(2):
        DO["box.flip"].do(desk)
    shown = CliRunner().invoke(app, ["effort", str(labels), "--csv", str(tmp_path / "out.csv")])
    assert shown.exit_code == 0, shown.output
    assert "objects: 1, actions: 2" in shown.output
    assert (tmp_path / "out.csv").read_text(encoding="utf-8").count("\n") == 2
    listed = CliRunner().invoke(app, ["effort", str(labels), "--json"])
    assert json.loads(listed.output)["objects"][0]["actions"] == 2
