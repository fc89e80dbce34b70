"""Refining a camera's mount without targets, from ordinary driving."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calib.refine.cost import Cost
from calib.refine.gate import objection
from calib.refine.options import BoxPairs, Clicks, RefineOptions
from calib.refine.result import Evidence, Refinement
from calib.refine.search import climb
from calib.refine.spread import blocks_of, bootstrap, surface
from calib.refine.view import View, alignments, lattice
from calib.se3 import SE3
from calib.types import F64, I64

# How much wider answers scatter than a bootstrap says, and what all views of a drive have in common; both
# from simulated drives.
INFLATION = 1.75
SHARED = np.array([np.radians(0.0143)] * 3 + [0.0034] * 3)
RINGLESS_SHARED = np.array([np.radians(0.0485)] * 3 + [0.0114] * 3)
FIT = np.array([np.radians(0.06)] * 3 + [0.012] * 3)
PERTURBED_RAD, PERTURBED_M = float(np.radians(0.5)), 0.10


@dataclass(frozen=True, slots=True)
class _Stage:
    """A part of the search: from how far, how often."""

    turn: float
    shift: float
    generations: int


STAGES = (_Stage(0.7, 0.0, 6), _Stage(0.4, 0.6, 14), _Stage(0.1, 0.2, 6))


def refine(
    views: Sequence[View],
    ego_from_given_cam: SE3,
    options: RefineOptions | None = None,
    seed: int = 0,
    clicks: Clicks | None = None,
    boxes: BoxPairs | None = None,
) -> Refinement:
    """Turns and shifts a mount until the depth edges of scans lie on edges of images.

    The search is stochastic and at full sharpness throughout, first over rotations and then over all six
    numbers: on blurred images the landscape leads away. The same seed gives the same answer. The answer is
    believed only if it passes every check; otherwise the given mount comes back with the reason.

    Args:
        views: of one camera, spread over a drive; about twelve are enough.
        ego_from_given_cam: the mount as far as it is known.
        options: how far it may be off and what is asked of the answer.
        seed: of all that is random.
        clicks: places known in images and scans that count too.
        boxes: labels with image boxes that count too.
    """
    options = options or RefineOptions()
    usable = [view for view in views if len(view) > 0]
    block = blocks_of(usable)
    if len(np.unique(block)) < options.fewest_views:
        return _unchanged(
            ego_from_given_cam,
            f"{len(usable)} usable views of {len(np.unique(block))} places are too few; "
            f"{options.fewest_views} places are needed",
        )
    rng = np.random.default_rng(seed)
    cost = Cost(usable, ego_from_given_cam, options, usable[0].model, clicks, boxes)
    correction = _searched(cost, rng)
    covariance = _covariance(cost, correction, block, rng)
    evidence = _evidence(cost, correction, block, rng)
    against = objection(evidence, correction, covariance, options)
    found = _corrected(ego_from_given_cam, correction)
    reason = against or _praise(evidence)
    used = ego_from_given_cam if against else found
    return Refinement(not against, reason, used, ego_from_given_cam, found, correction, covariance, evidence)


def _unchanged(ego_from_given_cam: SE3, reason: str) -> Refinement:
    given = ego_from_given_cam
    return Refinement(False, reason, given, given, given, np.zeros(6), np.full((6, 6), np.nan), None)


def _corrected(ego_from_given_cam: SE3, correction: F64) -> SE3:
    cam_from_given_cam = SE3.from_vector(correction)
    return ego_from_given_cam @ cam_from_given_cam.inverse()


def _searched(cost: Cost, rng: np.random.Generator) -> F64:
    options, place = cost.options, np.zeros(6)
    shift_m = 0.0 if options.rotation_only else options.shift_m
    for stage in STAGES:
        spread = np.array([stage.turn * options.turn_rad] * 3 + [stage.shift * shift_m] * 3)
        place = climb(cost, place, spread, stage.generations, rng)
    return place


def _covariance(cost: Cost, correction: F64, block: I64, rng: np.random.Generator) -> F64:
    """Of a bootstrap over blocks of views, with what it cannot show on top."""
    fixed = np.array([1.0] * 3 + [0.0 if cost.options.rotation_only else 1.0] * 3)
    laid = surface(cost, correction, FIT * fixed, rng)
    drawn = bootstrap(laid, block, rng)
    middle = np.median(drawn, axis=0)
    inner = np.clip(drawn, *np.percentile(drawn, (1, 99), axis=0)) - middle
    shared = SHARED if all(view.sharp for view in cost.views) else RINGLESS_SHARED
    return np.asarray(INFLATION**2 * (inner.T @ inner) / len(inner) + laid.unshown(shared))


def _evidence(cost: Cost, correction: F64, block: I64, rng: np.random.Generator) -> Evidence:
    views, given = cost.views, cost.ego_from_given_cam
    late = block >= np.median(np.unique(block))
    halves = [[view for view, is_late in zip(views, late, strict=True) if is_late == side] for side in (0, 1)]
    said = [_searched(cost.of(half), rng) for half in halves]
    held_out = [
        float(np.diff(alignments(half, given, np.stack([np.zeros(6), other])).mean(axis=1))[0])
        for half, other in zip(halves, said[::-1], strict=True)
    ]
    between = _corrected(given, said[0]).inverse() @ _corrected(given, said[1])
    here = alignments(views, given, np.stack([np.zeros(6), correction]))
    rivals = alignments(views, _corrected(given, correction), lattice(PERTURBED_RAD, PERTURBED_M))
    ahead = here[1] - rivals[np.argmax(rivals.mean(axis=1))]
    return Evidence(
        views=len(views),
        edges=sum(len(view) for view in views),
        score_given=float(here[0].mean()),
        score_found=float(here[1].mean()),
        held_out=(held_out[0], held_out[1]),
        split_rad=float(np.linalg.norm(between.rotation_vector_rad)),
        split_m=float(np.linalg.norm(between.translation)),
        share=float(np.mean(rivals.mean(axis=1) < here[1].mean())),
        margin=_standard_errors(np.bincount(block, ahead) / np.bincount(block)),
    )


def _standard_errors(values: F64) -> float:
    """The mean of values in units of its own standard error."""
    return float(values.mean() / max(values.std(ddof=1) / np.sqrt(len(values)), 1e-9))


def _praise(evidence: Evidence) -> str:
    return (
        f"{evidence.views} views agree: {evidence.score_given:.3f} before, {evidence.score_found:.3f} after; "
        f"two halves differ by {np.degrees(evidence.split_rad):.2f} deg and {100 * evidence.split_m:.1f} cm"
    )
