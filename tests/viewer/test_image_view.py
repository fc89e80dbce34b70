"""What the mouse does in images: pointing into 3D, zooming, correcting 2D boxes."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autolabel.images import image_boxes
from autolabel.scans import Scans
from autolabel.world import LocalWorld
from fusion.edits import Group
from fusion.labels import ImageBox, LabelSet, Source, Track
from fusion.log import ImageRef
from viewer.actions import by_id
from viewer.desk import Desk
from viewer.images.image_boxes import corrected, derived_boxes, edge_at, key_of, stretched
from viewer.images.image_view import BestView, ImageView
from viewer.images.sightline import cast, ray_of
from viewer.images.zoom import LARGEST, Zoom
from viewer.panes import MAIN
from viewer.pointer import Button, Deed, Held, Pointer
from viewer.scene.handles import Handle
from viewer.scene.shown import Shown
from viewer.scene.views import Size

DO = by_id()
PANEL = Size(400, 300)


@pytest.fixture
def view(desk: Desk) -> ImageView:
    made = ImageView(desk, Shown(desk), "cam_front")
    made.size = PANEL
    made.look(made.source()[0])
    return made


@pytest.fixture
def selected(view: ImageView) -> Iterator[Track]:
    """The object that is largest in the image; all of it is seen."""
    ref = view.source()[0]
    there = [track for track, _ in view.desk.session.present()]
    boxes = derived_boxes(view.outlines, ref, there)
    whole = {k: b for k, b in boxes.items() if b.attributes["truncation"] == 0}
    best = max(whole, key=lambda k: whole[k].right_px - whole[k].left_px)
    view.desk.session.select(best)
    view.desk.show(rectangles=True)
    yield view.desk.session.track


def in_panel(view: ImageView, uv_px: tuple[float, float]) -> tuple[float, float]:
    return view.window(view.source()[1]).to_panel(uv_px, view.size)


def do(view: ImageView, deed: Deed, uv_px: tuple[float, float], **more) -> None:
    view.on_pointer(Pointer(deed, in_panel(view, uv_px), **{"button": Button.LEFT, **more}))


def click(view: ImageView, uv_px: tuple[float, float]) -> None:
    for deed in (Deed.PRESS, Deed.RELEASE):
        do(view, deed, uv_px)


def drag(view: ImageView, start: tuple[float, float], end: tuple[float, float], done: bool = True) -> None:
    places = [in_panel(view, place) for place in (start, end)]
    view.on_pointer(Pointer(Deed.PRESS, places[0], Button.LEFT))
    view.on_pointer(Pointer(Deed.MOVE, places[1]))
    if done:
        view.on_pointer(Pointer(Deed.RELEASE, places[1], Button.LEFT))


places = st.tuples(st.floats(-50, 700), st.floats(-50, 500))


@settings(max_examples=40)
@given(places, places, st.floats(0.1, 30), st.floats(-5, 5))
def test_zooming_keeps_what_is_under_the_mouse(
    center: tuple[float, float], at: tuple[float, float], scale: float, steps: float
) -> None:
    zoom = Zoom(center, scale)
    np.testing.assert_allclose(zoom.to_panel(zoom.to_image(at, PANEL), PANEL), at, atol=1e-6)
    nearer = zoom.zoomed(steps, at, PANEL)
    np.testing.assert_allclose(nearer.to_image(at, PANEL), zoom.to_image(at, PANEL), atol=1e-6)
    assert nearer.scale <= LARGEST
    moved = zoom.shifted(10, -20)
    np.testing.assert_allclose(
        moved.to_image((at[0] + 10, at[1] - 20), PANEL), zoom.to_image(at, PANEL), atol=1e-6
    )
    left, top, right, bottom = zoom.visible(Size(640, 360), PANEL)
    assert 0 <= left < right <= 640
    assert 0 <= top < bottom <= 360


def test_the_whole_image_fits_and_a_rectangle_has_room_around_it() -> None:
    whole = Zoom.fitting(Size(640, 360), PANEL)
    assert whole.visible(Size(640, 360), PANEL) == (0, 0, 640, 360)
    near = Zoom.onto((100, 100, 140, 120), PANEL, 0.5)
    left, top = near.to_panel((100, 100), PANEL)
    right, bottom = near.to_panel((140, 120), PANEL)
    assert min(left, top, PANEL.width_px - right, PANEL.height_px - bottom) > 60
    assert (left + right, top + bottom) == pytest.approx((PANEL.width_px, PANEL.height_px))


def test_wheel_and_drag_look_at_a_part_and_out_again(view: ImageView) -> None:
    at = in_panel(view, (100, 60))
    for _ in range(4):
        view.on_pointer(Pointer(Deed.WHEEL, at, steps=1))
    np.testing.assert_allclose(in_panel(view, (100, 60)), at, atol=1e-9)
    assert view.zoom.scale == pytest.approx(1.25**4 * Zoom.fitting(Size(320, 180), PANEL).scale)
    drag(view, (100, 60), (90, 60))
    np.testing.assert_allclose(in_panel(view, (100, 60)), (at[0] - 10 * view.zoom.scale, at[1]), atol=1e-9)
    assert view.desk.session.store.history() == []
    view.on_pointer(Pointer(Deed.WHEEL, at, steps=-9))
    assert view.zoom is None


def test_a_ray_goes_through_its_pixel(view: ImageView) -> None:
    desk, (ref, _) = view.desk, view.source()
    for uv_px in ((20.0, 30.0), (160.5, 90.25), (300.0, 170.0)):
        ray = ray_of(desk.session.log, desk.session.time_ns, ref, uv_px)
        place = ray.origin + 15.0 * ray.direction
        np.testing.assert_allclose(view.outlines.place(ref, place, desk.session.time_ns), uv_px, atol=1e-3)
    behind = ray.origin - 15.0 * ray.direction
    assert view.outlines.place(ref, behind, desk.session.time_ns) is None


def beside_boxes(view: ImageView, ref: ImageRef) -> int:
    """A point that the image shows, and that no box covers."""
    from viewer.images.pixels import track_at

    seen = view.shown.points_in(ref)
    free = [k for k, uv in enumerate(seen.uv_px) if track_at(view.seen, (float(uv[0]), float(uv[1]))) is None]
    return free[len(free) // 2]


def test_a_click_beside_all_boxes_shows_in_3d_what_is_seen_there(view: ImageView) -> None:
    desk, (ref, _) = view.desk, view.source()
    seen, chosen = view.shown.points_in(ref), beside_boxes(view, ref)
    uv_px = tuple(float(value) for value in seen.uv_px[chosen])
    click(view, uv_px)
    assert desk.session.selected is None
    line = desk.sightline
    assert line.meets
    np.testing.assert_allclose(desk.panes.orbit.target, line.end)
    hit = np.flatnonzero((desk.cloud.points.astype(float) == line.end).all(axis=1))
    (row,) = np.flatnonzero(np.isin(seen.index, hit))
    assert np.hypot(*(seen.uv_px[row] - uv_px)) <= 12
    assert seen.depth_m[row] <= seen.depth_m[chosen]
    lines, _ = view.shown.drawing()
    assert (np.abs(lines.ends - line.end).max(axis=2).min(axis=1) < 1e-4).any()
    DO["frame.next"].run(desk)
    assert desk.sightline is None


def test_without_points_a_click_meets_the_ground_or_only_shows_the_way(view: ImageView) -> None:
    desk, (ref, _) = view.desk, view.source()
    low = cast(desk.session.log, 0, ref, (160.0, 170.0), desk.cloud, None)
    assert low.meets
    assert abs(low.end[2]) < 0.3
    high = cast(desk.session.log, 0, ref, (160.0, 5.0), desk.cloud, None)
    assert not high.meets
    assert np.linalg.norm(high.end - high.eye) == pytest.approx(60.0)
    before = desk.panes.orbit
    desk.point_at(high)
    assert desk.panes.orbit is before


def test_a_click_on_a_box_selects_it_and_hovering_marks_it(view: ImageView) -> None:
    nearest = view.seen[-1]
    middle = np.concatenate(nearest.lines).mean(axis=0)
    do(view, Deed.MOVE, tuple(middle), button=Button.NONE)
    assert view.desk.hovered == nearest.track_id
    click(view, tuple(middle))
    assert view.desk.session.selected == nearest.track_id
    assert view.desk.sightline is None
    view.on_pointer(Pointer(Deed.LEAVE, (0, 0)))
    assert view.desk.hovered is None


def test_the_best_view_follows_the_selection(desk: Desk) -> None:
    best = BestView(desk, Shown(desk), "")
    best.size = PANEL
    assert best.source() is None
    for track, _ in desk.session.present()[:12]:
        desk.session.select(track.id)
        there = best.source()
        seen = [
            derived_boxes(best.outlines, ref, [track]).get(track.id) for ref, _ in desk.frame.images.values()
        ]
        large = [box for box in seen if box is not None and box.right_px - box.left_px > 8]
        if there is None:
            assert not large
            continue
        left, top, right, bottom = best.sight().ltrb_px
        window = best.window(there[1])
        for corner in ((left, top), (right, bottom)):
            x, y = window.to_panel(corner, PANEL)
            assert 0 <= x <= PANEL.width_px
            assert 0 <= y <= PANEL.height_px
        assert best.sight().image.camera == there[0].camera
    before = best.room
    best.on_pointer(Pointer(Deed.WHEEL, (10, 10), steps=2))
    assert best.room < before or best.source() is None


def test_2d_boxes_are_those_of_the_pipeline(view: ImageView) -> None:
    """Of two implementations each looks at the other: this one at single images, that one at whole logs."""
    session, (ref, _) = view.desk.session, view.source()
    there = [track for track, _ in session.present()]
    labels = LabelSet.of(session.labels.tracks.values())
    edits = image_boxes(session.log, labels, Scans(LocalWorld.of(session.log)))
    stored = Group(edits, "all").apply(labels)
    mine = derived_boxes(view.outlines, ref, there, view.desk.cloud, session.time_ns)
    compared = 0
    for track_id, box in mine.items():
        other = stored.tracks[track_id].image_boxes.get(key_of(ref))
        if other is not None:
            sides = ("left_px", "top_px", "right_px", "bottom_px")
            found, wanted = ([getattr(one, side) for side in sides] for one in (box, other))
            np.testing.assert_allclose(found, wanted, atol=1e-6)
            assert box.attributes["truncation"] == other.attributes["truncation"]
            compared += 1
    assert compared > 5


def test_an_edge_is_dragged_and_the_correction_stays(view: ImageView, selected: Track) -> None:
    desk, (ref, _) = view.desk, view.source()
    box = view.rectangles(ref)[selected.id]
    assert box.source is Source.AUTO
    middle = (box.top_px + box.bottom_px) / 2
    drag(view, (box.right_px, middle), (box.right_px - 10, middle))
    mine = desk.session.track.image_boxes[key_of(ref)]
    assert (mine.left_px, mine.top_px, mine.bottom_px) == (box.left_px, box.top_px, box.bottom_px)
    assert mine.right_px == pytest.approx(box.right_px - 10)
    assert mine.source is Source.HUMAN
    assert desk.session.store.history()[-1].title == "Correct the 2D box"
    DO["box.longer"].run(desk)
    assert view.rectangles(ref)[selected.id] == mine
    DO["rectangle.make"].run(desk)
    assert corrected(desk.session.track, ref) == mine
    others = [t for t, _ in desk.session.present() if key_of(ref) in t.image_boxes and t.id != selected.id]
    assert others
    assert {t.image_boxes[key_of(ref)].source for t in others} == {Source.AUTO}
    assert all("visibility" in t.image_boxes[key_of(ref)].attributes for t in others)


def test_told_to_it_follows_the_3d_box_again(view: ImageView, selected: Track) -> None:
    desk, (ref, _) = view.desk, view.source()
    box = view.rectangles(ref)[selected.id]
    drag(view, (box.left_px, box.top_px), (box.left_px - 9, box.top_px - 7))
    assert view.rectangles(ref)[selected.id].left_px == pytest.approx(max(box.left_px - 9, 0))
    DO["rectangle.follow"].run(desk)
    after = view.rectangles(ref)[selected.id]
    assert (after.left_px, after.top_px, after.source) == (box.left_px, box.top_px, Source.AUTO)
    steps = len(desk.session.store.history())
    DO["rectangle.follow"].run(desk)
    assert len(desk.session.store.history()) == steps


def test_escape_lets_go_of_an_edge(view: ImageView, selected: Track) -> None:
    desk, (ref, _) = view.desk, view.source()
    box = view.rectangles(ref)[selected.id]
    middle = (box.left_px + box.right_px) / 2
    drag(view, (middle, box.bottom_px), (middle, box.bottom_px + 15), done=False)
    assert view.rectangles(ref)[selected.id].bottom_px == pytest.approx(min(box.bottom_px + 15, 179))
    DO["object.none"].run(desk)
    assert view.rectangles(ref)[selected.id].bottom_px == box.bottom_px
    assert desk.session.store.history() == []
    assert not view.busy


def test_edges_are_dragged_only_where_2d_boxes_are_shown(view: ImageView, selected: Track) -> None:
    desk, (ref, _) = view.desk, view.source()
    box = view.rectangles(ref)[selected.id]
    DO["view.rectangles"].run(desk)
    assert view.rectangles(ref) == {}
    drag(view, (box.right_px, box.top_px), (box.right_px + 9, box.top_px))
    assert desk.session.store.history() == []


@settings(max_examples=40)
@given(places, st.sampled_from([Handle(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1) if a or b]))
def test_a_2d_box_stays_in_its_image_and_never_turns_inside_out(
    uv: tuple[float, float], edge: Handle
) -> None:
    box = stretched(ImageBox(100, 80, 150, 120), edge, uv, 320, 180)
    assert 0 <= box.left_px < box.right_px <= 319
    assert 0 <= box.top_px < box.bottom_px <= 179


@pytest.mark.parametrize(
    ("uv", "edge"),
    [
        *(((100, 100), Handle(-1, 0)), ((150, 100), Handle(1, 0)), ((125, 80), Handle(0, 1))),
        *(((125, 120), Handle(0, -1)), ((101, 79), Handle(-1, 1)), ((125, 100), None), ((90, 100), None)),
    ],
)
def test_edges_and_corners_are_told_apart(uv: tuple[float, float], edge: Handle | None) -> None:
    assert edge_at(ImageBox(100, 80, 150, 120), uv, 4.0) == edge


def test_hovering_in_3d_names_a_place(desk: Desk) -> None:
    told: list[object] = []
    desk.pointer_moved = lambda: told.append(desk.pointer)
    desk.on_pointer(MAIN, Pointer(Deed.MOVE, (200.0, 200.0), held=Held.NOTHING))
    desk.on_pointer(MAIN, Pointer(Deed.LEAVE, (0.0, 0.0)))
    assert told[0][0] == MAIN
    assert desk.place_under(*told[0]) is not None
    assert told[1] is None
