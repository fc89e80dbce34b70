"""Reads a tree of KITTI's object benchmark with the devkit of nuScenes and prints what it found as JSON.

Run in an environment of its own: `python kitti_db_checker.py <root>`.
"""

import json
import sys

import numpy as np
from nuscenes.utils.kitti import KittiDB


def main(root: str) -> None:
    database = KittiDB(root, splits=("training",))
    frames = {}
    for token in database.tokens:
        boxes = database.get_boxes(token)
        cloud = database.get_pointcloud(token, root)
        points = cloud.points[:3].T
        transforms = database.get_transforms(token, root)
        rectangles, names = database.get_boxes_2d(token)
        turned = [database.kitti_to_nu_lidar_inv.rotation_matrix @ box.corners() for box in boxes]
        pixels = database.project_pts_to_image(cloud, token)
        frames[token] = {
            "corners": [corners.T.tolist() for corners in turned],
            "names": [box.name for box in boxes],
            "names_2d": names,
            "rectangles": rectangles,
            "points": points.astype(float).sum(axis=0).tolist(),
            "focal": float(transforms["p_left"][0, 0]),
            "pixels": np.asarray(pixels)[:2].astype(float).T[:200].tolist(),
        }
    print(json.dumps(frames))


if __name__ == "__main__":
    main(sys.argv[1])
