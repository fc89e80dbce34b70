"""People on foot and on bicycles: x forward, on the ground, one mesh a phase of their gait."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from calib.types import F64
from fusion.simulate.materials import Material
from fusion.simulate.mesh import Color, Mesh, ball, merge, ring, tube

PHASES = 12
STRIDE_M = 1.45  # two steps of a person 1.75 m tall
PEDAL_M = 5.2  # way of a bicycle in one turn of the pedals
BLACK: Color = (0.04, 0.04, 0.045)
CRANK, SEAT, BARS = np.array([-0.08, 0.0, 0.3]), np.array([-0.25, 0.0, 0.92]), np.array([0.4, 0.0, 1.04])
HIP, SHOULDER = np.array([-0.25, 0.0, 1.04]), np.array([0.1, 0.0, 1.52])  # of a rider


@dataclass(frozen=True, slots=True)
class Looks:
    """How a person is built and dressed.

    Attributes:
        height_m: head to foot.
        girth: breadth of the trunk as a share of the usual one.
        jacket: colour of the upper part.
        trousers: colour of the lower part.
        skin: colour.
        hair: colour.
        skirt: whether a skirt or coat covers the thighs.
        bag: whether a backpack is carried.
    """

    height_m: float
    girth: float
    jacket: Color
    trousers: Color
    skin: Color
    hair: Color
    skirt: bool = False
    bag: bool = False


def person(looks: Looks, phase: float | None) -> Mesh:
    """A person at a phase 0..1 of the stride, or standing where the phase is None."""
    swing = 0.0 if phase is None else np.sin(2 * np.pi * phase)
    parts, lowest = [], 0.0
    hip_z, shoulder_z = 0.92, 1.42
    for side in (-1, 1):
        ahead = side * swing
        lift = 0.0 if phase is None else max(0.0, side * np.cos(2 * np.pi * phase))
        thigh = 0.42 * ahead + 0.18 * lift
        knee = 0.08 + 0.85 * lift
        hip = np.array([0.0, 0.09 * side, hip_z])
        leg = [hip, *_limb(hip, thigh, thigh - knee, 0.44, 0.42)]
        parts += [
            tube(leg[0], leg[1], (0.082, 0.06), Material.CLOTH, looks.trousers),
            tube(leg[1], leg[2], (0.06, 0.042), Material.CLOTH, looks.trousers),
            _shoe(leg[2], thigh - knee),
        ]
        lowest = min(lowest, float(leg[2][2]) - 0.06)
        shoulder = np.array([0.0, 0.2 * side * looks.girth, shoulder_z - 0.03])
        upper = -0.38 * ahead
        arm = [shoulder, *_limb(shoulder, upper, upper + (0.12 if phase is None else 0.4), 0.3, 0.27)]
        parts += [
            tube(arm[0], arm[1], (0.055, 0.045), Material.CLOTH, looks.jacket),
            tube(arm[1], arm[2], (0.045, 0.035), Material.CLOTH, looks.jacket),
            ball(arm[2], (0.045, 0.035, 0.055), Material.SKIN, looks.skin, 6),
        ]
    mesh = merge([*parts, *_trunk(looks, hip_z, shoulder_z)])
    scale = looks.height_m / (1.745 - lowest)
    return _scaled(mesh.shifted(0, 0, -float(mesh.bounds()[0][2])), scale)


@lru_cache(maxsize=4)
def _trunk(looks: Looks, hip_z: float, shoulder_z: float) -> list[Mesh]:
    """What stays the same in all phases."""
    wide, waist_z = looks.girth, 1.08
    bottom = looks.trousers if not looks.skirt else looks.jacket
    parts = [
        tube(
            (0, 0, hip_z - 0.06),
            (0, 0, waist_z),
            (0.165 * wide, 0.155 * wide),
            Material.CLOTH,
            bottom,
            12,
            0.72,
        ),
        tube(
            (0, 0, waist_z - 0.02),
            (0.01, 0, 1.3),
            (0.155 * wide, 0.195 * wide),
            Material.CLOTH,
            looks.jacket,
            12,
            0.66,
        ),
        tube(
            (0.01, 0, 1.3),
            (0, 0, shoulder_z + 0.03),
            (0.195 * wide, 0.12),
            Material.CLOTH,
            looks.jacket,
            12,
            0.66,
        ),
        tube((0, 0, shoulder_z), (0.015, 0, 1.53), (0.058, 0.052), Material.SKIN, looks.skin),
        ball((0.025, 0, 1.625), (0.098, 0.078, 0.118), Material.SKIN, looks.skin, 12),
        ball((0.0, 0, 1.655), (0.1, 0.086, 0.1), Material.CLOTH, looks.hair, 12),
    ]
    if looks.skirt:
        parts.append(
            tube((0, 0, 0.56), (0, 0, 1.0), (0.25, 0.16 * wide), Material.CLOTH, looks.jacket, 12, 0.85)
        )
    if looks.bag:
        parts.append(ball((-0.17, 0, 1.25), (0.1, 0.15, 0.22), Material.CLOTH, looks.trousers, 10))
    return parts


def _limb(start: F64, upper_rad: float, lower_rad: float, upper_m: float, lower_m: float) -> tuple[F64, F64]:
    """Joint and end of a limb that hangs from `start`, angles forward from straight down."""
    joint = start + upper_m * np.array([np.sin(upper_rad), 0, -np.cos(upper_rad)])
    return joint, joint + lower_m * np.array([np.sin(lower_rad), 0, -np.cos(lower_rad)])


def _shoe(ankle: F64, angle_rad: float) -> Mesh:
    toe = np.array([np.cos(angle_rad), 0, np.sin(angle_rad)])
    down = np.array([0, 0, -0.035])
    return tube(
        ankle - 0.06 * toe + down, ankle + 0.19 * toe + down, (0.05, 0.035), Material.RUBBER, BLACK, 8
    )


def cyclist(looks: Looks, phase: float | None, frame: Color) -> Mesh:
    """A bicycle with its rider at a phase 0..1 of the pedals, or standing with one foot down."""
    crank, hip, shoulder, bars = CRANK, HIP, SHOULDER, BARS
    parts = [*_bicycle(frame)]
    turn = 0.0 if phase is None else 2 * np.pi * phase
    for side in (-1, 1):
        angle = turn + (0 if side > 0 else np.pi)
        pedal = crank + _at(0.17 * np.cos(angle), 0.12 * side, 0.17 * np.sin(angle))
        ankle, own_hip = pedal + _at(-0.05, 0, 0.07), hip + _at(0, 0.09 * side, 0)
        knee = _bent(own_hip, ankle, 0.45, 0.44)
        parts += [
            tube(own_hip, knee, (0.082, 0.06), Material.CLOTH, looks.trousers),
            tube(knee, ankle, (0.06, 0.042), Material.CLOTH, looks.trousers),
            _shoe(ankle, -0.1),
        ]
        own_shoulder, hand = shoulder + _at(0, 0.19 * side, -0.02), bars + _at(0.0, 0.24 * side, 0.03)
        elbow = (own_shoulder + hand) / 2 + (-0.05, 0.04 * side, -0.07)
        parts += [
            tube(own_shoulder, elbow, (0.055, 0.045), Material.CLOTH, looks.jacket),
            tube(elbow, hand, (0.045, 0.034), Material.CLOTH, looks.jacket),
            ball(hand, (0.045, 0.035, 0.04), Material.SKIN, looks.skin, 6),
        ]
    mesh = merge([*parts, *_rider(looks, frame)])
    return mesh.shifted(0, 0, -float(mesh.bounds()[0][2]))


@lru_cache(maxsize=4)
def _bicycle(frame: Color) -> list[Mesh]:
    rear, front, head = np.array([-0.52, 0, 0.34]), np.array([0.53, 0, 0.34]), np.array([0.36, 0, 0.9])
    crank, seat, bars = CRANK, SEAT, BARS
    parts = [_bicycle_wheel(-0.52, 0.34), _bicycle_wheel(0.53, 0.34)]
    rods = [(rear, crank), (rear, seat), (crank, seat), (crank, head), (seat - _at(0, 0, 0.1), head)]
    rods += [(front, head), (head, bars)]
    parts += [tube(a, b, (0.018, 0.018), Material.METAL, frame, 6) for a, b in rods]
    parts.append(
        tube(bars + _at(0, -0.28, 0), bars + _at(0, 0.28, 0), (0.016, 0.016), Material.METAL, BLACK, 6)
    )
    parts.append(
        tube(
            seat + _at(-0.1, 0, 0.02),
            seat + _at(0.14, 0, 0.02),
            (0.075, 0.03),
            Material.PLASTIC,
            BLACK,
            8,
            0.6,
        )
    )
    return parts


@lru_cache(maxsize=4)
def _rider(looks: Looks, helmet: Color) -> list[Mesh]:
    """What stays the same in all phases."""
    hip, shoulder = HIP, SHOULDER
    return [
        tube(hip, shoulder, (0.16 * looks.girth, 0.17 * looks.girth), Material.CLOTH, looks.jacket, 12, 0.7),
        ball(hip, (0.16, 0.165, 0.13), Material.CLOTH, looks.trousers, 10),
        ball(shoulder, (0.12, 0.2, 0.09), Material.CLOTH, looks.jacket, 10),
        tube(shoulder, shoulder + _at(0.06, 0, 0.15), (0.055, 0.05), Material.SKIN, looks.skin),
        ball(shoulder + _at(0.09, 0, 0.22), (0.1, 0.078, 0.118), Material.SKIN, looks.skin, 12),
        ball(shoulder + _at(0.07, 0, 0.26), (0.125, 0.092, 0.095), Material.PLASTIC, helmet, 12),
    ]


@lru_cache(maxsize=4)
def _bicycle_wheel(x: float, z: float) -> Mesh:
    center = np.array([x, 0.0, z])
    ends = [
        center + 0.32 * np.array([np.cos(turn), 0, np.sin(turn)])
        for turn in np.linspace(0, 2 * np.pi, 9)[:-1]
    ]
    spokes = [tube(center, end, (0.004, 0.004), Material.METAL, (0.6, 0.6, 0.6), 3) for end in ends]
    return merge([ring(center, 0.322, 0.021, Material.RUBBER, BLACK), *spokes])


def _bent(start: F64, end: F64, upper_m: float, lower_m: float) -> F64:
    """The knee between hip and ankle, bent forward."""
    way = end - start
    span = min(float(np.linalg.norm(way)), 0.999 * (upper_m + lower_m))
    along = (upper_m**2 - lower_m**2 + span**2) / (2 * span)
    out = np.sqrt(max(upper_m**2 - along**2, 0.0))
    unit = way / np.linalg.norm(way)
    forward = np.array([1.0, 0, 0]) - unit[0] * unit
    return np.asarray(start + along * unit + out * forward / np.linalg.norm(forward))


def _scaled(mesh: Mesh, scale: float) -> Mesh:
    return Mesh(mesh.vertices * scale, mesh.triangles, mesh.uv, mesh.normals, mesh.material, mesh.color)


def _at(x: float, y: float, z: float) -> F64:
    return np.array([x, y, z], np.float64)
