"""Opens a split of sensor logs with av2 and writes down what it says of it.

Runs in av2's own environment, which knows nothing of Crosslabel:
    python argoverse2_checker.py ROOT LOG OUT
writes OUT/report.json and OUT/arrays.npz.
"""

import json
import multiprocessing
import multiprocessing.pool
import sys
from pathlib import Path
from unittest import mock

import numpy as np
from av2.datasets.sensor.av2_sensor_dataloader import AV2SensorDataLoader
from av2.evaluation.detection.eval import evaluate
from av2.evaluation.detection.utils import DetectionCfg
from av2.structures.cuboid import CuboidList
from av2.structures.sweep import Sweep
from av2.utils.io import read_city_SE3_ego, read_feather, read_img


def main(root: Path, log_id: str, out: Path) -> None:
    loader = AV2SensorDataLoader(data_dir=root, labels_dir=root)
    folder = root / log_id
    sweeps_ns = [int(t) for t in loader.get_ordered_log_lidar_timestamps(log_id)]
    cuboids = CuboidList.from_feather(folder / "annotations.feather")
    poses = read_city_SE3_ego(folder)
    first = Sweep.from_feather(loader.get_lidar_fpath(log_id, sweeps_ns[0]))
    arrays = {
        "points": first.xyz,
        "lasers": first.laser_number,
        "offsets": first.offset_ns,
        "pose_times": np.array(sorted(poses)),
        "poses": np.array([poses[t].transform_matrix for t in sorted(poses)]),
        "vertices": np.array([c.vertices_m for c in cuboids.cuboids]),
    }
    report = {
        "logs": loader.get_log_ids(),
        "sweeps": sweeps_ns,
        "lidars": {"up": first.ego_SE3_up_lidar.transform_matrix.tolist()},
        "at_sweep": len(loader.get_labels_at_lidar_timestamp(log_id, sweeps_ns[0])),
        "interior": interior(loader, log_id, sweeps_ns),
        "cameras": {
            camera.name: project(loader, log_id, camera.name, sweeps_ns, arrays)
            for camera in sorted((folder / "sensors" / "cameras").glob("*"))
        },
        "average_precision": average_precision(folder, log_id),
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / "report.json").write_text(json.dumps(report))
    np.savez(out / "arrays.npz", **arrays)


def interior(loader: AV2SensorDataLoader, log_id: str, sweeps_ns: list[int]) -> list[list[int]]:
    """For every cuboid at a sweep what the table tells of points in it, and av2's own count."""
    table = read_feather(loader._labels_dir / log_id / "annotations.feather")
    pairs = []
    for t in sweeps_ns:
        sweep = Sweep.from_feather(loader.get_lidar_fpath(log_id, t))
        told = table.loc[table["timestamp_ns"] == t, "num_interior_pts"].to_list()
        found = loader.get_labels_at_lidar_timestamp(log_id, t)
        for cuboid, count in zip(found, told, strict=True):
            pairs.append([int(count), int(cuboid.compute_interior_points(sweep.xyz)[1].sum())])
    return pairs


def project(
    loader: AV2SensorDataLoader, log_id: str, camera: str, sweeps_ns: list[int], arrays: dict
) -> dict[str, object]:
    """The cloud nearest to the first image of a camera, projected with the motion of the car."""
    files = sorted((loader._data_dir / log_id / "sensors" / "cameras" / camera).glob("*.jpg"))
    shot_ns = int(files[len(files) // 2].stem)
    sweep_ns = min(sweeps_ns, key=lambda t: abs(t - shot_ns))
    sweep = Sweep.from_feather(loader.get_lidar_fpath(log_id, sweep_ns))
    uv_px, points_cam, valid = loader.project_ego_to_img_motion_compensated(
        sweep.xyz, camera, shot_ns, sweep_ns, log_id
    )
    arrays[f"uv {camera}"] = np.column_stack([uv_px[valid], points_cam[valid, 2]])
    return {
        "shot": shot_ns,
        "sweep": sweep_ns,
        "shape": read_img(files[0]).shape,
        "closest": str(loader.get_closest_img_fpath(log_id, camera, sweep_ns))
        if camera.startswith("ring_")
        else "",
    }


def average_precision(folder: Path, log_id: str) -> dict[str, float]:
    """Per class, the labels with points in them given as detections."""
    truth = read_feather(folder / "annotations.feather")
    truth = truth.loc[truth["num_interior_pts"] > 0].assign(log_id=log_id).reset_index(drop=True)
    found = truth.assign(score=1.0)
    classes = tuple(sorted(truth["category"].unique()))
    config = DetectionCfg(categories=classes, eval_only_roi_instances=False, max_range_m=500.0)
    # Its own pool starts eight processes, each of which imports all of av2.
    with mock.patch.object(multiprocessing, "get_context", return_value=Threads):
        metrics = evaluate(found, truth, config, n_jobs=1)[2]
    return {name: float(metrics.loc[name, "AP"]) for name in classes}


class Threads:
    """What takes the place of a multiprocessing context."""

    Pool = staticmethod(multiprocessing.pool.ThreadPool)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
