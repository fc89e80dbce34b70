"""Pictures of how well edges of a scan and of an image fall together."""

from __future__ import annotations

import numpy as np

from calib.types import F64, U8, Bools, Floats

LIMIT_PX = 8.0
GOOD, MIDDLE, BAD = (38, 166, 91), (255, 209, 71), (214, 40, 40)
DARKEN, MAP_OPACITY = 0.55, 0.6
LEGEND_BACK, LEGEND_TEXT = (18, 20, 24), (240, 240, 240)


def residual_colours(residual_px: Floats, limit_px: float = LIMIT_PX) -> U8:
    """(N, 3) RGB: green at 0, yellow half-way, red from the limit on and where it is not a number."""
    share = np.clip(np.nan_to_num(np.abs(np.asarray(residual_px, np.float64)) / limit_px, nan=1.0), 0, 1)
    ramp = np.array([GOOD, MIDDLE, BAD], dtype=np.float64)
    channels = [np.interp(share, (0, 0.5, 1), ramp[:, channel]) for channel in range(3)]
    return np.asarray(np.round(np.stack(channels, axis=-1)), dtype=np.uint8)


def residual_overlay(
    image: U8, uv_px: Floats, residual_px: Floats, limit_px: float = LIMIT_PX, radius_px: int = 2
) -> U8:
    """Edge points of a scan on a darkened image, coloured by how far the image's nearest edge is.

    Args:
        image: (H, W, 3) uint8 RGB; stays as it is.
        uv_px: (N, 2) where the edge points fall.
        residual_px: (N,) distance of each to the nearest edge of the image; the worst are drawn on top.
        limit_px: distance that is drawn red.
        radius_px: of a dot.

    Returns:
        (H, W, 3) uint8 RGB with a legend.
    """
    canvas = _darkened(image)
    places, residuals, colours = _on_image(image, uv_px, residual_px, limit_px)
    order = np.argsort(np.abs(residuals), kind="stable")
    for right in range(-radius_px, radius_px + 1):
        for down in range(-radius_px, radius_px + 1):
            if right * right + down * down > radius_px * radius_px + 1:
                continue
            columns = np.clip(places[order, 0] + right, 0, image.shape[1] - 1)
            rows = np.clip(places[order, 1] + down, 0, image.shape[0] - 1)
            canvas[rows, columns] = colours[order]
    return _with_legend(canvas, "edge of scan to edge of image", limit_px)


def misalignment_map(
    image: U8, uv_px: Floats, residual_px: Floats, limit_px: float = LIMIT_PX, cell_px: int = 48
) -> U8:
    """A heat map over the image: the median misalignment in each cell that has at least three points.

    Arguments as of `residual_overlay`; `cell_px` is the width and height of a cell.

    Returns:
        (H, W, 3) uint8 RGB with a legend; what has no points is only darkened.
    """
    import cv2

    places, residuals, _ = _on_image(image, uv_px, residual_px, limit_px)
    rows, columns = -(-image.shape[0] // cell_px), -(-image.shape[1] // cell_px)
    medians, known = _cell_medians(places // cell_px, np.abs(residuals), rows, columns)
    heat = residual_colours(medians, limit_px)
    size = (columns * cell_px, rows * cell_px)
    grown = cv2.resize(heat, size, interpolation=cv2.INTER_NEAREST)[: image.shape[0], : image.shape[1]]
    opacity = cv2.resize(known.astype(np.float32), size, interpolation=cv2.INTER_NEAREST)
    share = MAP_OPACITY * opacity[: image.shape[0], : image.shape[1], None]
    canvas = np.round((1 - share) * _darkened(image) + share * grown).astype(np.uint8)
    return _with_legend(canvas, "median misalignment", limit_px)


def _cell_medians(cells: np.ndarray, residuals: F64, rows: int, columns: int) -> tuple[F64, Bools]:
    medians, known = np.zeros((rows, columns)), np.zeros((rows, columns), dtype=np.bool_)
    number = cells[:, 1] * columns + cells[:, 0]
    order = np.argsort(number, kind="stable")
    filled, starts = np.unique(number[order], return_index=True)
    for cell, part in zip(filled.tolist(), np.split(residuals[order], starts[1:]), strict=False):
        if len(part) >= 3:
            medians.flat[cell], known.flat[cell] = np.median(part), True
    return medians, known


def _on_image(image: U8, uv_px: Floats, residual_px: Floats, limit_px: float) -> tuple[np.ndarray, F64, U8]:
    """Whole pixels, residuals and colours of the points that fall on the image."""
    uv, residuals = np.asarray(uv_px, np.float64).reshape(-1, 2), np.asarray(residual_px, np.float64)
    last = np.array([image.shape[1] - 1, image.shape[0] - 1])
    with np.errstate(invalid="ignore"):
        on = ((uv >= -0.5) & (uv < last + 0.5)).all(axis=1)
    places = np.clip(np.round(uv[on]).astype(np.int64), 0, last)
    kept = np.nan_to_num(residuals[on], nan=np.inf)
    return places, kept, residual_colours(kept, limit_px)


def _darkened(image: U8) -> U8:
    return np.asarray(np.round(DARKEN * image), dtype=np.uint8)


def _with_legend(canvas: U8, title: str, limit_px: float) -> U8:
    """The colours from 0 to the limit in the lower left corner, drawn into the canvas."""
    import cv2

    scale = float(np.clip(canvas.shape[1] / 1280, 0.35, 2.0))
    width, height = round(300 * scale), round(58 * scale)
    if height > canvas.shape[0] or width > canvas.shape[1]:
        return canvas
    top, edge = canvas.shape[0] - height, round(12 * scale)
    canvas[top:, :width] = LEGEND_BACK
    bar = residual_colours(np.linspace(0, limit_px, width - 2 * edge), limit_px)
    canvas[top + round(26 * scale) : top + round(36 * scale), edge : width - edge] = bar
    thickness = max(1, round(scale))
    ends = [
        (title, edge, 18),
        ("0 px", edge, 52),
        (f">= {limit_px:g} px", width - edge - round(72 * scale), 52),
    ]
    for text, left, down in ends:
        at = (left, top + round(down * scale))
        cv2.putText(
            canvas, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.45 * scale, LEGEND_TEXT, thickness, cv2.LINE_AA
        )
    return canvas
