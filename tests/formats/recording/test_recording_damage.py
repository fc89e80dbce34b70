"""Damaged recordings: one line that names the file, or what is left of it; never anything else."""

import random
import shutil
import sqlite3
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from formats.errors import FormatError
from formats.recording import RECORDING, propose, topics_of
from tests.formats.recording import bags

Damage = Callable[[bytes, random.Random], bytes]


def flipped(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.choice((1, 1, 4, 40))):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content))]


def huge(content: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(content) - 8)
    value = chance.choice((0xFFFFFFFF, 0x7FFFFFFF, 1 << 62, 0, 1 << 31, 0xFFFFFFFFFFFFFFFF))
    return content[:at] + struct.pack("<Q", value)[: chance.choice((4, 8))] + content[at + 8 :]


def shuffled(content: bytes, chance: random.Random) -> bytes:
    at, other = sorted(chance.randrange(len(content)) for _ in range(2))
    return content[:at] + content[other:] + content[at:other]


def read_all(path: Path) -> None:
    """Everything of a recording; a broken reading may leave the others readable."""
    assert RECORDING.open_log is not None
    for log_id in RECORDING.log_ids(path):
        topics_of(path, log_id)
        propose(path, log_id)
        log = RECORDING.open_log(path, log_id)
        for refs in (*log.sweeps.values(), *log.images.values()):
            for ref in refs:
                try:
                    ref.read()
                except FormatError as error:
                    one_line(error, path)


def one_line(error: FormatError, path: Path) -> None:
    message = str(error)
    assert str(path) in message and "\n" not in message and len(message) < 700


def files_of(path: Path) -> list[Path]:
    return sorted(path.iterdir()) if path.is_dir() else [path]


@pytest.mark.parametrize("kind", bags.KINDS)
@pytest.mark.parametrize("damage", [flipped, cut, huge, shuffled])
def test_mutants_of_every_file(kind: bags.Kind, damage: Damage, tmp_path: Path) -> None:
    whole = bags.make_recording(tmp_path, kind)
    read_all(whole)
    chance = random.Random(f"{kind} {damage.__name__}")
    for turn in range(15):
        for file in files_of(whole):
            folder = tmp_path / f"mutant{turn}"
            shutil.copytree(whole, folder) if whole.is_dir() else folder.mkdir()
            mutant = folder / file.name
            mutant.write_bytes(damage(file.read_bytes(), chance))
            path = folder if whole.is_dir() else mutant
            try:
                if RECORDING.recognises(path):
                    read_all(path)
            except FormatError as error:
                one_line(error, path)
            shutil.rmtree(folder)


@pytest.mark.parametrize("ending", [".bag", ".mcap", ".db3"])
def test_a_file_of_nothing_or_of_something_else(ending: str, tmp_path: Path) -> None:
    for content in (b"", b"nothing", bytes(5000), b"#ROSBAG V1.2\n", b"\x89MCAP0\r\n", b"SQLite format 3\0"):
        path = tmp_path / f"drive{ending}"
        path.write_bytes(content)
        assert RECORDING.recognises(path) and RECORDING.open_log is not None
        with pytest.raises(FormatError) as raised:
            RECORDING.open_log(path, "drive")
        one_line(raised.value, path)


def test_one_broken_cloud_leaves_the_others(tmp_path: Path) -> None:
    path = bags.make_recording(tmp_path, "db3")
    (file,) = path.glob("*.db3")
    with sqlite3.connect(file) as database:
        query = "SELECT m.id FROM messages m JOIN topics t ON t.id = m.topic_id WHERE t.name = '/top/points'"
        rows = [row for (row,) in database.execute(query)]
        database.execute("UPDATE messages SET data = substr(data, 1, 300) WHERE id = ?", (rows[1],))
    database.close()
    assert RECORDING.open_log is not None
    log = RECORDING.open_log(path, path.name)
    first, broken, last = log.sweeps["top"]
    assert len(first.read()) == len(last.read()) == 50
    with pytest.raises(FormatError, match="/top/points message 1"):
        broken.read()


def test_a_chunk_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    import zstandard

    from formats.recording.chunks import MOST_BYTES, Chunk, unpacked

    bomb = zstandard.compress(bytes(MOST_BYTES + 5))
    path = tmp_path / "bomb.mcap"
    path.write_bytes(bomb)
    for told in (0, 100, MOST_BYTES + 5):
        with pytest.raises(FormatError, match=r"bomb\.mcap"):
            unpacked(Chunk(path, 0, len(bomb), "zstd", told))


def test_a_database_that_runs_something_is_no_recording(tmp_path: Path) -> None:
    path = tmp_path / "drive.db3"
    database = sqlite3.connect(path)
    database.executescript(
        "CREATE TABLE topics(id, name, type, serialization_format);"
        "CREATE VIEW messages AS WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n)"
        " SELECT id, 1 AS topic_id, id AS timestamp, zeroblob(9) AS data FROM n;"
    )
    database.close()
    assert RECORDING.open_log is not None
    with pytest.raises(FormatError, match="not one of rosbag2"):
        RECORDING.open_log(path, "drive")


def test_metadata_that_lead_out_of_the_folder_stay_in_it(tmp_path: Path) -> None:
    path = bags.make_recording(tmp_path, "db3")
    (file,) = path.glob("*.db3")
    file.rename(tmp_path / file.name)
    metadata = path / "metadata.yaml"
    text = metadata.read_text(encoding="utf-8").replace(file.name, f"../{file.name}")
    metadata.write_text(text, encoding="utf-8")
    assert RECORDING.open_log is not None
    with pytest.raises(FormatError, match="no such file"):
        RECORDING.open_log(path, path.name)


def test_what_is_packed_as_a_whole_is_refused_with_advice(tmp_path: Path) -> None:
    path = bags.make_recording(tmp_path, "db3")
    metadata = path / "metadata.yaml"
    text = metadata.read_text(encoding="utf-8")
    assert "compression_mode: ''" in text
    text = text.replace("compression_mode: ''", "compression_mode: FILE")
    metadata.write_text(text.replace("compression_format: ''", "compression_format: zstd"), encoding="utf-8")
    assert RECORDING.open_log is not None
    with pytest.raises(FormatError, match=r"unpack them \(zstd -d\) first"):
        RECORDING.open_log(path, path.name)


def test_messages_packed_one_by_one(tmp_path: Path) -> None:
    import zstandard

    path = bags.make_recording(tmp_path, "db3")
    assert RECORDING.open_log is not None
    truth = RECORDING.open_log(path, path.name).sweeps["top"][1].read()
    (file,) = path.glob("*.db3")
    with sqlite3.connect(file) as database:
        rows = database.execute("SELECT id, data FROM messages").fetchall()
        packed = [(zstandard.compress(data), row) for row, data in rows]
        database.executemany("UPDATE messages SET data = ? WHERE id = ?", packed)
    database.close()
    metadata = path / "metadata.yaml"
    text = metadata.read_text(encoding="utf-8").replace("compression_mode: ''", "compression_mode: MESSAGE")
    metadata.write_text(text.replace("compression_format: ''", "compression_format: zstd"), encoding="utf-8")
    back = RECORDING.open_log(path, path.name).sweeps["top"][1].read()
    np.testing.assert_array_equal(back.points, truth.points)


def test_a_schema_whose_field_has_another_name_is_one_line(tmp_path: Path) -> None:
    path = bags.make_recording(tmp_path, "protobuf", compression="")
    whole = path.read_bytes()
    for name in (b"frame_id", b"point_stride", b"distortion_model", b"seconds", b"timestamp", b"format"):
        told = b"\x0a" + bytes([len(name)])
        assert told + name in whole
        path.write_bytes(whole.replace(told + name, told + name.upper()))
        try:
            read_all(path)
        except FormatError as error:
            one_line(error, path)
