"""MMDetection3D's training data written, and compared with an info file that its makers wrote."""

import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from calib import SE3, Lidar, Rig
from formats.errors import FormatError
from formats.images import image_size_px
from formats.mmdet3d import MMDET3D, split_of
from fusion import Box3D, DriveLog, LabelSet
from fusion.align import cloud_in_image

MakeLog = Callable[..., tuple[DriveLog, LabelSet]]


def infos(root: Path, part: str = "train") -> dict[str, Any]:
    return pickle.loads((root / f"infos_{part}.pkl").read_bytes())


def transform(rows: list[list[float]]) -> SE3:
    return SE3.from_matrix(rows)


def key_kinds(entry: object) -> object:
    """The keys of nested tables, with the kinds of what stands under them."""
    if isinstance(entry, dict):
        return {key: key_kinds(value) for key, value in entry.items()}
    return type(entry).__name__.rstrip("0123456789").removesuffix("_")


def test_it_has_what_theirs_has(make_log: MakeLog, tmp_path: Path, shared_data: Path) -> None:
    (file,) = (shared_data / "nuscenes_one_sample").glob("*.pkl")
    theirs = pickle.loads(file.read_bytes())
    log, labels = make_log()
    MMDET3D.write(tmp_path / "out", [(log, labels)])
    ours = infos(tmp_path / "out")
    assert ours["metainfo"].keys() == theirs["metainfo"].keys()
    assert ours["metainfo"]["info_version"] == theirs["metainfo"]["info_version"]
    (their_info, *_), our_info = theirs["data_list"], ours["data_list"][0]
    assert our_info.keys() >= their_info.keys() - {"cam_instances"}
    their_image, our_image = (next(iter(info["images"].values())) for info in (their_info, our_info))
    assert our_image.keys() >= their_image.keys()
    assert our_info["lidar_points"].keys() == their_info["lidar_points"].keys()
    their_box, our_box = (info["instances"][0] for info in (their_info, our_info))
    assert our_box.keys() >= their_box.keys()
    wanted = {key: value for key, value in their_box.items() if key in our_box}
    assert key_kinds({key: our_box[key] for key in wanted}) == key_kinds(wanted)
    for ours_kept, theirs_kept in ((our_image, their_image), (our_info, their_info)):
        for key, value in theirs_kept.items():
            if key in ours_kept and isinstance(value, list) and key != "instances":
                assert np.shape(ours_kept[key]) == np.shape(value), key


def test_boxes_and_points_are_in_the_frame_of_the_lidar(make_log: MakeLog, tmp_path: Path) -> None:
    log, labels = make_log(frames=3)
    MMDET3D.write(tmp_path / "out", [(log, labels)])
    info = infos(tmp_path / "out")
    names = {number: name for name, number in info["metainfo"]["categories"].items()}
    for frame, entry in enumerate(info["data_list"]):
        assert entry["sample_idx"] == frame
        ego_from_lidar = transform(entry["lidar_points"]["lidar2ego"])
        assert ego_from_lidar.is_close(log.rig.lidars["roof"].ego_from_sensor)
        timestamp_ns = int(log.timestamps_ns[frame])
        assert transform(entry["ego2global"]).is_close(log.trajectory.at(timestamp_ns))
        for box in entry["instances"]:
            track = labels.tracks[box["track_id"]]
            truth = track.annotations[timestamp_ns].box
            x, y, z, length, width, height, yaw = box["bbox_3d"]
            back = ego_from_lidar @ Box3D.upright((x, y, z), (length, width, height), yaw).ego_from_box
            assert np.abs(back.translation - truth.center).max() < 1e-9
            assert [length, width, height] == truth.size_lwh_m.tolist()
            assert names[box["bbox_label_3d"]] == track.category
            if track.id == "car/1":
                assert back.is_close(truth.ego_from_box, 1e-9)
                speed = ego_from_lidar.rotate(np.array([*box["velocity"], 0]))
                assert np.linalg.norm(speed) > 1
        points = np.fromfile(tmp_path / "out" / entry["lidar_points"]["lidar_path"], "<f4").reshape(-1, 5)
        assert len(points) == 6000 and points[:, 3].max() > 200


def test_points_fall_into_its_images_where_ours_do(make_log: MakeLog, tmp_path: Path) -> None:
    log, labels = make_log(frames=3)
    log = replace(log, rig=Rig.of((log.rig.lidars["roof"],), (log.rig.cameras["ahead"],)))
    log = replace(log, sweeps={"roof": log.sweeps["roof"]}, images={"ahead": log.images["ahead"]})
    MMDET3D.write(tmp_path / "out", [(log, labels)])
    entry = infos(tmp_path / "out")["data_list"][1]
    image = entry["images"]["ahead"]
    file = tmp_path / "out" / image["img_path"]
    assert image_size_px(file) == (image["width"], image["height"])
    points = np.fromfile(tmp_path / "out" / entry["lidar_points"]["lidar_path"], "<f4").reshape(-1, 5)
    cam = transform(image["lidar2cam"]) @ points[:, :3].astype(np.float64)
    uv_px = (cam @ np.array(image["cam2img"]).T)[:, :2] / cam[:, 2:]
    ref = next(r for r in log.images["ahead"] if str(r.timestamp_ns) == file.stem)
    ours = cloud_in_image(log, log.sweeps["roof"][1].read(), ref)
    assert len(ours.index) > 50 and np.abs(uv_px[ours.index] - ours.uv_px).max() < 0.01


def test_a_lidar_that_hangs_upside_down_is_set_upright(make_log: MakeLog, tmp_path: Path) -> None:
    log, labels = make_log(frames=2)
    upside_down = SE3(np.diag([1.0, -1, -1]), np.array([1.0, 0, 2]))
    rig = Rig.of((Lidar("roof", upside_down), log.rig.lidars["bumper"]), tuple(log.rig.cameras.values()))
    MMDET3D.write(tmp_path / "out", [(replace(log, rig=rig), labels)])
    entry = infos(tmp_path / "out")["data_list"][0]
    assert transform(entry["lidar_points"]["lidar2ego"]).is_close(SE3(np.eye(3), np.array([1.0, 0, 2])))
    truth = labels.tracks["car/1"].annotations[int(log.timestamps_ns[0])].box
    assert entry["instances"][0]["bbox_3d"][2] == pytest.approx(truth.center[2] - 2)


def test_logs_are_split_whole(make_log: MakeLog, tmp_path: Path) -> None:
    pairs = [make_log(name=name, frames=2) for name in "abcde"]
    MMDET3D.write(tmp_path / "out", iter(pairs), val_share=0.4)
    parts = {part: infos(tmp_path / "out", part)["data_list"] for part in ("train", "val")}
    logs = {part: {info["log"] for info in listed} for part, listed in parts.items()}
    assert len(logs["val"]) == 2 and len(logs["train"]) == 3 and not logs["val"] & logs["train"]
    assert [info["sample_idx"] for info in parts["train"]] == list(range(6))
    assert split_of("abcde", 0.4) == split_of("edcba", 0.4)
    assert split_of(["one"], 1.0) == {"val": [], "train": ["one"]} and split_of([], 0.5)["train"] == []
    with pytest.raises(FormatError, match="val_share"):
        MMDET3D.write(tmp_path / "other", [], val_share=2.0)


def test_same_input_gives_the_same_bytes(make_log: MakeLog, tmp_path: Path) -> None:
    log, labels = make_log(frames=2)
    contents = []
    for name in ("one", "two"):
        MMDET3D.write(tmp_path / name, [(log, labels)])
        files = sorted(p for p in (tmp_path / name).rglob("*") if p.is_file())
        contents.append({str(p.relative_to(tmp_path / name)): p.read_bytes() for p in files})
    assert contents[0] == contents[1] and len(contents[0]) == 11
