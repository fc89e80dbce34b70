"""Our own file of a rig keeps everything, to the last bit, for every camera model there is."""

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calib import SE3, Camera, Lidar, Pinhole, Rig
from calib.cameras import MODELS
from formats.errors import FormatError
from formats.rigs import Provenance, find_kind, find_rig, read_rig, write_rig

EXAMPLES: dict[str, dict[str, Any]] = {
    "pinhole": {"distortion": (-0.3, 0.1, 1e-3, -2e-3, 1 / 3)},
    "fisheye": {"distortion": (0.1, 0.01, 1e-3, 1e-4), "max_angle_rad": 1.7},
    "unified": {"xi": 0.7, "distortion": (0.01, 0.002, 0.0, 0.0)},
    "extended_unified": {"alpha": 0.6, "beta": 1.1},
    "double_sphere": {"xi": -0.2, "alpha": 0.57},
    "ftheta": {
        "angle_to_px": (0.0, 900.0, 1 / 3),
        "px_to_angle": (0.0, 1 / 900),
        "reference": "px_to_angle",
        "linear_cde": (1.01, 0.002, -0.003),
        "max_angle_rad": 1.2,
    },
    "cylindrical": {},
    "equirectangular": {},
}
COMMON = {
    "fx_px": 1000 / 3,
    "fy_px": 333.4,
    "cx_px": 319.7,
    "cy_px": 240.1,
    "width_px": 640,
    "height_px": 480,
}


def example(name: str) -> Any:
    names = {field.name for field in fields(MODELS[name])}
    return MODELS[name](**{key: value for key, value in (COMMON | EXAMPLES[name]).items() if key in names})


def bits(rig: Rig) -> list[object]:
    """Everything a rig holds, places bit by bit."""
    return [
        (
            sensor.ego_from_sensor.rotation.tobytes(),
            sensor.ego_from_sensor.translation.tobytes(),
            [getattr(sensor, field.name) for field in fields(sensor) if field.name != "ego_from_sensor"],
        )
        for sensors in (rig.lidars, rig.cameras)
        for sensor in sensors.values()
    ]


def test_there_is_an_example_of_every_model() -> None:
    assert EXAMPLES.keys() == MODELS.keys()


numbers = st.floats(-1e3, 1e3)
places = st.builds(
    lambda vector, place: SE3.from_rotation_vector(vector, place),
    st.tuples(*[st.floats(-3, 3)] * 3),
    st.tuples(*[numbers] * 3),
)
cameras = st.builds(
    lambda name, place, model, times, readout: Camera(name, place, example(model), *times, readout),
    st.text(min_size=1, max_size=8).filter(lambda text: text.isprintable()),
    places,
    st.sampled_from(sorted(MODELS)),
    st.tuples(st.integers(0, 10**8), st.integers(0, 10**8)),
    st.sampled_from(["down", "up", "right", "left"]),
)
lidars = st.builds(
    Lidar,
    st.text('ab [],\n\\"{}0', min_size=1, max_size=8),
    places,
    st.lists(st.integers(-(10**8), 10**8), max_size=5).map(tuple),
)
rigs = st.builds(
    lambda some, others: Rig.of(tuple(some), tuple(others)),
    st.lists(lidars, max_size=3, unique_by=lambda lidar: lidar.name),
    st.lists(cameras, max_size=4, unique_by=lambda camera: camera.name),
)


@given(rigs)
@settings(max_examples=30)
def test_ten_times_written_and_read_no_bit_changes(
    tmp_path_factory: pytest.TempPathFactory, rig: Rig
) -> None:
    path = tmp_path_factory.mktemp("rig") / "rig.json"
    write_rig(path, rig)
    first = path.read_bytes()
    again = rig
    for _ in range(10):
        again = read_rig(path).rig
        write_rig(path, again)
    assert bits(again) == bits(rig)
    assert path.read_bytes() == first


@given(st.sampled_from(sorted(MODELS)), st.floats(1e-3, 1e5), st.floats(-1e4, 1e4))
@settings(max_examples=60)
def test_every_number_of_every_model_survives(
    tmp_path_factory: pytest.TempPathFactory, name: str, scale: float, shift: float
) -> None:
    model = example(name)
    given_fields = {field.name for field in fields(model)}
    changes = {"fx_px": scale, "cx_px": shift, "cy_px": -shift}
    model = replace(model, **{key: value for key, value in changes.items() if key in given_fields})
    path = tmp_path_factory.mktemp("rig") / "rig.json"
    write_rig(path, Rig.of(cameras=(Camera("a", SE3.identity(), model),)))
    assert read_rig(path).rig.cameras["a"].model == model


def test_provenance_stays_with_its_camera(tmp_path: Path) -> None:
    rig = Rig.of(cameras=tuple(Camera(name, SE3.identity(), example("pinhole")) for name in "abc"))
    said = {"b": Provenance("refine", "2026-11-22", (1e-4, 2e-4, 3e-4), (0.01, 0.02, 0.03), "of 12 frames")}
    write_rig(tmp_path, rig, said)
    found = read_rig(tmp_path)
    assert (tmp_path / "rig.json").is_file() and found.provenance == said
    assert find_kind(tmp_path).name == "crosslabel" and bits(find_rig(tmp_path)) == bits(rig)
    with pytest.raises(FormatError, match="a camera 'x' that the rig has not"):
        write_rig(tmp_path, rig, {"x": Provenance("refine")})


def test_a_file_by_hand_needs_no_more_than_the_place_and_the_model(tmp_path: Path) -> None:
    text = """
    {"crosslabel_rig": 1,
     "cameras": [{"name": "front",
                  "ego_from_sensor": {"quaternion_wxyz": [0.5, -0.5, 0.5, -0.5],
                                      "translation_m": [1.5, 0, 1.2]},
                  "model": {"model": "pinhole", "fx_px": 1000, "fy_px": 1000, "cx_px": 959.5, "cy_px": 539.5,
                            "width_px": 1920, "height_px": 1080}}]}
    """
    (tmp_path / "rig.json").write_text(text, encoding="utf-8")
    rig = read_rig(tmp_path).rig
    (camera,) = rig.cameras.values()
    np.testing.assert_allclose(camera.ego_from_sensor.rotation[:, 2], (1, 0, 0), atol=1e-12)
    assert camera.model == Pinhole(1000, 1000, 959.5, 539.5, 1920, 1080) and not rig.lidars


def test_a_place_that_was_edited_by_hand_counts_once_the_matrix_is_gone(tmp_path: Path) -> None:
    place = SE3.from_rotation_vector((0.1, 0.2, 0.3), (1, 2, 3))
    write_rig(tmp_path / "rig.json", Rig.of((Lidar("top", place),)))
    content = json.loads((tmp_path / "rig.json").read_text(encoding="utf-8"))
    content["lidars"][0]["ego_from_sensor"].pop("rotation", None)
    content["lidars"][0]["ego_from_sensor"]["quaternion_wxyz"] = [1, 0, 0, 0]
    (tmp_path / "rig.json").write_text(json.dumps(content), encoding="utf-8")
    np.testing.assert_array_equal(read_rig(tmp_path).rig.lidars["top"].ego_from_sensor.rotation, np.eye(3))


def test_lists_of_numbers_stand_on_one_line(tmp_path: Path) -> None:
    write_rig(tmp_path, Rig.of((Lidar("a [\n 1\n] b", SE3.from_yaw(0.3)),)))
    lines = (tmp_path / "rig.json").read_text(encoding="utf-8").splitlines()
    assert any(line.strip().startswith('"quaternion_wxyz": [') and "]" in line for line in lines)
    assert read_rig(tmp_path).rig.lidars["a [\n 1\n] b"].ego_from_sensor.yaw_rad == pytest.approx(0.3)


def test_nothing_is_left_where_writing_fails(tmp_path: Path) -> None:
    class Strange:
        width_px = height_px = 1

    write_rig(tmp_path, Rig.of((Lidar("a", SE3.identity()),)))
    before = (tmp_path / "rig.json").read_bytes()
    with pytest.raises(FormatError, match="Strange is no camera model that can be written"):
        write_rig(tmp_path, Rig.of(cameras=(Camera("a", SE3.identity(), Strange()),)))  # type: ignore[arg-type]
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FormatError, match="cannot be written"):
        write_rig(tmp_path / "file" / "rig.json", Rig.of((Lidar("a", SE3.identity()),)))
    assert (tmp_path / "rig.json").read_bytes() == before
    assert sorted(child.name for child in tmp_path.iterdir()) == ["file", "rig.json"]
