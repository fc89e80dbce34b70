"""Opens a data set with the nuscenes-devkit and writes down what it says of it.

Runs in the devkit's own environment, which knows nothing of Crosslabel:
    python nuscenes_devkit_checker.py ROOT VERSION OUT
writes OUT/report.json and OUT/arrays.npz.
"""

import contextlib
import io
import json
import os
import sys
import tempfile
import unittest.mock
from pathlib import Path

os.environ.setdefault("MPLBACKEND", "Agg")

import numpy as np
from nuscenes import NuScenes
from nuscenes.tests.assert_download import verify_setup
from nuscenes.utils.data_classes import LidarPointCloud
from nuscenes.utils.geometry_utils import BoxVisibility, points_in_box

SPLIT = "all"


def main(root: str, version: str, out: Path) -> None:
    quiet = io.StringIO()
    arrays: dict[str, np.ndarray] = {}
    with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
        nusc = NuScenes(version=version, dataroot=root, verbose=False)
        verify_setup(nusc)
        report = {
            "counts": {table: len(getattr(nusc, table)) for table in nusc.table_names},
            "lists": lists(nusc),
            "chains": broken_chains(nusc),
            "recount": recount(nusc),
            "velocities": {
                a["token"]: nusc.box_velocity(a["token"]).tolist() for a in nusc.sample_annotation
            },
            "boxes": boxes(nusc),
            "multisweep": multisweep(nusc),
        }
        project(nusc, arrays)
        report |= evaluations(nusc)
    out.mkdir(parents=True, exist_ok=True)
    (out / "report.json").write_text(json.dumps(report))
    np.savez(out / "arrays.npz", **arrays)


def lists(nusc: NuScenes) -> str:
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        nusc.list_scenes()
        nusc.list_categories()
        nusc.list_attributes()
        nusc.list_sample(nusc.sample[0]["token"])
    return text.getvalue()


def broken_chains(nusc: NuScenes) -> list[str]:
    """What the devkit does not check itself: prev, next, first, last and the times of poses."""
    wrong = []
    for table in ("sample", "sample_data", "sample_annotation"):
        for row in getattr(nusc, table):
            for there, back in (("prev", "next"), ("next", "prev")):
                if row[there] and nusc.get(table, row[there])[back] != row["token"]:
                    wrong.append(f"{table} {row['token']} {there}")
    for scene in nusc.scene:
        wrong += walk(
            nusc, "sample", scene["first_sample_token"], scene["last_sample_token"], scene["nbr_samples"]
        )
    for instance in nusc.instance:
        first, last = instance["first_annotation_token"], instance["last_annotation_token"]
        wrong += walk(nusc, "sample_annotation", first, last, instance["nbr_annotations"])
    for row in nusc.sample_data:
        if nusc.get("ego_pose", row["ego_pose_token"])["timestamp"] != row["timestamp"]:
            wrong.append(f"ego_pose of {row['token']} is of another time")
    return wrong


def walk(nusc: NuScenes, table: str, first: str, last: str, count: int) -> list[str]:
    tokens = [first]
    while nusc.get(table, tokens[-1])["next"]:
        tokens.append(nusc.get(table, tokens[-1])["next"])
    return [] if (tokens[-1], len(tokens)) == (last, count) else [f"{table} chain from {first}"]


def recount(nusc: NuScenes) -> list[list[int]]:
    """For every annotation its num_lidar_pts and the devkit's own count."""
    pairs = []
    for sample in nusc.sample:
        path, found, _ = nusc.get_sample_data(sample["data"]["LIDAR_TOP"])
        cloud = LidarPointCloud.from_file(path).points[:3]
        for box in found:
            stored = nusc.get("sample_annotation", box.token)["num_lidar_pts"]
            pairs.append([stored, int(points_in_box(box, cloud).sum())])
    return pairs


def boxes(nusc: NuScenes) -> dict[str, list]:
    """Every box in the frame of every reading, key frames and sweeps alike."""
    return {
        row["token"]: [
            [box.token, box.center.tolist(), box.wlh.tolist(), box.orientation.elements.tolist()]
            for box in nusc.get_sample_data(row["token"], box_vis_level=BoxVisibility.NONE)[1]
        ]
        for row in nusc.sample_data
    }


def project(nusc: NuScenes, arrays: dict[str, np.ndarray]) -> None:
    """The cloud of the middle sample of each scene in each of its images: u, v, depth."""
    for scene in nusc.scene:
        samples = [sample for sample in nusc.sample if sample["scene_token"] == scene["token"]]
        data = samples[len(samples) // 2]["data"]
        for channel, token in data.items():
            if channel.startswith("CAM_"):
                points, depths, _ = nusc.explorer.map_pointcloud_to_image(data["LIDAR_TOP"], token)
                arrays[token] = np.vstack([points[:2], depths]).T


def multisweep(nusc: NuScenes) -> dict[str, object]:
    sample = nusc.get("sample", nusc.scene[0]["last_sample_token"])
    cloud, times = LidarPointCloud.from_file_multisweep(nusc, sample, "LIDAR_TOP", "LIDAR_TOP", nsweeps=4)
    return {"points": cloud.nbr_points(), "lags_s": sorted(set(np.round(times[0], 6).tolist()))}


def evaluations(nusc: NuScenes) -> dict[str, object]:
    """Both benchmarks with the labels as predictions."""
    from nuscenes.eval.common.config import config_factory
    from nuscenes.eval.detection.evaluate import DetectionEval
    from nuscenes.eval.tracking.evaluate import TrackingEval

    with tempfile.TemporaryDirectory() as folder, named(nusc):
        where = Path(folder)
        truth = {row["token"]: [] for row in nusc.sample}
        for row in nusc.sample_annotation:
            if row["num_lidar_pts"] > 0:
                truth[row["sample_token"]].append(row)
        detections, tracks = where / "detections.json", where / "tracks.json"
        detections.write_text(json.dumps(results(nusc, truth, detection)))
        tracks.write_text(json.dumps(results(nusc, truth, tracking)))
        found = DetectionEval(
            nusc, config_factory("detection_cvpr_2019"), str(detections), SPLIT, str(where), verbose=False
        )
        metrics = found.evaluate()[0]
        classes = sorted({box.detection_name for box in found.gt_boxes.all})
        tracked = TrackingEval(
            config_factory("tracking_nips_2019"),
            str(tracks),
            SPLIT,
            str(where),
            nusc.version,
            nusc.dataroot,
            verbose=False,
        )
        tracking_metrics = tracked.evaluate()[0].serialize()["label_metrics"]
        names = {b.tracking_name for scene in tracked.tracks_gt.values() for t in scene.values() for b in t}
    return {
        "detection": {
            name: {"ap": metrics.mean_dist_aps[name], **metrics._label_tp_errors[name]} for name in classes
        },
        "tracking": {name: {k: v[name] for k, v in tracking_metrics.items()} for name in sorted(names)},
    }


@contextlib.contextmanager
def named(nusc: NuScenes):
    """Spares the second loading of the tables."""
    with unittest.mock.patch("nuscenes.eval.tracking.evaluate.NuScenes", lambda **_: nusc):
        yield


def results(nusc: NuScenes, truth: dict[str, list[dict]], entry) -> dict[str, object]:
    uses = {f"use_{name}": name == "lidar" for name in ("camera", "lidar", "radar", "map", "external")}
    by_sample = {t: [e for e in (entry(nusc, row) for row in rows) if e] for t, rows in truth.items()}
    return {"meta": uses, "results": by_sample}


def common(nusc: NuScenes, row: dict) -> dict:
    return {
        "velocity": np.nan_to_num(nusc.box_velocity(row["token"])[:2]).tolist(),
        **{name: row[name] for name in ("sample_token", "translation", "size", "rotation")},
    }


def detection(nusc: NuScenes, row: dict) -> dict | None:
    from nuscenes.eval.detection.utils import category_to_detection_name

    name = category_to_detection_name(row["category_name"])
    attributes = [nusc.get("attribute", token)["name"] for token in row["attribute_tokens"]]
    more = {"detection_name": name, "detection_score": 1.0, "attribute_name": "".join(attributes)}
    return common(nusc, row) | more if name else None


def tracking(nusc: NuScenes, row: dict) -> dict | None:
    from nuscenes.eval.tracking.utils import category_to_tracking_name

    name = category_to_tracking_name(row["category_name"])
    more = {"tracking_id": row["instance_token"], "tracking_name": name, "tracking_score": 1.0}
    return common(nusc, row) | more if name else None


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
