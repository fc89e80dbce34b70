"""Numpy twins of the compiled kernels: what each computes, written slowly and plainly."""

import numpy as np

FOURTEEN = 14


def distort_brown(plane: np.ndarray, distortion: tuple[float, ...]) -> np.ndarray:
    """OpenCV's Brown-Conrady model as its documentation prints it, for (..., 2) points of the plane z = 1."""
    k1, k2, p1, p2, k3, k4, k5, k6, s1, s2, s3, s4, tx, ty = [
        *distortion,
        *[0.0] * (FOURTEEN - len(distortion)),
    ]
    x, y = plane[..., 0], plane[..., 1]
    r2 = x**2 + y**2
    radial = (1 + k1 * r2 + k2 * r2**2 + k3 * r2**3) / (1 + k4 * r2 + k5 * r2**2 + k6 * r2**3)
    xd = x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x**2) + s1 * r2 + s2 * r2**2
    yd = y * radial + p1 * (r2 + 2 * y**2) + 2 * p2 * x * y + s3 * r2 + s4 * r2**2
    about_x = np.array([[1, 0, 0], [0, np.cos(tx), np.sin(tx)], [0, -np.sin(tx), np.cos(tx)]])
    about_y = np.array([[np.cos(ty), 0, -np.sin(ty)], [0, 1, 0], [np.sin(ty), 0, np.cos(ty)]])
    turned = about_y @ about_x
    onto = np.array([[turned[2, 2], 0, -turned[0, 2]], [0, turned[2, 2], -turned[1, 2]], [0, 0, 1]])
    lifted = np.stack([xd, yd, np.ones_like(xd)], axis=-1) @ (onto @ turned).T
    return lifted[..., :2] / lifted[..., 2:]


def distort_fisheye(plane: np.ndarray, distortion: tuple[float, ...]) -> np.ndarray:
    """OpenCV's fisheye model for (..., 2) points of the plane z = 1."""
    k = [*distortion, *[0.0] * (4 - len(distortion))]
    r = np.linalg.norm(plane, axis=-1, keepdims=True)
    theta = np.arctan(r)
    theta_d = theta * (1 + sum(k[i] * theta ** (2 * i + 2) for i in range(4)))
    return plane * np.where(r > 1e-12, theta_d / np.maximum(r, 1e-12), 1.0)


def jacobian_sign(distort, plane: np.ndarray, step: float = 1e-6) -> np.ndarray:
    """Determinant of a distortion's Jacobian by central differences, for (..., 2) points."""
    steps = step * (1 + np.linalg.norm(plane, axis=-1, keepdims=True))
    along_x, along_y = steps * (1.0, 0.0), steps * (0.0, 1.0)
    dx = (distort(plane + along_x) - distort(plane - along_x)) / (2 * steps)
    dy = (distort(plane + along_y) - distort(plane - along_y)) / (2 * steps)
    return dx[..., 0] * dy[..., 1] - dx[..., 1] * dy[..., 0]


def points_in_box(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Points between the faces of a box, in the way of nuscenes-devkit: three edges from one corner."""
    corner = corners[0]
    v = points - corner
    inside = np.ones(len(points), dtype=bool)
    for k in (4, 1, 3):
        edge = corners[k] - corner
        along = v @ edge
        inside &= (along >= 0) & (along <= edge @ edge)
    return inside


def deskew(points, offsets_ns, timestamp_ns, ego_from_lidar, trajectory) -> np.ndarray:
    """Every point with the car's pose at its own instant, one after the other."""
    lidar_from_world = (trajectory.at(timestamp_ns) @ ego_from_lidar).inverse()
    moved = []
    for point, offset_ns in zip(points, offsets_ns, strict=True):
        world_from_lidar_at_point = trajectory.at(timestamp_ns + int(offset_ns)) @ ego_from_lidar
        moved.append(lidar_from_world @ (world_from_lidar_at_point @ point.astype(np.float64)))
    return np.array(moved)
