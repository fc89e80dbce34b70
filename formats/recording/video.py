"""Images out of H.264 and H.265 video (foxglove CompressedVideo), where the package `av` is installed.

A message is one frame, in Annex B, without frames that look ahead. A frame is decoded from the last key
frame on, anew whenever it is read.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from calib.types import U8
from formats.errors import FormatError
from formats.images import require_size
from formats.recording.chunks import reading
from formats.recording.decode import decoded
from formats.recording.pictures import PictureRule
from formats.recording.places import Place

TYPES = ("foxglove.CompressedVideo", "foxglove_msgs/msg/CompressedVideo")
DECODERS = {"h264": "h264", "h265": "hevc"}
START_CODE = re.compile(rb"\x00\x00\x01(?=.)", re.DOTALL)
# Parameter sets and frames that need no other: NAL unit types of ITU-T H.264, 7.4.1, and H.265, 7.4.2.2.
H264_KEYS, H265_KEYS = frozenset({5, 7}), frozenset({16, 17, 18, 19, 20, 21, 32, 33})


def why_unread(kind: str) -> str:
    """Why video of a kind cannot be read here; empty where it can."""
    if kind not in DECODERS:
        return f"video in {kind[:40]!r} is not read"
    return "" if importlib.util.find_spec("av") else "video needs the package av (pip install av)"


def begins_anew(head: bytes) -> bool:
    """Whether the first bytes of a message are those of a key frame, in either of the two codings.

    One that is taken for a key frame of the other coding fails to decode, and a longer way back is not tried.
    """
    kinds = [head[found.end()] for found in START_CODE.finditer(head)]
    h265 = [(kind >> 1) & 0x3F for kind in kinds]
    if {32, 33, 34} & set(h265) and not kinds[0] & 0x81:
        return bool(H265_KEYS & set(h265))
    return bool(H264_KEYS & {kind & 0x1F for kind in kinds if not kind & 0x80})


def read_frame(places: tuple[Place, ...], rule: PictureRule, where: str) -> U8:
    """(H, W, 3) uint8 RGB of the last of some messages, of which the first is a key frame.

    Raises:
        FormatError: one of them is damaged, of another size, or cannot be decoded.
    """
    path = places[-1].path
    with reading(path, where):
        frames = [*_frames(places, rule, path, where)]
        if not frames:
            raise FormatError(path, where, "no frame can be decoded from the last key frame on")
        pixels = np.asarray(frames[-1].to_ndarray(format="rgb24"), dtype=np.uint8)
    require_size(pixels, path, where, rule.size_px)
    return pixels


def _frames(places: tuple[Place, ...], rule: PictureRule, path: Path, where: str) -> Iterator[Any]:
    av: Any = importlib.import_module("av")
    decoder = None
    for place in places:
        message = decoded(rule.coding, place.read(), place.path, where)
        if decoder is None:
            kind = str(message.format).lower()
            if why := why_unread(kind):
                raise FormatError(path, where, why)
            decoder = av.CodecContext.create(DECODERS[kind], "r")
            decoder.thread_count = 1
        yield from decoder.decode(av.Packet(bytes(message.data)))
    if decoder is not None:
        yield from decoder.decode(None)
