"""The same work in our way and in the ways of others.

Theirs are written down from the formulas that their devkits publish, step by step and with their types.
All sides get the same points and poses in memory; nobody reads a file.
"""

import cv2
import numpy as np
import shapely

from calib import project_cloud
from calib.sight import View, colour_points
from tests.benchmarks.scenes import HEIGHT_PX, WIDTH_PX

MOST_REMAPPED = 32_000  # of one side: OpenCV counts in 16 bits


def ours(scene):
    world_from_lidar = scene.world_from_ego_at_sweep @ scene.ego_from_lidar
    egos_at_shots_from_lidar = scene.world_from_egos_at_shots.inverse() @ world_from_lidar
    cams_from_lidar = scene.cams_from_ego @ egos_at_shots_from_lidar
    return project_cloud(scene.points_lidar, scene.models, list(cams_from_lidar))


def rotate(points, rotation):
    points[:3, :] = np.dot(rotation, points[:3, :])


def translate(points, offset):
    for k in range(3):
        points[k, :] = points[k, :] + offset[k]


def view_points(points, view):
    padded = np.eye(4)
    padded[:3, :3] = view
    count = points.shape[1]
    points = np.concatenate((points, np.ones((1, count))))
    points = np.dot(padded, points)
    points = points[:3, :]
    return points / points[2:3, :].repeat(3, 0).reshape(3, count)


def nuscenes_camera(points, scene, world_from_ego_at_shot, ego_from_cam, model):
    """`NuScenesExplorer.map_pointcloud_to_image`, from the sensor frame over the global one to pixels."""
    rotate(points, scene.ego_from_lidar.rotation)
    translate(points, scene.ego_from_lidar.translation)
    rotate(points, scene.world_from_ego_at_sweep.rotation)
    translate(points, scene.world_from_ego_at_sweep.translation)
    translate(points, -world_from_ego_at_shot.translation)
    rotate(points, world_from_ego_at_shot.rotation.T)
    translate(points, -ego_from_cam.translation)
    rotate(points, ego_from_cam.rotation.T)
    depths = points[2, :]
    pixels = view_points(points[:3, :], model.matrix)
    mask = np.ones(depths.shape[0], dtype=bool)
    mask = np.logical_and(mask, depths > 1.0)
    mask = np.logical_and(mask, pixels[0, :] > 1)
    mask = np.logical_and(mask, pixels[0, :] < WIDTH_PX - 1)
    mask = np.logical_and(mask, pixels[1, :] > 1)
    mask = np.logical_and(mask, pixels[1, :] < HEIGHT_PX - 1)
    return np.flatnonzero(mask), pixels[:, mask], depths[mask]


def nuscenes_clouds(scene, order):
    """A (4, N) float32 cloud for each camera, which the way overwrites.

    `LidarPointCloud.from_file` gives a transposed view of the file's rows: "as loaded". "row by row" is what
    a user gets who copies it so that each coordinate lies together, which numpy likes better.
    """
    clouds = [scene.file.copy()[:, :4].T for _ in range(6)]
    return [cloud.copy(order="C") for cloud in clouds] if order == "row by row" else clouds


def nuscenes(scene, clouds):
    return [
        nuscenes_camera(cloud, scene, *camera) for cloud, camera in zip(clouds, scene.cameras(), strict=True)
    ]


def argoverse_camera(scene, world_from_ego_at_shot, ego_from_cam, model):
    """`PinholeCamera.project_ego_to_img_motion_compensated`."""
    ego_at_shot_from_ego_at_sweep = world_from_ego_at_shot.inverse() @ scene.world_from_ego_at_sweep
    points = scene.points_ego @ ego_at_shot_from_ego_at_sweep.rotation.T
    points = points + ego_at_shot_from_ego_at_sweep.translation
    homogeneous = np.ones((points.shape[0], 4))
    homogeneous[:, :3] = points
    points_cam = ego_from_cam.inverse().matrix @ homogeneous.T
    uv = model.matrix @ points_cam[:3, :]
    uv = uv.T
    points_cam = points_cam.T
    uv = uv[:, :2] / uv[:, 2].reshape(-1, 1)
    is_valid_x = np.logical_and(uv[:, 0] >= 0, uv[:, 0] < WIDTH_PX - 1)
    is_valid_y = np.logical_and(uv[:, 1] >= 0, uv[:, 1] < HEIGHT_PX - 1)
    is_valid_z = points_cam[:, 2] > 0
    return uv, points_cam, np.logical_and.reduce([is_valid_x, is_valid_y, is_valid_z])


def argoverse(scene):
    return [argoverse_camera(scene, *camera) for camera in scene.cameras()]


def copy_six_times(scene):
    for copy in scene.copies:
        np.copyto(copy, scene.points_lidar)


def colours(painted):
    return colour_points(len(painted.points), [View(painted.image, painted.model, painted.seen)])


def remapped(painted):
    """What is mapped by OpenCV has still to be brought to its points and compared between cameras."""
    cv2.setNumThreads(1)
    column, row = np.ascontiguousarray(painted.seen.uv_px.T, dtype=np.float32)[:, :, None]
    starts = range(0, len(column), MOST_REMAPPED)
    parts = [(column[a : a + MOST_REMAPPED], row[a : a + MOST_REMAPPED]) for a in starts]
    return np.concatenate([cv2.remap(painted.image, *part, cv2.INTER_LINEAR) for part in parts])


def devkit_mask(corners, points):
    """`points_in_box` of nuscenes-devkit: corners (3, 8) and points (3, N), one box at a time."""
    corner, x, y, z = corners[:, 0], corners[:, 4], corners[:, 1], corners[:, 3]
    i, j, k = x - corner, y - corner, z - corner
    v = points - corner.reshape((-1, 1))
    iv, jv, kv = np.dot(i, v), np.dot(j, v), np.dot(k, v)
    mask_x = np.logical_and(iv >= 0, iv <= np.dot(i, i))
    mask_y = np.logical_and(jv >= 0, jv <= np.dot(j, j))
    mask_z = np.logical_and(kv >= 0, kv <= np.dot(k, k))
    return np.logical_and(np.logical_and(mask_x, mask_y), mask_z)


def devkit_points(points, boxes):
    across = points.T
    return [np.flatnonzero(devkit_mask(corners.T, across)) for corners in boxes.corners()]


def shapely_pairs(a, b):
    """A polygon a box, made once; then intersection and union of one pair after the other."""
    polygons_a, polygons_b = (
        [shapely.Polygon(c[[0, 1, 5, 4], :2]) for c in boxes.corners()] for boxes in (a, b)
    )
    iou = np.empty((len(a), len(b)))
    for i, one in enumerate(polygons_a):
        for j, other in enumerate(polygons_b):
            shared = one.intersection(other).area
            iou[i, j] = shared / (one.area + other.area - shared)
    return iou
