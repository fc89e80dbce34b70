"""Rigid transforms: the laws of the group, the ways in and out, and what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from calib import SE3, CalibrationError, SE3Batch

metres = st.floats(-1e4, 1e4)
quaternions = st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda q: np.linalg.norm(q) > 0.1)
transforms = st.builds(SE3.from_quaternion_wxyz, quaternions, st.tuples(metres, metres, metres))
laws = settings(max_examples=60)


@laws
@given(transforms, transforms, transforms)
def test_composition_is_a_group(a_from_b, b_from_c, c_from_d):
    a_from_c = a_from_b @ b_from_c
    assert (a_from_c @ c_from_d).is_close(a_from_b @ (b_from_c @ c_from_d), atol=1e-8)
    assert (a_from_b @ a_from_b.inverse()).is_close(SE3.identity(), atol=1e-8)
    assert (a_from_b.inverse() @ a_from_b).is_close(SE3.identity(), atol=1e-8)
    assert a_from_b.inverse().inverse().is_close(a_from_b, atol=1e-8)
    np.testing.assert_allclose(a_from_c.matrix, a_from_b.matrix @ b_from_c.matrix, rtol=0, atol=1e-8)


@laws
@given(transforms, transforms, st.integers(0, 100))
def test_applying_a_composition_is_applying_twice_and_keeps_distances(a_from_b, b_from_c, seed):
    points_c = np.random.default_rng(seed).normal(size=(7, 3)) * 50
    a_from_c = a_from_b @ b_from_c
    points_a = a_from_c @ points_c
    points_b = b_from_c @ points_c
    np.testing.assert_allclose(points_a, a_from_b @ points_b, rtol=0, atol=1e-8)
    np.testing.assert_allclose(
        np.linalg.norm(np.diff(points_a, axis=0), axis=1),
        np.linalg.norm(np.diff(points_c, axis=0), axis=1),
        rtol=0,
        atol=1e-8,
    )
    np.testing.assert_allclose(a_from_c.rotate(points_c), points_a - a_from_c.translation, rtol=0, atol=1e-8)


@laws
@given(transforms)
def test_every_way_out_leads_back_in(a_from_b):
    assert SE3.from_matrix(a_from_b.matrix).is_close(a_from_b)
    assert SE3.from_matrix(a_from_b.matrix[:3]).is_close(a_from_b)
    assert SE3.nearest(a_from_b.matrix.round(5)).is_close(a_from_b, atol=1e-4)
    quaternion = a_from_b.quaternion_wxyz
    assert quaternion[0] >= 0
    assert np.linalg.norm(quaternion) == pytest.approx(1, abs=1e-12)
    assert SE3.from_quaternion_wxyz(-3 * quaternion, a_from_b.translation).is_close(a_from_b)


@laws
@given(quaternions, st.floats(-3.14, 3.14))
def test_rotations_are_those_of_scipy(quaternion, yaw_rad):
    ours = SE3.from_quaternion_wxyz(quaternion, np.zeros(3)).rotation
    theirs = Rotation.from_quat(quaternion, scalar_first=True).as_matrix()
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)
    turned = SE3.from_yaw(yaw_rad)
    np.testing.assert_allclose(turned.rotation, Rotation.from_euler("z", yaw_rad).as_matrix(), atol=1e-12)
    assert turned.yaw_rad == pytest.approx(yaw_rad, abs=1e-12)


@pytest.mark.parametrize("axis", ["x", "y", "z"])
@pytest.mark.parametrize("angle_rad", [np.pi, np.pi - 1e-9, -np.pi, 1e-9, np.pi / 2])
def test_quaternions_of_half_turns_lose_no_digits(axis, angle_rad):
    a_from_b = SE3(Rotation.from_euler(axis, angle_rad).as_matrix(), np.zeros(3))
    back = SE3.from_quaternion_wxyz(a_from_b.quaternion_wxyz, np.zeros(3))
    np.testing.assert_allclose(back.rotation, a_from_b.rotation, rtol=0, atol=1e-12)


@laws
@given(st.lists(st.tuples(transforms, transforms), min_size=1, max_size=5), transforms)
def test_a_batch_does_what_each_one_does(pairs, c_from_a):
    as_from_bs, bs_from_ds = (SE3Batch.stack(side) for side in zip(*pairs, strict=True))
    points = np.arange(3.0 * len(pairs)).reshape(-1, 3)
    for n, (a_from_b, b_from_d) in enumerate(pairs):
        a_from_d = a_from_b @ b_from_d
        assert as_from_bs[n].is_close(a_from_b)
        assert (as_from_bs @ bs_from_ds)[n].is_close(a_from_d, atol=1e-8)
        assert as_from_bs.inverse()[n].is_close(a_from_b.inverse(), atol=1e-8)
        assert (c_from_a @ as_from_bs)[n].is_close(c_from_a @ a_from_b, atol=1e-8)
        assert (as_from_bs.inverse() @ c_from_a.inverse())[n].is_close(
            (c_from_a @ a_from_b).inverse(), atol=1e-8
        )
        np.testing.assert_allclose((as_from_bs @ points)[n], a_from_b @ points[n], rtol=0, atol=1e-8)
        np.testing.assert_allclose(as_from_bs.quaternions_wxyz[n], a_from_b.quaternion_wxyz, atol=1e-12)
        assert as_from_bs.yaws_rad[n] == pytest.approx(a_from_b.yaw_rad, abs=1e-12)
    assert len(list(as_from_bs)) == len(as_from_bs) == len(pairs)
    assert as_from_bs.take(slice(0, 1))[0].is_close(pairs[0][0])


MIRROR, STRETCH = np.diag([1.0, 1.0, -1.0]), np.diag([1.0, 1.0, 1.01])


@pytest.mark.parametrize(
    "rotation", [MIRROR, STRETCH, np.full((3, 3), np.nan), np.zeros((3, 3)), np.eye(4), np.eye(3)[:2]]
)
def test_what_is_no_rotation_is_refused(rotation):
    with pytest.raises(CalibrationError):
        SE3(rotation, np.zeros(3))
    with pytest.raises(CalibrationError):
        SE3Batch(rotation[None], np.zeros((1, 3)))


@pytest.mark.parametrize(
    "make",
    [
        lambda: SE3(np.eye(3), (0, 0, np.inf)),
        lambda: SE3(np.eye(3), (0, 0)),
        lambda: SE3.from_matrix(np.eye(3)),
        lambda: SE3.from_matrix(np.diag([1.0, 1, 1, 2])),
        lambda: SE3.nearest(np.diag([1.0, 1, 1.1, 1])),
        lambda: SE3.nearest(np.diag([1.0, 1, -1, 1])),
        lambda: SE3.nearest(np.full((4, 4), np.nan)),
        lambda: SE3.from_quaternion_wxyz((0, 0, 0, 0), np.zeros(3)),
        lambda: SE3.from_quaternion_wxyz((1, 0, 0, np.nan), np.zeros(3)),
        lambda: SE3.from_quaternion_wxyz((1, 0, 0), np.zeros(3)),
        lambda: SE3Batch(np.tile(np.eye(3), (2, 1, 1)), np.zeros((3, 3))),
        lambda: SE3Batch(np.eye(3), np.zeros(3)),
    ],
)
def test_bad_numbers_are_refused_with_a_line(make):
    with pytest.raises(CalibrationError, match=r"^\S.*$"):
        make()


def test_transforms_cannot_be_written_to_and_share_nothing():
    rotation, translation = np.eye(3), np.zeros(3)
    a_from_b = SE3(rotation, translation)
    translation[0] = 5.0
    assert a_from_b.translation[0] == 0.0
    b_from_c = SE3.from_yaw(0.3, (1, 2, 3))
    batch = SE3Batch.stack([a_from_b])
    for made in (a_from_b, a_from_b.inverse(), a_from_b @ b_from_c, batch[0]):
        for part in (made.rotation, made.translation):
            with pytest.raises(ValueError, match="read-only"):
                part[0] = 1.0


def test_a_long_chain_stays_rigid():
    step = SE3.from_quaternion_wxyz((0.9, 0.1, -0.2, 0.3), (0.1, 0.0, 0.0))
    chained = SE3.identity()
    for _ in range(2_000):
        chained = chained @ step
    np.testing.assert_allclose(chained.rotation @ chained.rotation.T, np.eye(3), rtol=0, atol=1e-11)


@laws
@given(vector=st.lists(st.floats(-1.8, 1.8), min_size=3, max_size=3))
def test_rotation_vector_round_trip(vector):
    dst_from_src = SE3.from_rotation_vector(vector, (1, 2, 3))
    assert np.allclose(dst_from_src.rotation_vector_rad, vector, atol=1e-12)
    scipy_rotation = Rotation.from_rotvec(vector).as_matrix()
    assert np.allclose(dst_from_src.rotation, scipy_rotation, atol=1e-14)


def test_tiny_rotation_vectors_keep_their_digits():
    tiny = np.array([1e-9, -3e-10, 2e-12])
    assert np.allclose(SE3.from_rotation_vector(tiny).rotation_vector_rad, tiny, rtol=1e-12, atol=0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_cloud_lands_where_its_points_do(dtype) -> None:
    rng = np.random.default_rng(3)
    dst_from_src = SE3.from_rotation_vector(rng.normal(size=3), rng.normal(size=3))
    points = (100 * rng.normal(size=(1000, 3))).astype(dtype)
    for handed_in in (points, points[::2], np.asfortranarray(points), points[:0]):
        assert dst_from_src.cloud(handed_in).dtype == np.float32
        expected = (dst_from_src @ handed_in.astype(np.float64)).astype(np.float32)
        np.testing.assert_allclose(dst_from_src.cloud(handed_in), expected, rtol=2e-7, atol=1e-12)
