"""Video out of recordings, where PyAV is installed."""

from fractions import Fraction
from pathlib import Path

import foxglove.messages as fox
import numpy as np
import pytest

from calib import SE3, Camera, Pinhole
from formats.errors import FormatError
from formats.recording import RECORDING, video
from fusion import DriveLog
from tests.formats.recording import bags
from tests.formats.recording.bags import NS
from tests.formats.recording.contents import cloud_of

FRAMES = 9
EGO_FROM_TOP = EGO_FROM_EYE = SE3.from_yaw(0.3, (1.0, 0.0, 1.8))
LENS = Pinhole(60, 60, 32, 24, 64, 48)


def picture(k: int) -> np.ndarray:
    """Smooth, so that little is lost, and of another brightness in every frame."""
    across, down = np.meshgrid(np.linspace(0, 60, 64), np.linspace(0, 60, 48))
    return np.dstack([across + 15 * k, down + 15 * k, across + down]).astype(np.uint8)


def encoded(codec: str) -> list[bytes]:
    """Frames as packets, a key frame every fourth."""
    av = pytest.importorskip("av")
    encoder = av.CodecContext.create(codec, "w")
    encoder.width, encoder.height, encoder.pix_fmt = 64, 48, "yuv444p" if codec == "libx264" else "yuv420p"
    encoder.time_base, encoder.gop_size = Fraction(1, 10), 4
    tuned = {"x265-params": "bframes=0:keyint=4:log-level=none"} if codec == "libx265" else {"bf": "0"}
    encoder.options = {"tune": "zerolatency", "crf": "5", "sc_threshold": "0", **tuned}
    packets = []
    for k in range(FRAMES):
        frame = av.VideoFrame.from_ndarray(picture(k), format="rgb24")
        frame.pts = k
        packets += encoder.encode(frame)
    return [bytes(packet) for packet in (*packets, *encoder.encode(None))]


def opened(packets: list[bytes], kind: str, folder: Path) -> DriveLog:
    writing = bags.Writing("protobuf")
    writing.transforms("/tf", NS, {("base_link", "top"): EGO_FROM_TOP, ("base_link", "eye"): EGO_FROM_EYE})
    for k, content in enumerate(packets):
        t = NS + k * 100_000_000
        writing.cloud("/top/points", t, "top", cloud_of())
        message = fox.CompressedVideo(timestamp=writing.stamp(t), frame_id="eye", data=content, format=kind)
        writing.put("/eye/video", t, "foxglove.CompressedVideo", message)
    writing.info("/eye/camera_info", NS, "eye", Camera("eye", EGO_FROM_EYE, LENS))
    path = writing.write(folder / "a")
    assert RECORDING.open_log is not None
    return RECORDING.open_log(path, "a")


@pytest.mark.parametrize(("codec", "kind"), [("libx264", "h264"), ("libx265", "h265")])
def test_every_frame_is_read_by_itself(codec: str, kind: str, tmp_path: Path) -> None:
    packets = encoded(codec)
    assert [k for k, content in enumerate(packets) if video.begins_anew(content)] == [0, 4, 8]
    log = opened(packets, kind, tmp_path)
    (refs,) = log.images.values()
    for k in (5, 0, 8, 3, 7, 1):
        assert np.abs(refs[k].read().astype(float) - picture(k)).mean() < 3


def test_frames_before_the_first_key_frame_are_missing(tmp_path: Path) -> None:
    log = opened(encoded("libx264")[1:], "h264", tmp_path)
    assert len(next(iter(log.images.values()))) == FRAMES - 4
    assert {m.reason.partition(": ")[2] for m in log.missing} == {"no key frame of the video before it"}


def test_a_damaged_frame_is_one_error(tmp_path: Path) -> None:
    packets = encoded("libx264")
    packets[4] = packets[4][:40]
    (refs,) = opened(packets, "h264", tmp_path).images.values()
    with pytest.raises(FormatError, match="/eye/video message 4"):
        refs[4].read()
    assert refs[8].read().shape == (48, 64, 3)


def test_what_cannot_be_decoded_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = opened([b"frame"] * 3, "vp9", tmp_path)
    assert not log.images and "video in 'vp9' is not read" in log.metadata["left out"]
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "pip install av" in video.why_unread("h264")
