"""Clouds in whatever layout drivers send them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formats.errors import FormatError
from formats.recording.channels import Coding
from formats.recording.clouds import CloudRule, sweep_of
from formats.recording.times import TimeRule
from fusion import Sweep
from tests.formats.recording import bags

STAMP_NS = 1_700_000_000_000_000_000
CODING = Coding("sensor_msgs/msg/PointCloud2", "cdr")
HERE = Path("drive.mcap")


def message_of(cloud: np.ndarray, **told: Any) -> Any:
    writing = bags.Writing("mcap")
    writing.cloud("/points", STAMP_NS, "top", cloud, **told)
    return writing.notes[0].message


def swept(cloud: np.ndarray, rule: CloudRule | None = None, **told: Any) -> Sweep:
    rule = rule or CloudRule("top", CODING)
    return sweep_of(message_of(cloud, **told), rule, STAMP_NS, HERE, "/points message 0")


def filled(kind: np.dtype[Any], count: int = 40, seed: int = 0) -> np.ndarray:
    cloud, random = np.zeros(count, dtype=kind), np.random.default_rng(seed)
    for axis in "xyz":
        cloud[axis] = random.normal(0, 20, count)
    return cloud


@settings(max_examples=60)
@given(
    order=st.permutations(["x", "y", "z", "intensity", "ring", "junk"]),
    gaps=st.lists(st.integers(0, 5), min_size=7, max_size=7),
    xyz=st.sampled_from(["f4", "f8"]),
    intensity=st.sampled_from(["f4", "f8", "u1", "u2", "i2", "u4"]),
    ring=st.sampled_from(["u1", "u2", "i4", "f4"]),
    big=st.booleans(),
    rows=st.sampled_from([1, 2, 5]),
    none=st.booleans(),
)
def test_any_layout_says_the_same(
    order: list[str],
    gaps: list[int],
    xyz: str,
    intensity: str,
    ring: str,
    big: bool,
    rows: int,
    none: bool,
) -> None:
    kinds = {"x": xyz, "y": xyz, "z": xyz, "intensity": intensity, "ring": ring, "junk": "f8"}
    at, offsets = 0, []
    for name, gap in zip(order, gaps, strict=False):
        offsets.append(at + gap)
        at += gap + np.dtype(kinds[name]).itemsize
    formats = [("><"[not big]) + kinds[name] for name in order]
    kind = np.dtype({"names": order, "formats": formats, "offsets": offsets, "itemsize": at + gaps[-1]})
    cloud = filled(kind)
    cloud["intensity"], cloud["ring"] = np.arange(40) % 100, np.arange(40) % 32
    if none:
        cloud["x"][3], cloud["z"][5] = np.nan, np.inf
        for axis in "xyz":
            cloud[axis][7] = 0
    sweep = swept(cloud.reshape(rows, -1), big=big)
    known = np.delete(np.arange(40), [3, 5, 7]) if none else np.arange(40)
    points = np.column_stack([cloud[axis].astype(np.float32) for axis in "xyz"])
    np.testing.assert_array_equal(sweep.points, points[known])
    np.testing.assert_array_equal(sweep.intensity, (known % 100).astype(np.float32))
    np.testing.assert_array_equal(sweep.ring, known % 32)
    assert sweep.offset_ns is None


def test_rows_may_be_padded() -> None:
    cloud = filled(bags.OUSTER)
    rows = np.zeros((4, 10 * 32 + 7), dtype=np.uint8)
    rows[:, :320] = cloud.view(np.uint8).reshape(4, 320)
    sweep = swept(cloud.reshape(4, 10), row_step=327, data=rows.reshape(-1))
    np.testing.assert_array_equal(sweep.points[:, 0], cloud["x"])


def test_an_empty_cloud_is_a_sweep() -> None:
    rule = CloudRule("top", CODING, times=TimeRule("t", "ns", False))
    sweep = swept(filled(bags.OUSTER, 0), rule)
    assert len(sweep) == 0 and sweep.offset_ns is not None and sweep.ring is not None


def test_a_foxglove_cloud_stands_in_its_pose() -> None:
    import foxglove.messages as fox

    from formats.recording.decode import decoded

    writing = bags.Writing("protobuf")
    pose = fox.Pose(position=fox.Vector3(x=1, y=2, z=3), orientation=fox.Quaternion(x=0, y=0, z=1, w=0))
    cloud = filled(bags.OUSTER)
    writing.cloud("/points", STAMP_NS, "top", cloud, pose=pose)
    coding = Coding("foxglove.PointCloud", "protobuf", fox.PointCloud.get_schema().data)
    message = decoded(coding, writing.notes[0].message.encode(), HERE, "")
    sweep = sweep_of(message, CloudRule("top", coding), STAMP_NS, HERE, "")
    turned = np.column_stack([1 - cloud["x"], 2 - cloud["y"], 3 + cloud["z"]])
    np.testing.assert_allclose(sweep.points, turned, atol=1e-5)


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"point_step": 0}, "0 bytes"),
        ({"point_step": 1 << 20}, "bytes cannot be"),
        ({"point_step": 20, "row_step": 800}, "reaches out of its point"),
        ({"width": 41}, "needs 1312 bytes for its points and has 1280"),
        ({"height": 1 << 31, "width": 1 << 31}, "cannot be of one revolution"),
        ({"height": 2, "row_step": 3}, "too short"),
        ({"data": np.zeros(7, dtype=np.uint8)}, "has 7"),
        ({"fields": []}, "without x, y and z, but no fields"),
    ],
)
def test_what_cannot_be_is_refused(told: dict[str, Any], why: str) -> None:
    with pytest.raises(FormatError, match=why) as raised:
        swept(filled(bags.OUSTER), **told)
    assert str(raised.value).startswith("drive.mcap: /points message 0: ")


def test_rings_and_intensities_that_cannot_be_are_left_out_or_infinite() -> None:
    kind = np.dtype([("x", "f4"), ("y", "f4"), ("z", "f4"), ("intensity", "f8"), ("ring", "f4")])
    cloud = filled(kind)
    cloud["intensity"], cloud["ring"] = 1e300, 0.5
    sweep = swept(cloud)
    assert sweep.ring is None and sweep.intensity is not None and np.isinf(sweep.intensity).all()
