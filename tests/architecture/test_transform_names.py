"""Transforms are named dst_from_src, and in every product the inner names cancel.

The test reads the code as a tree. Of a name it knows the frames where it says `dst_from_src`; what says
nothing is left alone. `ego` fits `ego_at_shot`: a rigid mount is the same at every instant, but
`ego_at_shot` does not fit `ego_at_sweep`.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PACKAGES = ("calib", "fusion", "autolabel", "formats", "scripts", "viewer")
SOURCES = sorted(path for name in PACKAGES for path in (REPOSITORY / name).rglob("*.py"))
TRANSFORM = re.compile(r"^_?(?P<dst>[a-z0-9]+(?:_[a-z0-9]+)*?)_from_(?P<src>[a-z0-9_]+?)_?$")
POINTS = re.compile(r"^(?:points|point|corners|cloud|centers|centres|places)_(?P<frame>[a-z0-9_]+)$")
# What a type calls its frames before it knows them: Camera.ego_from_sensor, Boxes.dst_from_box.
GENERAL = {"sensor", "dst", "src"}
FORBIDDEN = {"T", "pose", "extrinsic", "calib"}
# Names with "_from_" that are functions or constructors, not transforms.
PLAIN = {"matrices_from_quaternions", "quaternions_from_matrices"}

Frames = tuple[str, str]


def frames_of(name: str) -> Frames | None:
    """(dst, src) that a name declares; None where it declares none."""
    match = TRANSFORM.match(name)
    if match is None or name in PLAIN:
        return None
    return match["dst"].rstrip("s"), match["src"].rstrip("s")


def same(a: str, b: str) -> bool:
    """Whether two frames are one: equal, one of them general, or one of them says no instant."""
    return a == b or a in GENERAL or b in GENERAL or a.startswith(f"{b}_at_") or b.startswith(f"{a}_at_")


class Reader(ast.NodeVisitor):
    """Collects what does not cancel in one file."""

    def __init__(self) -> None:
        self.faults: list[str] = []

    def name_of(self, node: ast.expr) -> str | None:
        if isinstance(node, ast.Name):
            return node.id
        if isinstance(node, ast.Attribute):
            return node.attr
        if isinstance(node, ast.Subscript):
            return self.name_of(node.value)
        return None

    def frames(self, node: ast.expr) -> Frames | None:
        """(dst, src) of an expression, checking every product inside."""
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
            return self.product(node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            inner = self.frames(node.func.value)
            if node.func.attr == "inverse" and inner is not None:
                return inner[1], inner[0]
            # trajectory.world_from_ego.take(...), log.trajectory.at(t): the name is on either side
            if node.func.attr == "take":
                return inner
            if node.func.attr in ("at", "at_many"):
                owner = self.name_of(node.func.value)
                return ("world", "ego") if owner == "trajectory" else None
            return frames_of(node.func.attr)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            return frames_of(node.func.id)
        name = self.name_of(node)
        return frames_of(name) if name else None

    def product(self, node: ast.BinOp) -> Frames | None:
        left, right = self.frames(node.left), self.frames(node.right)
        name = self.name_of(node.right)
        points = POINTS.match(name) if name else None
        if left is not None and points is not None and right is None and not same(left[1], points["frame"]):
            self.fault(node, f"{left[0]}_from_{left[1]} applied to {name}")
        if left is None or right is None:
            return None
        if not same(left[1], right[0]):
            self.fault(node, f"{left[0]}_from_{left[1]} @ {right[0]}_from_{right[1]} does not cancel")
        return left[0], right[1]

    def fault(self, node: ast.AST, message: str) -> None:
        self.faults.append(f"line {getattr(node, 'lineno', '?')}: {message}")

    def assigned(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            for one_target, one_value in zip(target.elts, value.elts, strict=False):
                self.assigned(one_target, one_value)
            return
        name = self.name_of(target)
        if name is None:
            return
        if isinstance(target, ast.Name) and name in FORBIDDEN:
            self.fault(target, f"a transform is called {name}")
        left, right = frames_of(name), self.frames(value)
        if left and right and not (same(left[0], right[0]) and same(left[1], right[1])):
            self.fault(target, f"{name} is given {right[0]}_from_{right[1]}")

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            self.assigned(target, node.value)
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.assigned(node.target, node.value)
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if isinstance(node.op, ast.MatMult):
            self.product(node)
        self.generic_visit(node)

    def visit_keyword(self, node: ast.keyword) -> None:
        if node.arg is not None:
            left, right = frames_of(node.arg), self.frames(node.value)
            if left and right and not (same(left[0], right[0]) and same(left[1], right[1])):
                self.fault(node.value, f"{node.arg}= is given {right[0]}_from_{right[1]}")
        self.generic_visit(node)


def faults_in(code: str) -> list[str]:
    reader = Reader()
    reader.visit(ast.parse(code))
    return list(dict.fromkeys(reader.faults))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_transform_names_cancel(path: Path) -> None:
    assert faults_in(path.read_text(encoding="utf-8")) == []


def products() -> Iterator[str]:
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult) and Reader().product(node):
                yield f"{path.name}:{node.lineno}"


def test_the_walk_finds_products_to_check() -> None:
    assert len(list(products())) >= 20


@pytest.mark.parametrize(
    "code",
    [
        "a = world_from_ego @ cam_from_ego",
        "world_from_box = ego_from_lidar @ lidar_from_box",
        "ego_from_world = world_from_ego",
        "ego_from_world = trajectory.at(t)",
        "x = world_from_ego.inverse() @ ego_from_box",
        "x = ego_at_shot_from_world @ world_from_ego_at_sweep @ ego_at_shot_from_lidar",
        "x = ego_from_lidar @ points_cam",
        "pose = SE3.identity()",
        "f(ego_from_cam=cam_from_ego)",
        "a_from_b, c_from_d = c_from_d, a_from_b",
    ],
)
def test_a_product_that_does_not_cancel_is_found(code: str) -> None:
    assert faults_in(code)


@pytest.mark.parametrize(
    "code",
    [
        "world_from_box = world_from_ego @ ego_from_box",
        "ego_from_world = world_from_ego.inverse()",
        "x = cam_from_ego @ ego_at_shot_from_world @ world_from_ego_at_sweep @ ego_from_lidar @ points_lidar",
        "world_from_ego = log.trajectory.at(t)",
        "y = a @ b",
        "f(ego_from_cam=cam_from_ego.inverse())",
    ],
)
def test_a_product_that_cancels_passes(code: str) -> None:
    assert faults_in(code) == []
