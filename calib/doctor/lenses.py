"""What may have gone wrong with intrinsics, and the model that each mistake would have been made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from calib.cameras import CameraModel, Fisheye, Pinhole

SCALES = (0.25, 1 / 3, 0.5, 2 / 3, 0.75, 4 / 3, 1.5, 2.0, 3.0, 4.0)
LEAST_DISTORTION = 1e-4


@dataclass(frozen=True, eq=False, slots=True)
class LensMistake:
    """A mistake that may have been made with a lens, undone; the fields are those of `MountMistake`."""

    code: str
    words: str
    mend: str
    model: CameraModel


def lens_mistakes(model: CameraModel, size_px: tuple[int, int]) -> Iterator[LensMistake]:
    """Every mistake that could have led to these intrinsics for images of a size; none for other models."""
    if not isinstance(model, Pinhole | Fisheye):
        return
    sized = replace(model, width_px=size_px[0], height_px=size_px[1])
    yield from _other_size(model, sized)
    yield from _cropped(sized)
    yield from _exchanged(sized)
    yield from _distorted(sized)


def scaled(model: Pinhole | Fisheye, across: float, down: float) -> Pinhole | Fisheye:
    """The intrinsics of an image resized by two factors; the size of the image is kept."""
    return replace(
        model,
        fx_px=model.fx_px * across,
        fy_px=model.fy_px * down,
        cx_px=(model.cx_px + 0.5) * across - 0.5,
        cy_px=(model.cy_px + 0.5) * down - 0.5,
    )


def _other_size(given: Pinhole | Fisheye, sized: Pinhole | Fisheye) -> Iterator[LensMistake]:
    factors = {(s, s): f"images {1 / s:.3g} times as large" for s in SCALES}
    if (given.width_px, given.height_px) != (sized.width_px, sized.height_px):
        ratio = (sized.width_px / given.width_px, sized.height_px / given.height_px)
        factors[ratio] = f"images of {given.width_px} x {given.height_px}"
    for (across, down), made_for in factors.items():
        yield LensMistake(
            "intrinsics_of_other_size",
            f"its intrinsics are made for {made_for}",
            f"multiply fx and cx by {across:.4g}, fy and cy by {down:.4g}",
            scaled(sized, across, down),
        )


def _cropped(model: Pinhole | Fisheye) -> Iterator[LensMistake]:
    """The middle of the uncropped image is taken to be the principal point as given."""
    width, height = model.width_px, model.height_px
    ways = ("kept", "middle", "end")
    for across in ways:
        for down in ways:
            if (across, down) == ("kept", "kept"):
                continue
            cx_px, cy_px = _moved(model.cx_px, width, across), _moved(model.cy_px, height, down)
            yield LensMistake(
                "image_cropped",
                f"its images were cropped and the principal point was not moved with them"
                f" (by about {cx_px - model.cx_px:+.0f}, {cy_px - model.cy_px:+.0f} px)",
                "subtract the corner of the crop from cx and cy",
                replace(model, cx_px=cx_px, cy_px=cy_px),
            )


def _moved(middle_px: float, size_px: int, way: str) -> float:
    return {"kept": middle_px, "middle": (size_px - 1) / 2, "end": size_px - 1 - middle_px}[way]


def _exchanged(model: Pinhole | Fisheye) -> Iterator[LensMistake]:
    swapped_c = replace(model, cx_px=model.cy_px, cy_px=model.cx_px)
    swapped_f = replace(model, fx_px=model.fy_px, fy_px=model.fx_px)
    both = replace(swapped_c, fx_px=model.fy_px, fy_px=model.fx_px)
    mixed = replace(model, fx_px=model.fx_px, fy_px=model.cx_px, cx_px=model.fy_px, cy_px=model.cy_px)
    for words, mended in (
        ("cx and cy are exchanged", swapped_c),
        ("fx and fy are exchanged", swapped_f),
        ("fx and fy, and cx and cy, are exchanged", both),
        ("fx cx fy cy was read as fx fy cx cy", mixed),
    ):
        if min(mended.fx_px, mended.fy_px) > 0:
            yield LensMistake("intrinsics_exchanged", words, "exchange them back", mended)


def _distorted(model: Pinhole | Fisheye) -> Iterator[LensMistake]:
    if max(map(abs, model.distortion), default=0.0) < LEAST_DISTORTION:
        return
    yield LensMistake(
        "image_already_rectified",
        "its images are free of distortion already, and distortion coefficients are given",
        "leave the distortion away",
        replace(model, distortion=()),
    )
    negative = tuple(-k for k in model.distortion)
    yield LensMistake(
        "distortion_sign",
        "its distortion coefficients have the wrong sign",
        "change the sign of every distortion coefficient",
        replace(model, distortion=negative),
    )
    if isinstance(model, Pinhole) and len(model.distortion) == 5:
        k1, k2, p1, p2, k3 = model.distortion
        yield LensMistake(
            "distortion_order",
            "its distortion was given as k1 k2 k3 p1 p2 and read as k1 k2 p1 p2 k3",
            "give the coefficients in the order k1 k2 p1 p2 k3",
            replace(model, distortion=(k1, k2, p2, k3, p1)),
        )
    yield from _other_family(model)


def _other_family(model: Pinhole | Fisheye) -> Iterator[LensMistake]:
    numbers = (model.fx_px, model.fy_px, model.cx_px, model.cy_px, model.width_px, model.height_px)
    if isinstance(model, Fisheye):
        yield LensMistake(
            "pinhole_read_as_fisheye",
            "its coefficients are k1 k2 p1 p2 of a pinhole (plumb_bob) and were read as those of a fisheye",
            "use the pinhole model",
            Pinhole(*numbers, model.distortion),
        )
    elif len(model.distortion) == 4:
        yield LensMistake(
            "fisheye_read_as_pinhole",
            "its coefficients are k1 k2 k3 k4 of a fisheye (equidistant) and were read as k1 k2 p1 p2",
            "use the fisheye model",
            Fisheye(*numbers, model.distortion),
        )
