"""Calibration files that are damaged, cut short or hostile: one clear error each, and never anything else."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from calib import SE3, Camera, Lidar, Pinhole, Rig
from formats.errors import FormatError
from formats.rigs import KINDS, find_rig, write_rig

EYE = np.eye(4).tolist()
INFO = {
    "width": 640,
    "height": 480,
    "distortion_model": "plumb_bob",
    "K": [500, 0, 320, 0, 500, 240, 0, 0, 1],
    "D": [0.1, 0, 0, 0, 0],
    "R": np.eye(3).ravel().tolist(),
    "P": [500, 0, 320, 0, 0, 500, 240, 0, 0, 0, 1, 0],
}
CAM0 = {
    "camera_model": "pinhole",
    "intrinsics": [500, 500, 320, 240],
    "distortion_model": "radtan",
    "distortion_coeffs": [0.1, 0, 0, 0],
    "resolution": [640, 480],
}
OPENCALIB = {
    "cam": {
        "sensor_name": "cam",
        "target_sensor_name": "cam",
        "param_type": "intrinsic",
        "param": {
            "img_dist_w": 640,
            "img_dist_h": 480,
            "cam_K": {"data": [[500, 0, 320], [0, 500, 240], [0, 0, 1]]},
            "cam_dist": {"data": [[0, 0, 0, 0]]},
        },
    }
}
NCORE = {
    "camera_model_type": "ftheta",
    "camera_model_parameters": {
        "resolution": [640, 480],
        "shutter_type": "GLOBAL",
        "principal_point": [319.5, 239.5],
        "reference_poly": "ANGLE_TO_PIXELDIST",
        "angle_to_pixeldist_poly": [0, 300],
        "pixeldist_to_angle_poly": [0, 1 / 300],
        "max_angle": 1.5,
    },
}
OPENCV = """%YAML:1.0
---
image_width: 640
image_height: 480
camera_matrix: !!opencv-matrix
   rows: 3
   cols: 3
   dt: d
   data: [ 500., 0., 320., 0., 500., 240., 0., 0., 1. ]
distortion_coefficients: !!opencv-matrix
   rows: 1
   cols: 5
   dt: d
   data: [ 0.1, 0., 0., 0., 0. ]
"""
XML = """<?xml version="1.0"?>
<opencv_storage>
<image_width>640</image_width>
<image_height>480</image_height>
<camera_matrix type_id="opencv-matrix">
  <rows>3</rows><cols>3</cols><dt>d</dt><data>500. 0. 320. 0. 500. 240. 0. 0. 1.</data></camera_matrix>
</opencv_storage>
"""
KITTI = """P2: 700 0 600 40 0 700 180 0 0 0 1 0
R0_rect: 1 0 0 0 1 0 0 0 1
Tr_velo_to_cam: 0 -1 0 0 0 0 -1 0 1 0 0 0
"""
BOMB = "a: &a [1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"{chr(98 + k)}: &{chr(98 + k)} [" + ",".join([f"*{chr(97 + k)}"] * 9) + "]\n" for k in range(8)
)


def changed(content: Any, *keys: Any, to: Any = None) -> Any:
    """A copy in which one place holds another value, or nothing."""
    copy = json.loads(json.dumps(content))
    *way, last = keys
    place = copy
    for key in way:
        place = place[key]
    if to is None:
        del place[last]
    else:
        place[last] = to
    return copy


def in_yaml(content: Any) -> bytes:
    return yaml.safe_dump(content).encode()


def in_json(content: Any) -> bytes:
    return json.dumps(content).encode()


PARAMETERS = "camera_model_parameters"
CASES: dict[str, tuple[str, str, bytes, str]] = {
    "no yaml": ("ros", "a.yaml", b"a: [1, 2", "line"),
    "yaml of bytes": ("ros", "a.yaml", b"\xff\xfe\x00", "not a text in UTF-8"),
    "yaml that runs": ("ros", "a.yaml", b"!!python/object/apply:os.system ['exit 3']", "could not determine"),
    "yaml bomb": ("ros", "a.yaml", BOMB.encode(), "by reference"),
    "yaml of a list": ("ros", "a.yaml", b"[1, 2]", "must be a table of keys"),
    "yaml of nothing": ("ros", "a.yaml", b"", "must be a table of keys"),
    "yaml without end": ("ros", "a.yaml", b"[" * 100_000, "nested more than 32 deep"),
    "yaml of many dashes": ("ros", "a.yaml", b"- " * 100_000, "nested more than 32 deep"),
    "yaml of itself": ("ros", "a.yaml", b"K: &a [*a, *a]", "by reference"),
    "numbers in depth": ("ros", "a.yaml", in_yaml(INFO | {"K": [[[[[[1]]]]]]}), "lists within lists"),
    "json in depth": (
        "ros",
        "a.json",
        in_json(changed(INFO, "K"))[:-1] + b', "k": ' + b"[" * 900 + b"]" * 900 + b"}",
        "lists within",
    ),
    "yaml of several": ("ros", "a.yaml", b"a: 1\n---\nb: 2\n", "another document"),
    "ros without K": ("ros", "a.yaml", in_yaml(changed(INFO, "K")), "without any of the keys 'K'"),
    "ros without size": ("ros", "a.yaml", in_yaml(changed(INFO, "width")), "'width', 'image_width'"),
    "ros size of a word": (
        "ros",
        "a.yaml",
        in_yaml(changed(INFO, "width", to="w")),
        "width: must be a finite",
    ),
    "ros size of a half": (
        "ros",
        "a.yaml",
        in_yaml(changed(INFO, "width", to=1.5)),
        "must be a whole number",
    ),
    "ros size of none": ("ros", "a.yaml", in_yaml(changed(INFO, "width", to=0)), "cannot be 0 x 480"),
    "ros absurd size": ("ros", "a.yaml", in_yaml(changed(INFO, "width", to=10**9)), "cannot be 1000000000"),
    "ros never calibrated": ("ros", "a.yaml", in_yaml(changed(INFO, "K", to=[0] * 9)), "not calibrated"),
    "ros short K": ("ros", "a.yaml", in_yaml(changed(INFO, "K", to=[1] * 8)), "K: needs 9 numbers, not 8"),
    "ros K of NaN": (
        "ros",
        "a.yaml",
        in_yaml(changed(INFO, "K", to=[float("nan")] * 9)),
        "K.0: must be a finite",
    ),
    "ros skewed K": ("ros", "a.yaml", in_yaml(changed(INFO, "K", 1, to=3.0)), "no skew"),
    "ros negative f": ("ros", "a.yaml", in_yaml(changed(INFO, "K", 0, to=-500)), "positive"),
    "ros six coefficients": ("ros", "a.yaml", in_yaml(changed(INFO, "D", to=[0.0] * 15)), "coefficients"),
    "ros fisheye of five": (
        "ros",
        "a.yaml",
        in_yaml(changed(INFO, "distortion_model", to="equidistant")),
        "four coefficients",
    ),
    "ros unknown model": (
        "ros",
        "a.yaml",
        in_yaml(changed(INFO, "distortion_model", to="x")),
        "no model 'x'",
    ),
    "ros region outside": (
        "ros",
        "a.yaml",
        in_yaml(INFO | {"roi": {"x_offset": 600, "y_offset": 0, "width": 100, "height": 100}}),
        "reaches out of an image",
    ),
    "ros negative binning": ("ros", "a.yaml", in_yaml(INFO | {"binning_x": -2}), "must not be negative"),
    "ros binned away": ("ros", "a.yaml", in_yaml(INFO | {"binning_x": 4000}), "cannot be 0 x 480"),
    "opencv cut short": ("opencv", "a.yaml", OPENCV[:-12].encode(), "line"),
    "opencv rows": ("opencv", "a.yaml", OPENCV.replace("rows: 3", "rows: 30").encode(), "needs 90 numbers"),
    "opencv NaN": ("opencv", "a.yaml", OPENCV.replace("0.1", ".Nan").encode(), "must be a finite number"),
    "opencv without matrix": (
        "opencv",
        "a.yaml",
        OPENCV.replace("camera_matrix", "matrix").encode(),
        "without a camera matrix",
    ),
    "opencv three cameras": (
        "opencv",
        "a.json",
        in_json({f"K{k}": INFO["K"] for k in "123"} | {"image_size": [640, 480], "R": EYE, "T": [0, 0, 0]}),
        "more than two cameras",
    ),
    "opencv stereo in mm": (
        "opencv",
        "a.json",
        in_json(
            {f"K{k}": INFO["K"] for k in "12"} | {"image_size": [640, 480], "R": INFO["R"], "T": [-120, 0, 0]}
        ),
        "T must be in metres",
    ),
    "opencv stereo without T": (
        "opencv",
        "a.json",
        in_json({f"K{k}": INFO["K"] for k in "12"} | {"image_size": [640, 480]}),
        "without R and T",
    ),
    "opencv fisheye of words": (
        "opencv",
        "a.json",
        in_json({"K": INFO["K"], "image_size": [640, 480], "fisheye_model": "yes"}),
        "must be true or false",
    ),
    "xml cut short": ("opencv", "a.xml", XML[:-9].encode(), "not XML"),
    "xml of others": ("opencv", "a.xml", b"<html></html>", "not an OpenCV storage"),
    "xml with entities": ("opencv", "a.xml", b"<!DOCTYPE x [<!ENTITY a 'b'>]>" + XML.encode(), "refused"),
    "xml of words": ("opencv", "a.xml", XML.replace("500.", "f", 1).encode(), "camera_matrix"),
    "kalibr without cameras": ("kalibr", "a.yaml", in_yaml({"camera": CAM0}), "without cameras cam0"),
    "kalibr omni of a fisheye": (
        "kalibr",
        "a.yaml",
        in_yaml({"cam0": changed(changed(CAM0, "camera_model", to="omni"), "distortion_model", to="equi")}),
        "no model 'omni' with distortion 'equi'",
    ),
    "kalibr fov": (
        "kalibr",
        "a.yaml",
        in_yaml({"cam0": CAM0 | {"distortion_model": "fov", "distortion_coeffs": [0.9, 0, 0, 0]}}),
        "no distortion 'fov'",
    ),
    "kalibr three numbers": (
        "kalibr",
        "a.yaml",
        in_yaml({"cam0": changed(CAM0, "intrinsics", to=[1, 2, 3])}),
        "cam0.intrinsics: needs 4 numbers",
    ),
    "kalibr without a place": (
        "kalibr",
        "a.yaml",
        in_yaml({"cam0": CAM0, "cam1": CAM0}),
        "cam1: nothing tells",
    ),
    "kalibr stretched": (
        "kalibr",
        "a.yaml",
        in_yaml({"cam0": CAM0, "cam1": CAM0 | {"T_cn_cnm1": (2 * np.eye(4)).tolist()}}),
        "cam1.T_cn_cnm1",
    ),
    "kalibr mirrored": (
        "kalibr",
        "a.yaml",
        in_yaml({"cam0": CAM0 | {"T_cam_imu": np.diag([1.0, 1, -1, 1]).tolist()}}),
        "cam0.T_cam_imu",
    ),
    "kalibr bad double sphere": (
        "kalibr",
        "a.yaml",
        in_yaml(
            {
                "cam0": CAM0
                | {"camera_model": "ds", "intrinsics": [0, 7, 1, 1, 1, 1], "distortion_model": "none"}
            }
        ),
        "cam0.intrinsics",
    ),
    "opencalib of another kind": (
        "opencalib",
        "a-intrinsic.json",
        in_json(changed(OPENCALIB, "cam", "param_type", to="both")),
        "must be intrinsic or extrinsic",
    ),
    "opencalib without K": (
        "opencalib",
        "a-intrinsic.json",
        in_json(changed(OPENCALIB, "cam", "param", "cam_K")),
        "cam.param: without the key 'cam_K'",
    ),
    "opencalib of nothing": ("opencalib", "a-intrinsic.json", b"{}", "without a file that ends in"),
    "json bomb": ("opencalib", "a-intrinsic.json", b"[" * 100_000, "not JSON that can be read"),
    "json of infinity": (
        "ncore",
        "a.json",
        in_json(changed(NCORE, PARAMETERS, "max_angle", to=7)).replace(b"7", b"1e999"),
        "a finite number",
    ),
    "ncore unknown model": (
        "ncore",
        "a.json",
        in_json(changed(NCORE, "camera_model_type", to="x")),
        "no model 'x'",
    ),
    "ncore windshield": (
        "ncore",
        "a.json",
        in_json(changed(NCORE, PARAMETERS, "external_distortion_parameters", to={})),
        "windshield",
    ),
    "ncore shutter": (
        "ncore",
        "a.json",
        in_json(changed(NCORE, PARAMETERS, "shutter_type", to="SLOW")),
        "must be one of ROLLING",
    ),
    "ncore falling": (
        "ncore",
        "a.json",
        in_json(changed(NCORE, PARAMETERS, "angle_to_pixeldist_poly", to=[0, -3])),
        "must rise",
    ),
    "kitti without lidar": ("kitti", "a.txt", KITTI[: KITTI.index("Tr")].encode(), "without Tr_velo"),
    "kitti of words": ("kitti", "a.txt", KITTI.replace("700", "f", 1).encode(), "line 1"),
    "kitti stretched": ("kitti", "a.txt", KITTI.replace("1 0 0 0 1", "2 0 0 0 1").encode(), "R0_rect"),
}


def refuse(path: Path, kind: str | None = None) -> str:
    with pytest.raises(FormatError) as raised:
        find_rig(path, kind)
    message = str(raised.value)
    assert "\n" not in message and len(message) < 700
    return message


@pytest.mark.parametrize("case", CASES)
def test_damaged_files(tmp_path: Path, case: str) -> None:
    kind, name, content, said = CASES[case]
    (tmp_path / name).write_bytes(content)
    message = refuse(tmp_path / name, kind)
    assert said in message and str(tmp_path / name) in message


SOUND: dict[str, tuple[str, bytes]] = {
    "ros": ("a.yaml", in_yaml(INFO)),
    "opencv": ("a.yaml", OPENCV.encode()),
    "xml": ("a.xml", XML.encode()),
    "kalibr": ("a.yaml", in_yaml({"cam0": CAM0})),
    "opencalib": ("a-intrinsic.json", in_json(OPENCALIB)),
    "ncore": ("a.json", in_json(NCORE)),
    "kitti": ("a.txt", KITTI.encode()),
}


@pytest.mark.parametrize("case", SOUND)
def test_the_files_that_are_damaged_here_are_sound(tmp_path: Path, case: str) -> None:
    name, content = SOUND[case]
    (tmp_path / name).write_bytes(content)
    assert len(find_rig(tmp_path / name).cameras) == 1


@given(
    st.sampled_from(sorted(SOUND)),
    st.lists(st.tuples(st.integers(0, 5000), st.integers(32, 126)), min_size=1, max_size=6),
    st.integers(0, 3),
)
@settings(max_examples=150)
def test_characters_changed_at_random_give_a_rig_or_one_clear_error(
    tmp_path_factory: pytest.TempPathFactory, case: str, changes: list[tuple[int, int]], cut: int
) -> None:
    name, content = SOUND[case]
    damaged = bytearray(content[: len(content) - cut * 20])
    for place, value in changes:
        damaged[place % len(damaged)] = value
    path = tmp_path_factory.mktemp("rig") / name
    path.write_bytes(bytes(damaged))
    for kind in KINDS:
        kind.recognises(path)
    try:
        find_rig(path, {"xml": "opencv"}.get(case, case))
    except FormatError as error:
        assert str(path.parent) in str(error)


def feather(change: Callable[[list[dict[str, Any]]], object]) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        import pyarrow
        from pyarrow import feather as files

        rows = files.read_table(path).to_pylist()
        change(rows)
        path.unlink()
        files.write_feather(pyarrow.Table.from_pylist(rows), path)

    return damage


def overwrite(content: bytes) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        path.unlink()
        path.write_bytes(content)

    return damage


PLACES, INTRINSICS = "egovehicle_SE3_sensor.feather", "intrinsics.feather"
TABLES: dict[str, tuple[str, Callable[[Path], None], str]] = {
    "no table": (INTRINSICS, overwrite(b"hello"), "not a Feather table"),
    "empty": (PLACES, overwrite(b""), "not a Feather table"),
    "missing": (INTRINSICS, lambda path: path.unlink(), "no such file"),
    "zero quaternion": (
        PLACES,
        feather(lambda r: r[0].update(qw=0, qx=0, qy=0, qz=0)),
        "row 0: a quaternion of",
    ),
    "NaN": (PLACES, feather(lambda r: r[1].update(tx_m=float("nan"))), "row 1.tx_m: must be a finite number"),
    "no focal length": (INTRINSICS, feather(lambda r: r[2].update(fx_px=0.0)), "row 2"),
    "no column": (INTRINSICS, feather(lambda r: [row.pop("cx_px") for row in r]), "without the key 'cx_px'"),
    "no place": (PLACES, feather(lambda r: r.pop(0)), "'ring_front_center' has no place"),
    "twice": (INTRINSICS, feather(lambda r: r[0].update(width_px=0)), "cannot be 0 x"),
}


@pytest.mark.parametrize("case", TABLES)
def test_damaged_tables_of_argoverse(shared_data: Path, tmp_path: Path, case: str) -> None:
    source = next((shared_data / "argoverse2").glob("*/calibration"))
    shutil.copytree(source, tmp_path / "calibration", copy_function=shutil.copy)
    name, damage, said = TABLES[case]
    path = tmp_path / "calibration" / name
    path.chmod(0o600)
    damage(path)
    assert said in refuse(tmp_path, "argoverse2")


RIG = Rig.of(
    (Lidar("top", SE3.from_yaw(0.3, (1, 2, 3)), (1, 2)),),
    (Camera("front", SE3.from_yaw(0.1), Pinhole(500, 500, 320, 240, 640, 480)),),
)
OURS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "of the future": (lambda r: changed(r, "crosslabel_rig", to=2), "version 2, this program reads 1"),
    "of no version": (lambda r: changed(r, "crosslabel_rig"), "not a rig of Crosslabel"),
    "with corners": (lambda r: changed(r, "first_pixel_centre_px", to=[0.5, 0.5]), "(0, 0)"),
    "with a stranger": (lambda r: r | {"radars": []}, "radars: there is no such field"),
    "misspelt": (lambda r: changed(r, "cameras", 0, "readout", to="sideways"), "must be one of 'down'"),
    "unknown model": (lambda r: changed(r, "cameras", 0, "model", "model", to="x"), "no camera model 'x'"),
    "model without f": (lambda r: changed(r, "cameras", 0, "model", "fx_px"), "without the key 'fx_px'"),
    "model of a word": (
        lambda r: changed(r, "cameras", 0, "model", "fx_px", to="5"),
        "fx_px: must be a finite",
    ),
    "model of more": (
        lambda r: changed(r, "cameras", 0, "model", "fov", to=1),
        "fov: there is no such field",
    ),
    "model that cannot be": (lambda r: changed(r, "cameras", 0, "model", "fx_px", to=-1), "cameras.0.model"),
    "absurd image": (
        lambda r: changed(r, "cameras", 0, "model", "width_px", to=10**8),
        "cannot be 100000000",
    ),
    "half a pixel": (
        lambda r: changed(r, "cameras", 0, "model", "width_px", to=640.5),
        "must be a whole number",
    ),
    "place of zeros": (
        lambda r: changed(r, "lidars", 0, "ego_from_sensor", "quaternion_wxyz", to=[0, 0, 0, 0]),
        "lidars.0.ego_from_sensor.quaternion_wxyz: must have length 1",
    ),
    "place of three": (
        lambda r: changed(r, "lidars", 0, "ego_from_sensor", "quaternion_wxyz", to=[1, 0, 0]),
        "needs 4 numbers, not 3",
    ),
    "place that disagrees": (
        lambda r: changed(r, "lidars", 0, "ego_from_sensor", "rotation", to=np.eye(3).tolist()),
        "says something else than quaternion_wxyz",
    ),
    "no place": (lambda r: changed(r, "cameras", 0, "ego_from_sensor"), "without the key 'ego_from_sensor'"),
    "place with more": (
        lambda r: changed(r, "lidars", 0, "ego_from_sensor", "translation_cm", to=[1, 2, 3]),
        "there is no such field",
    ),
    "twins": (lambda r: r | {"cameras": r["cameras"] * 2}, "share a name"),
    "crowd": (lambda r: r | {"cameras": r["cameras"] * 2000}, "more than 1000 sensors"),
    "beam of halves": (
        lambda r: changed(r, "lidars", 0, "beam_offset_ns", to=[0.5]),
        "must be a whole number",
    ),
    "beam beyond": (
        lambda r: changed(r, "lidars", 0, "beam_offset_ns", to=[1 << 70]),
        "must be a whole number",
    ),
    "negative readout": (lambda r: changed(r, "cameras", 0, "readout_ns", to=-1), "cameras.0"),
    "list for a table": (lambda r: r | {"cameras": {}}, "must be a list"),
    "negative sigma": (
        lambda r: changed(r, "cameras", 0, "provenance", to={"made_by": "x", "sigma_rad": [1, 2, -1]}),
        "none of them negative",
    ),
    "provenance of nobody": (lambda r: changed(r, "cameras", 0, "provenance", to={"note": "x"}), "'made_by'"),
}


@pytest.mark.parametrize("case", OURS)
def test_damaged_rigs_of_ours(tmp_path: Path, case: str) -> None:
    change, said = OURS[case]
    path = tmp_path / "rig.json"
    write_rig(path, RIG)
    path.write_text(json.dumps(change(json.loads(path.read_text(encoding="utf-8")))), encoding="utf-8")
    message = refuse(path, "crosslabel")
    assert said in message and str(path) in message


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.9, 0.99])
def test_our_rig_cut_short(tmp_path: Path, cut: float) -> None:
    path = tmp_path / "rig.json"
    write_rig(path, RIG)
    text = path.read_text(encoding="utf-8")
    path.write_text(text[: int(len(text) * cut)], encoding="utf-8")
    assert "line" in refuse(path, "crosslabel")
