"""Images in the encodings that drivers send."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from formats.errors import FormatError
from formats.recording.pictures import picture_of, why_not
from tests.formats.recording import bags

HERE = Path("drive.bag")
RGB = np.random.default_rng(0).integers(0, 255, (6, 8, 3), dtype=np.uint8)
GREY = RGB[:, :, 0]
ALPHA = np.full((6, 8, 1), 9, dtype=np.uint8)


def message_of(pixels: np.ndarray, encoding: str, padding: int = 0, big: bool = False) -> Any:
    rows = pixels.reshape(len(pixels), -1).view(np.uint8)
    rows = np.hstack([rows, np.full((len(rows), padding), 77, dtype=np.uint8)])
    writing = bags.Writing("bag")
    writing.image("/image", 10**9, "eye", rows, encoding, pixels.shape[1], big)
    return writing.notes[0].message


def seen(*args: Any, **named: Any) -> np.ndarray:
    return picture_of(message_of(*args, **named), HERE, "/image message 0", (8, 6))


@pytest.mark.parametrize("padding", [0, 5])
@pytest.mark.parametrize(
    ("encoding", "pixels", "truth"),
    [
        ("rgb8", RGB, RGB),
        ("bgr8", RGB[:, :, ::-1].copy(), RGB),
        ("8UC3", RGB[:, :, ::-1].copy(), RGB),
        ("rgba8", np.dstack([RGB, ALPHA]), RGB),
        ("bgra8", np.dstack([RGB[:, :, ::-1], ALPHA]), RGB),
        ("mono8", GREY, np.dstack([GREY] * 3)),
        ("mono16", GREY.astype("<u2") * 256 + 255, np.dstack([GREY] * 3)),
    ],
)
def test_plain_pixels_are_exact(encoding: str, pixels: np.ndarray, truth: np.ndarray, padding: int) -> None:
    np.testing.assert_array_equal(seen(pixels, encoding, padding), truth)


def test_the_high_byte_of_big_endian_pixels() -> None:
    np.testing.assert_array_equal(
        seen((GREY.astype("u2") * 256 + 3).astype(">u2"), "mono16", big=True), np.dstack([GREY] * 3)
    )


@pytest.mark.parametrize("mosaic", ["rggb", "bggr", "gbrg", "grbg"])
def test_a_mosaic_of_one_colour_is_that_colour(mosaic: str) -> None:
    colour = {"r": 200, "g": 90, "b": 30}
    tile = np.array([[colour[mosaic[0]], colour[mosaic[1]]], [colour[mosaic[2]], colour[mosaic[3]]]])
    pixels = np.tile(tile, (3, 4)).astype(np.uint8)
    assert (seen(pixels, f"bayer_{mosaic}8") == (200, 90, 30)).all()


@pytest.mark.parametrize(("encoding", "first"), [("yuv422", 1), ("uyvy", 1), ("yuv422_yuy2", 0), ("yuyv", 0)])
def test_brightness_of_yuv_stands_where_its_name_says(encoding: str, first: int) -> None:
    pixels = np.full((6, 8, 2), 128, dtype=np.uint8)
    pixels[:, :, first] = 235
    assert (seen(pixels, encoding) > 250).all()
    pixels[:, :, first] = 16
    assert (seen(pixels, encoding) < 5).all()


def test_what_is_no_image_is_refused() -> None:
    for message, why in (
        (message_of(RGB, "32FC1"), "'32FC1' are not read"),
        (message_of(RGB[:, :7], "rgb8"), "7x6 pixels, its camera has 8x6"),
    ):
        with pytest.raises(FormatError, match=why):
            picture_of(message, HERE, "", (8, 6))
    short = message_of(RGB, "rgb8")
    for name, value in (("step", 2), ("height", 7), ("width", 0), ("height", 1 << 31), ("step", 1 << 31)):
        broken = message_of(RGB, "rgb8")
        setattr(broken, name, value)
        with pytest.raises(FormatError, match=r"drive\.bag: /image message 0"):
            picture_of(broken, HERE, "/image message 0", (8, 6))
    assert not why_not(short) and "16UC1" in why_not(message_of(GREY, "16UC1"))


def test_compressed_images_are_read_by_their_content() -> None:
    writing = bags.Writing("bag")
    for kind in ("png", "rgb8; png compressed bgr8", "jpeg"):
        writing.compressed("/image", 10**9, "eye", bags.png(RGB), kind)
    writing.compressed("/image", 10**9, "eye", bags.png(RGB)[:-20], "png")
    writing.compressed("/depth", 10**9, "eye", b"", "16UC1; compressedDepth")
    for note in writing.notes[:3]:
        np.testing.assert_array_equal(picture_of(note.message, HERE, "", (8, 6)), RGB)
    with pytest.raises(FormatError, match="cut short"):
        picture_of(writing.notes[3].message, HERE, "", (8, 6))
    assert "are not read" in why_not(writing.notes[4].message)
