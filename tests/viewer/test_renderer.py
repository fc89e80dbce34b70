"""Pixels as the graphics card makes them, without a window."""

from collections.abc import Iterator

import moderngl
import numpy as np
import pytest

from fusion.boxes import Box3D
from viewer.gl import Renderer
from viewer.scene.shapes import BoxLook, box_faces, box_lines
from viewer.scene.views import Orbit, Size, clip_from_ego

SIZE = (160, 120)
BOX = Box3D.upright((10, 0, 1), (4, 2, 2), 0.3)


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    try:
        context = moderngl.create_standalone_context(require=330, backend="egl")
    except Exception as error:
        pytest.skip(f"no OpenGL without a window: {error}")
    yield Renderer(context)
    context.release()


def cloud(seed: int = 0, count: int = 4000):
    dice = np.random.default_rng(seed)
    points = dice.uniform([2, -8, -1], [30, 8, 3], (count, 3)).astype(np.float32)
    colours = dice.integers(60, 255, (count, 4), dtype=np.uint8)
    colours[:, 3] = 255
    return points, colours


def picture(renderer: Renderer, view: Orbit, near: bool = False, corner=(0, 0)) -> np.ndarray:
    """One picture, with something else in it before."""
    context = renderer.context
    target = context.framebuffer(
        [context.texture((SIZE[0] + corner[0], SIZE[1] + corner[1]), 4)],
        context.depth_renderbuffer((SIZE[0] + corner[0], SIZE[1] + corner[1])),
    )
    renderer.clear(target, target.size)
    renderer.draw(target, (*corner, *SIZE), clip_from_ego(view, Size(*SIZE)), 3.0, near)
    made = np.frombuffer(target.read(components=3), np.uint8).reshape(target.size[1], target.size[0], 3)
    target.release()
    return made[corner[1] :, corner[0] :].copy()


def put_box(renderer: Renderer, box: Box3D) -> None:
    looks = [BoxLook(box, (200, 40, 40), selected=True)]
    renderer.put_lines(box_lines(looks))
    renderer.put_faces(box_faces(looks))


def test_what_is_kept_of_the_points_looks_as_if_they_were_drawn(renderer: Renderer) -> None:
    renderer.put_points(*cloud())
    renderer.put_near_points(*cloud())
    put_box(renderer, BOX)
    view = Orbit(distance_m=15.0)
    drawn = picture(renderer, view, near=True)
    np.testing.assert_array_equal(picture(renderer, view), drawn)
    np.testing.assert_array_equal(picture(renderer, view), drawn)
    # Points hide lines behind them and lines those behind: the depths are kept as well.
    put_box(renderer, Box3D.upright((14, 1, 1), (4, 2, 2), 0.3))
    moved = picture(renderer, view)
    assert (moved != drawn).any()
    np.testing.assert_array_equal(moved, picture(renderer, view, near=True))


def test_what_changes_is_drawn_anew(renderer: Renderer) -> None:
    renderer.put_points(*cloud())
    before = picture(renderer, Orbit())
    assert (picture(renderer, Orbit(azimuth_rad=0.3)) != before).any()
    np.testing.assert_array_equal(picture(renderer, Orbit()), before)
    renderer.put_points(*cloud(1))
    other = picture(renderer, Orbit())
    assert (other != before).any()
    renderer.background = (1.0, 1.0, 1.0)
    assert picture(renderer, Orbit()).mean() > other.mean()
    renderer.background = (0.055, 0.062, 0.078)
    renderer.put_points(*(part[:0] for part in cloud()))
    assert picture(renderer, Orbit()).mean() < before.mean()


def test_a_pane_in_the_middle_of_a_window_gets_its_own(renderer: Renderer) -> None:
    renderer.put_points(*cloud())
    np.testing.assert_array_equal(picture(renderer, Orbit(), corner=(40, 30)), picture(renderer, Orbit()))
