"""Files read with suspicion and written whole or not at all; images that are what they should be."""

import gzip
import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formats.errors import FormatError
from formats.files import (
    atomic_folder,
    inside,
    read_gzip,
    read_json,
    read_text,
    replaced_file,
    write_json,
    write_text,
)
from formats.images import image_size_px, read_rgb, write_rgb


def picture(height: int = 37, width: int = 53) -> np.ndarray:
    v, u = np.mgrid[:height, :width]
    return np.dstack([u * 4, v * 6, (u + v) * 2]).astype(np.uint8)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"a": NaN}',
        "[1e999]",
        "[-Infinity]",
        '"\\ud800',
        "[" * 100_000,
        "1" * 5000,
        '{"a": 1}{',
    ],
)
def test_json_that_is_wrong_is_refused_by_name(tmp_path: Path, text: str) -> None:
    file = tmp_path / "poses.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(FormatError) as raised:
        read_json(file)
    assert str(raised.value).startswith(str(file))


def test_json_errors_say_the_line(tmp_path: Path) -> None:
    file = tmp_path / "poses.json"
    file.write_text('{\n "a": 1,\n "b" 2\n}', encoding="utf-8")
    with pytest.raises(FormatError, match=r"poses\.json: line 3 column 6: "):
        read_json(file)


@settings(max_examples=50)
@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
        max_leaves=10,
    )
)
def test_json_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    file = tmp_path_factory.mktemp("json") / "value.json"
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return
    write_json(file, value)
    assert read_json(file) == value


def test_json_with_nan_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(FormatError):
        write_json(tmp_path / "a.json", [float("nan")])
    assert list(tmp_path.iterdir()) == []


def test_text_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"abc\xff")
    with pytest.raises(FormatError, match="byte 3"):
        read_text(tmp_path / "a.txt")


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.gz"
    bomb.write_bytes(gzip.compress(bytes(20 << 20)))
    assert len(read_gzip(bomb, 20 << 20)) == 20 << 20
    with pytest.raises(FormatError, match="more than 4 MiB"):
        read_gzip(bomb, 4 << 20)


def test_gzip_cut_short_or_damaged_is_refused(tmp_path: Path) -> None:
    whole = gzip.compress(os.urandom(10_000))
    for content in (whole[:5000], whole[:8], b"no gzip", b"", whole[:3000] + b"\x00" * 100 + whole[3100:]):
        (tmp_path / "a.gz").write_bytes(content)
        if content == b"":
            assert read_gzip(tmp_path / "a.gz", 1 << 20) == b""
            continue
        with pytest.raises(FormatError, match=r"a\.gz"):
            read_gzip(tmp_path / "a.gz", 1 << 20)


@pytest.mark.parametrize(
    "name",
    ["../a", "/etc/passwd", "a/../../b", "", "..", "C:\\a", "a\\..\\..\\b", "\\\\host\\share", "a\0b"],
)
def test_a_path_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(FormatError, match=r"sample_data\.json: row 3: "):
        inside(tmp_path, name, tmp_path / "sample_data.json", "row 3")


def test_a_path_within_is_joined(tmp_path: Path) -> None:
    assert inside(tmp_path, "sweeps/..a/b.bin", tmp_path) == tmp_path / "sweeps" / "..a" / "b.bin"


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "labels.txt"
    write_text(file, "first")
    with pytest.raises(ZeroDivisionError), replaced_file(file) as part:
        part.write_text("half", encoding="utf-8")
        _ = 1 / 0
    assert file.read_text(encoding="utf-8") == "first"
    write_text(file, "second")
    assert file.read_text(encoding="utf-8") == "second"
    assert [child.name for child in file.parent.iterdir()] == ["labels.txt"]


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with pytest.raises(ZeroDivisionError), atomic_folder(target) as folder:
        (folder / "a.txt").write_text("half", encoding="utf-8")
        assert not target.exists()
        _ = 1 / 0
    assert list(tmp_path.iterdir()) == []
    target.mkdir()
    with atomic_folder(target) as folder:
        (folder / "a.txt").write_text("whole", encoding="utf-8")
    assert [str(child.relative_to(tmp_path)) for child in tmp_path.rglob("*")] == ["out", "out/a.txt"]


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("kept", encoding="utf-8")
    for target in (tmp_path, tmp_path / "kept.txt"):
        with pytest.raises(FormatError, match="is there already"), atomic_folder(target):
            raise AssertionError("nothing may be written")
    assert (tmp_path / "kept.txt").read_text(encoding="utf-8") == "kept"


def test_what_cannot_be_written_is_said_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with (
        pytest.raises(FormatError, match=r"file/out: cannot be written"),
        atomic_folder(tmp_path / "file" / "out"),
    ):
        raise AssertionError("nothing may be written")
    with pytest.raises(FormatError, match=r"file/a\.txt: cannot be written"):
        write_text(tmp_path / "file" / "a.txt", "text")
    assert [child.name for child in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(("ending", "worst"), [(".png", 0), (".jpg", 12)])
def test_images_come_back_in_rgb(tmp_path: Path, ending: str, worst: int) -> None:
    file = tmp_path / f"a{ending}"
    write_rgb(file, picture())
    back = read_rgb(file, (53, 37))
    assert np.abs(back.astype(int) - picture()).max() <= worst
    assert image_size_px(file) == (53, 37)


@pytest.mark.parametrize("ending", [".png", ".jpg"])
@pytest.mark.parametrize("kept", [0.0, 0.02, 0.3, 0.9, 0.995])
def test_an_image_cut_short_is_refused(tmp_path: Path, ending: str, kept: float) -> None:
    file = tmp_path / f"a{ending}"
    write_rgb(file, picture(200, 300))
    content = file.read_bytes()
    file.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(FormatError) as raised:
        read_rgb(file)
    assert str(raised.value).startswith(f"{file}: ")


def test_images_that_are_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"gone\.png: no such file"):
        read_rgb(tmp_path / "gone.png")
    (tmp_path / "text.jpg").write_text("text", encoding="utf-8")
    with pytest.raises(FormatError, match="not an image"):
        read_rgb(tmp_path / "text.jpg")
    write_rgb(tmp_path / "a.png", picture())
    with pytest.raises(FormatError, match="53x37 pixels, its camera has 1920x1080"):
        read_rgb(tmp_path / "a.png", (1920, 1080))
    with pytest.raises(FormatError, match=r"\.docx"):
        write_rgb(tmp_path / "a.docx", picture())


@pytest.mark.parametrize("segments", [0, 1, 5])
def test_the_size_of_a_jpeg_is_found_behind_what_a_camera_says(tmp_path: Path, segments: int) -> None:
    file = tmp_path / "a.jpg"
    write_rgb(file, picture())
    content = file.read_bytes()
    said = b"\xff\xe1\xff\xfd" + bytes(0xFFFB)
    file.write_bytes(content[:2] + said * segments + content[2:])
    assert image_size_px(file) == (53, 37) == read_rgb(file).shape[1::-1]


def test_sizes_of_real_images_come_from_their_headers(shared_data: Path) -> None:
    front = shared_data / "pandaset" / "002" / "camera" / "front_camera" / "00.jpg"
    assert image_size_px(front) == (1920, 1080) == read_rgb(front).shape[1::-1]
    kitti = shared_data / "kitti_camera_lidar" / "training" / "image_02" / "0052" / "000000.png"
    assert image_size_px(kitti) == (1242, 375) == read_rgb(kitti).shape[1::-1]
