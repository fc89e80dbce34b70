"""Every camera model against a twin in numpy: pixels, where it holds, and the way back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calib import CalibrationError
from calib.cameras import (
    MODELS,
    CameraModel,
    DoubleSphere,
    ExtendedUnified,
    Fisheye,
    FTheta,
    Pinhole,
    Unified,
)
from tests.calib import twins
from tests.calib.lenses import CAMERAS, SIZE, everywhere

every_camera = pytest.mark.parametrize("model", CAMERAS.values(), ids=CAMERAS.keys())
BAD = np.array(
    [
        *(
            [a, b, c]
            for a in (0.0, np.nan, np.inf, -np.inf)
            for b in (0.0, np.nan, -np.inf)
            for c in (5.0, np.nan)
        ),
        [0, 0, np.inf],
        [0, 0, -np.inf],
        [1, 2, np.inf],
        [np.inf, np.inf, np.inf],
        [0, 0, 0],
        [0, 0, np.nan],
        [1e-320, 0, 0],
    ]
)
BAD = BAD[(~np.isfinite(BAD)).any(axis=1) | (np.abs(BAD).max(axis=1) < 1e-300)]


def on_axis_planes(rng, count):
    """Points with one or two coordinates exactly zero, of either sign."""
    points = rng.normal(size=(count, 3)) * 10.0 ** rng.uniform(-2, 3, (count, 1))
    masks = rng.integers(0, 2, (count, 3))
    signed = np.where(masks > 0, points, np.where(rng.random((count, 3)) < 0.5, 0.0, -0.0))
    return signed[np.abs(signed).max(axis=1) > 0]


@every_camera
def test_pixels_are_those_of_the_twin(model):
    points = everywhere(np.random.default_rng(0), 20_000)
    seen = model.project(points)
    near = seen.visible | (np.isfinite(seen.uv_px) & (np.abs(seen.uv_px) < 5_000)).all(axis=1)
    assert near.sum() > 100
    np.testing.assert_allclose(seen.uv_px[near], twins.pixels(model, points[near]), rtol=0, atol=1e-9)
    np.testing.assert_array_equal(seen.depth_m, points[:, 2])


@pytest.fixture(scope="module")
def million():
    rng = np.random.default_rng(1)
    return np.concatenate([everywhere(rng, 960_000), on_axis_planes(rng, 40_000), BAD])


@pytest.mark.parametrize(
    "name", [next(n for n, m in CAMERAS.items() if type(m) is f) for f in MODELS.values()]
)
def test_of_a_million_points_none_is_visible_that_should_not_be(name, million):
    nothing_invalid_is_visible(CAMERAS[name], million)


@every_camera
def test_of_a_hundred_thousand_points_none_is_visible_that_should_not_be(model, million):
    nothing_invalid_is_visible(model, million[-120_000:])


def nothing_invalid_is_visible(model, points):
    seen = model.project(points)
    assert seen.visible.sum() > 300
    assert not seen.visible[-len(BAD) :].any()
    visible, uv_px = points[seen.visible], seen.uv_px[seen.visible]
    assert np.isfinite(visible).all()
    assert twins.holds(model, visible).all()
    assert twins.on_image(model, uv_px).all()
    np.testing.assert_allclose(twins.pixels(model, visible[:20_000]), uv_px[:20_000], rtol=0, atol=1e-9)


@every_camera
def test_nothing_that_is_valid_and_on_the_image_is_lost(model):
    points = everywhere(np.random.default_rng(2), 100_000)
    good = twins.holds(model, points, -0.02 if twins.is_uneven(model) else -0.005)
    if twins.is_uneven(model):
        # Where it folds on one side only, a convex region before the folds leaves out what lies far aside.
        nearest, furthest = twins.folds(model).min(), twins.folds(model).max()
        bound = nearest if furthest > 2 * nearest else np.inf
        aside = np.hypot(*twins.plane_from(model, points[good]).T) > 0.99 * bound
        good[good] = ~aside
    if isinstance(model, Pinhole):
        good &= points[:, 2] > 2e-6
    good[good] &= twins.on_image(model, twins.pixels(model, points[good]), 1e-6)
    good[good] &= np.linalg.norm(points[good], axis=1) > 2e-6
    assert good.sum() > 100
    assert model.project(points[good]).visible.all()


@every_camera
def test_nothing_is_visible_beyond_the_limit_that_a_model_states(model):
    points = everywhere(np.random.default_rng(3), 50_000)
    angles_rad = np.arctan2(np.hypot(points[:, 0], points[:, 1]), points[:, 2])
    visible = model.project(points).visible
    assert (angles_rad[visible] <= model.limit_rad).all()


@every_camera
def test_a_ray_leads_back_to_its_point_and_so_no_two_share_a_pixel(model):
    points = everywhere(np.random.default_rng(4), 10_000)
    seen = model.project(points)
    rays = model.ray(seen.uv_px[seen.visible])
    expected = points[seen.visible] / np.linalg.norm(points[seen.visible], axis=1, keepdims=True)
    # Near a fold a ray moves a lot within the rounding of a pixel.
    off = np.linalg.norm(rays - expected, axis=1)
    assert np.nanmax(off) < 1e-5 and np.nanmedian(off) < 1e-12
    assert np.isfinite(off).mean() > 0.9999


@every_camera
def test_every_ray_of_the_image_projects_onto_its_own_pixel(model):
    rng = np.random.default_rng(5)
    size = np.array([model.width_px, model.height_px])
    border = rng.uniform(-0.5, size - 0.5, (2_000, 2))
    border[:500, 0], border[500:1000, 1] = -0.5, -0.5
    border[1000:1500, 0], border[1500:, 1] = np.nextafter(size - 0.5, 0)
    places = np.concatenate([rng.uniform(-0.5, size - 0.5, (4_000, 2)), border])
    rays = model.ray(places)
    known = np.isfinite(rays).all(axis=1)
    assert known.mean() > 0.05
    np.testing.assert_allclose(np.linalg.norm(rays[known], axis=1), 1, atol=1e-12)
    landed = model.project(rays[known] * rng.uniform(0.01, 300, (known.sum(), 1)))
    reached = np.isfinite(landed.uv_px).all(axis=1)  # rounding may put what is on the very limit beyond it
    assert reached.mean() > 0.999
    np.testing.assert_allclose(landed.uv_px[reached], places[known][reached], rtol=0, atol=1e-6)


@every_camera
def test_no_ray_is_missing_where_a_visible_point_lands(model):
    points = everywhere(np.random.default_rng(6), 20_000)
    inner = twins.holds(model, points, -0.02) & model.project(points).visible
    assert np.isfinite(model.ray(model.project(points[inner]).uv_px)).all()


@every_camera
def test_no_pixels_and_no_rays_of_what_is_nothing(model):
    assert np.isnan(model.ray(np.array([[np.nan, 1.0], [1.0, np.nan], [np.inf, 5.0], [5.0, -np.inf]]))).all()
    seen = model.project(np.empty((0, 3)))
    assert seen.uv_px.shape == (0, 2) and seen.visible.shape == (0,)
    assert model.ray(np.empty((0, 2))).shape == (0, 3)
    assert np.isnan(model.project(BAD).uv_px).any(axis=1).mean() > 0.5


@every_camera
def test_the_plain_pinhole_agrees_near_the_axis(model):
    assert isinstance(model, CameraModel)
    points = np.array([[1e-4, 0, 1], [-1e-4, 0, 1], [0, 1e-4, 1], [0, -1e-4, 1]])
    uv_px, plain_px = model.project(points).uv_px, model.plain.project(points).uv_px
    np.testing.assert_allclose(uv_px[::2] - uv_px[1::2], plain_px[::2] - plain_px[1::2], rtol=0.05, atol=1e-3)
    assert model.plain.distortion == () and model.plain.width_px == model.width_px


widths = st.floats(50, 900)


@st.composite
def random_cameras(draw):
    head = (draw(widths), draw(widths), draw(st.floats(0, 1280)), draw(st.floats(0, 960)), *SIZE)
    signed, tiny = st.floats(-0.3, 0.3), st.floats(-0.01, 0.01)
    share = st.floats(0, 1)
    build = {
        Pinhole: lambda: (draw(st.tuples(signed, signed, tiny, tiny, signed)),),
        Fisheye: lambda: (draw(st.tuples(signed, signed, signed, signed)), draw(st.floats(0.3, np.pi))),
        Unified: lambda: (draw(st.floats(0, 4)), draw(st.tuples(signed, signed, tiny, tiny))),
        ExtendedUnified: lambda: (draw(share), draw(st.floats(0.1, 4))),
        DoubleSphere: lambda: (draw(st.floats(-0.95, 1)), draw(share)),
    }
    family = draw(st.sampled_from([*build, FTheta]))
    if family is not FTheta:
        return family(*head, *build[family]())
    rest = draw(st.tuples(*[st.floats(-30, 30)] * 4))
    linear = (draw(st.floats(0.9, 1.1)), draw(tiny), draw(tiny))
    widest_rad = draw(st.floats(0.3, np.pi))
    if draw(st.booleans()):
        return FTheta(*head[2:], (0, head[0], *rest), (), "angle_to_px", linear, widest_rad)
    backward = (0, 1 / head[0], *(number * 1e-4 ** (n + 2) for n, number in enumerate(rest)))
    return FTheta(*head[2:], (), backward, "px_to_angle", linear, widest_rad)


@settings(max_examples=40)
@given(random_cameras(), st.integers(0, 2**32 - 1))
def test_whatever_the_parameters_what_is_visible_is_valid_and_comes_back(model, seed):
    points = np.concatenate([everywhere(np.random.default_rng(seed), 3_000), BAD])
    seen = model.project(points)
    visible, uv_px = points[seen.visible], seen.uv_px[seen.visible]
    assert twins.holds(model, visible).all()
    assert twins.on_image(model, uv_px).all()
    np.testing.assert_allclose(uv_px, twins.pixels(model, visible), rtol=0, atol=1e-9)
    rays = model.ray(uv_px)
    landed = model.project(rays).uv_px
    back = np.isfinite(landed).all(axis=1)
    assert back.sum() >= len(back) - 1 - len(back) // 200
    np.testing.assert_allclose(landed[back], uv_px[back], rtol=0, atol=1e-6)
    expected = visible / np.linalg.norm(visible, axis=1, keepdims=True)
    assert np.linalg.norm(rays[back] - expected[back], axis=1).max(initial=0) < 1e-3


def test_models_are_plain_data():
    import dataclasses
    import json

    for model in CAMERAS.values():
        (name,) = (name for name, family in MODELS.items() if type(model) is family)
        text = json.dumps({"model": name, **dataclasses.asdict(model)})
        fields = json.loads(text)
        again = MODELS[fields.pop("model")](**fields)
        assert again == model and hash(again) == hash(model)


def test_numbers_of_numpy_become_plain_ones():
    model = Pinhole(*np.array([500.0, 500, 320, 240, 640, 480]), np.array([0.1, 0, 0, 0]))
    assert [type(getattr(model, name)) for name in ("fx_px", "width_px", "distortion")] == [float, int, tuple]


GOOD = {
    "pinhole": {},
    "fisheye": {},
    "unified": {"xi": 1.0},
    "extended_unified": {"alpha": 0.5, "beta": 1.0},
    "double_sphere": {"xi": 0.1, "alpha": 0.5},
    "cylindrical": {},
}
HEAD = {"fx_px": 500.0, "fy_px": 500.0, "cx_px": 320.0, "cy_px": 240.0, "width_px": 640, "height_px": 480}
POLYNOMIAL = {"cx_px": 320.0, "cy_px": 240.0, "width_px": 640, "height_px": 480, "angle_to_px": (0.0, 300.0)}


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize(
    "bad",
    [
        {"fx_px": -1.0},
        {"fy_px": 0.0},
        {"cx_px": np.inf},
        {"cy_px": np.nan},
        {"width_px": 0},
        {"height_px": -5},
        {"width_px": 640.5},
        {"fx_px": "wide"},
        {"fx_px": None},
        {"cx_px": (1.0, 2.0)},
    ],
)
def test_a_head_that_cannot_be_is_refused(name, bad):
    MODELS[name](**HEAD, **GOOD[name])
    with pytest.raises(CalibrationError):
        MODELS[name](**{**HEAD, **GOOD[name], **bad})


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        *[("pinhole", {"distortion": k}) for k in [(0.1,), (0.1,) * 6, (np.nan,) * 4, ("a",) * 4, 0.1]],
        *[("fisheye", {"distortion": k}) for k in [(0.1,), (0.1,) * 5, (np.inf,) * 4]],
        *[("fisheye", {"max_angle_rad": angle}) for angle in (0.0, -1.0, 3.2, np.nan)],
        *[("unified", {"xi": xi}) for xi in (-0.1, np.nan)],
        ("unified", {"distortion": (0.1,) * 8}),
        *[("extended_unified", {"alpha": alpha}) for alpha in (-0.01, 1.01, np.nan)],
        *[("extended_unified", {"beta": beta}) for beta in (0.0, -1.0)],
        *[("double_sphere", {"xi": xi}) for xi in (-1.0, 1.01)],
        *[("double_sphere", {"alpha": alpha}) for alpha in (-0.01, 1.01)],
    ],
)
def test_a_lens_that_cannot_be_is_refused(name, bad):
    with pytest.raises(CalibrationError):
        MODELS[name](**{**HEAD, **GOOD[name], **bad})


@pytest.mark.parametrize(
    "bad",
    [
        {"angle_to_px": ()},
        {"angle_to_px": (0.0,)},
        {"angle_to_px": (1.0, 300.0)},
        {"angle_to_px": (0.0, -300.0)},
        {"angle_to_px": (0.0, 300.0) + (0.0,) * 9},
        {"reference": "px_to_angle"},
        {"reference": "forward"},
        {"linear_cde": (1.0, 0.0)},
        {"linear_cde": (-1.0, 0.0, 0.0)},
        {"linear_cde": (1.0, 2.0, 1.0)},
        {"max_angle_rad": 0.0},
        {"max_angle_rad": 4.0},
        {"width_px": 0},
    ],
)
def test_an_f_theta_that_cannot_be_is_refused(bad):
    FTheta(**POLYNOMIAL)
    with pytest.raises(CalibrationError):
        FTheta(**{**POLYNOMIAL, **bad})


def test_kernels_and_models_agree_on_the_columns_of_a_row():
    from calib import _kernels as gates
    from calib.cameras import _kernels, distortion, model

    for name in (
        *("COEFFICIENTS", "TILT", "REGION", "SHAPE", "PLAIN", "BROWN", "ANGULAR", "ANGULAR_INVERSE"),
        *("SPHERES", "CYLINDRICAL", "EQUIRECTANGULAR"),
    ):
        assert getattr(_kernels, name) == getattr(model, name), name
    assert _kernels.HARMONICS == distortion.HARMONICS
    assert gates.BLOCK == _kernels.BLOCK
