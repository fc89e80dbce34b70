"""Every rule of `validate` speaks where it is broken, and none speaks of a sound data set."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from formats.errors import FormatError
from formats.folder import FOLDER
from formats.format import Format
from formats.nuscenes import NUSCENES
from formats.validate import RULES, validate
from fusion import DriveLog, LabelSet, Track
from fusion.simulate import SimulationConfig, simulate, visible_only

Rows = list[dict[str, Any]]
Damage = Callable[[Path], None]
VERSION = "v1.0-crosslabel"


@pytest.fixture(scope="module")
def drive() -> tuple[DriveLog, LabelSet]:
    log, labels = simulate(replace(SimulationConfig.tiny(), seconds=0.4))
    return log, visible_only(log, labels, 1)


@pytest.fixture
def nuscenes(drive: tuple[DriveLog, LabelSet], tmp_path: Path) -> Path:
    NUSCENES.write(tmp_path / "data", [drive])  # type: ignore[misc]
    return tmp_path / "data"


@pytest.fixture
def folder(drive: tuple[DriveLog, LabelSet], tmp_path: Path) -> Path:
    FOLDER.write(tmp_path / "data", [drive])  # type: ignore[misc]
    return tmp_path / "data"


def found(source: Format, path: Path) -> set[str]:
    return {fault.rule.id for fault in validate(source, path)}


def edit(table: str, change: Callable[[Rows], object]) -> Damage:
    def damage(root: Path) -> None:
        file = root / VERSION / f"{table}.json"
        rows = json.loads(file.read_text())
        changed = change(rows)
        file.write_text(json.dumps(rows if changed is None else changed))

    return damage


def put(table: str, at: int = 0, **fields: Any) -> Damage:
    return edit(table, lambda rows: rows[at].update(fields))


def without(table: str) -> Damage:
    return lambda root: (root / VERSION / f"{table}.json").unlink()


def resized(pattern: str, change: Callable[[bytes], bytes]) -> Damage:
    def damage(root: Path) -> None:
        file = sorted(root.glob(pattern))[0]
        file.write_bytes(change(file.read_bytes()))

    return damage


def other_image(root: Path) -> None:
    from formats.images import write_rgb

    write_rgb(sorted(root.glob("samples/CAM*/*.jpg"))[0], np.zeros((9, 7, 3), np.uint8))


def key_frame(rows: Rows) -> dict[str, Any]:
    return next(row for row in rows if row["is_key_frame"])


def swap_instants(rows: Rows) -> None:
    rows[1]["timestamp"], rows[2]["timestamp"] = rows[2]["timestamp"], rows[1]["timestamp"]


def two_states(rows: Rows) -> None:
    row = next(row for row in rows if row["attribute_tokens"])
    row["attribute_tokens"] = row["attribute_tokens"] * 2


def camera_without_lens(rows: Rows) -> None:
    next(row for row in rows if row["camera_intrinsic"])["camera_intrinsic"] = []


def rename_top(rows: Rows) -> None:
    next(row for row in rows if row["channel"] == "LIDAR_TOP")["channel"] = "LIDAR_ROOF"


def lidarseg(root: Path) -> None:
    rows = json.loads((root / VERSION / "sample_data.json").read_text())
    cloud = next(row for row in rows if row["filename"].endswith(".pcd.bin"))
    (root / "lidarseg").mkdir()
    (root / "lidarseg" / "a.bin").write_bytes(b"\0" * 3)
    row = {"token": "a", "sample_data_token": cloud["token"], "filename": "lidarseg/a.bin"}
    (root / VERSION / "lidarseg.json").write_text(json.dumps([row]))


def unfit_state(root: Path) -> None:
    attributes = json.loads((root / VERSION / "attribute.json").read_text())
    standing = next(row["token"] for row in attributes if row["name"] == "pedestrian.standing")
    categories = json.loads((root / VERSION / "category.json").read_text())
    car = next(row["token"] for row in categories if row["name"] == "vehicle.car")
    instances = json.loads((root / VERSION / "instance.json").read_text())
    cars = {row["token"] for row in instances if row["category_token"] == car}

    def change(rows: Rows) -> None:
        next(row for row in rows if row["instance_token"] in cars)["attribute_tokens"] = [standing]

    edit("sample_annotation", change)(root)


def repeated(rows: Rows) -> None:
    rows.append({**rows[0]})


NUSCENES_DAMAGE: dict[str, tuple[Damage, str]] = {
    "no table": (without("visibility"), "NUS01"),
    "no JSON": (resized(f"{VERSION}/sample.json", lambda b: b[:-20]), "NUS02"),
    "a text for a number": (put("sample", timestamp="now"), "NUS02"),
    "three numbers for four": (put("ego_pose", rotation=[1, 0, 0]), "NUS02"),
    "two tokens": (edit("sample_annotation", repeated), "NUS03"),
    "a token of nothing": (put("sample_annotation", instance_token="f" * 32), "NUS04"),
    "a pose of nothing": (put("sample_data", ego_pose_token="f" * 32), "NUS04"),
    "a visibility of nothing": (put("sample_annotation", visibility_token="9"), "NUS04"),
    "next leads nowhere": (put("sample_data", next="f" * 32), "NUS05"),
    "prev leads elsewhere": (edit("sample", lambda rows: rows[2].update(prev=rows[0]["token"])), "NUS05"),
    "back in time": (edit("sample", swap_instants), "NUS06"),
    "too few": (put("scene", nbr_samples=1), "NUS07"),
    "another first": (put("instance", first_annotation_token="f" * 32), "NUS07"),
    "no cloud": (lambda root: sorted(root.glob("samples/LIDAR_TOP/*"))[0].unlink(), "NUS08"),
    "a cut cloud": (resized("samples/LIDAR_TOP/*", lambda b: b[:-3]), "NUS09"),
    "another image": (other_image, "NUS09"),
    "no image": (resized("samples/CAM*/*", lambda b: b"hello"), "NUS09"),
    "out of the folder": (put("sample_data", filename="../../secret"), "NUS10"),
    "another pose": (put("ego_pose", timestamp=5), "NUS11"),
    "no key frame": (edit("sample_data", lambda rows: key_frame(rows).update(is_key_frame=False)), "NUS12"),
    "a late key frame": (
        edit("sample_data", lambda rows: key_frame(rows).update(timestamp=rows[0]["timestamp"] + 10**6)),
        "NUS13",
    ),
    "a long quaternion": (put("sample_annotation", rotation=[2, 0, 0, 0]), "NUS14"),
    "a flat box": (put("sample_annotation", size=[1, 0, 1]), "NUS15"),
    "two states": (edit("sample_annotation", two_states), "NUS16"),
    "a standing car": (unfit_state, "NUS17"),
    "no lens": (edit("calibrated_sensor", camera_without_lens), "NUS18"),
    "no map": (edit("map", lambda rows: []), "NUS19"),
    "no picture of the map": (lambda root: next(root.glob("maps/*")).unlink(), "NUS19"),
    "no top": (edit("sensor", rename_top), "NUS20"),
    "a strange class": (put("category", name="vehicle.hovercraft"), "NUS21"),
    "another count": (put("sample_annotation", num_lidar_pts=12345), "NUS22"),
    "a split of nothing": (
        lambda root: (root / VERSION / "splits.json").write_text('{"val": ["scene-9"]}'),
        "NUS23",
    ),
    "classes of other points": (lidarseg, "NUS24"),
}


@pytest.mark.parametrize("name", NUSCENES_DAMAGE)
def test_what_is_broken_in_tables_is_named(name: str, nuscenes: Path) -> None:
    damage, expected = NUSCENES_DAMAGE[name]
    damage(nuscenes)
    assert expected in found(NUSCENES, nuscenes)


def test_a_sound_data_set_is_sound(nuscenes: Path) -> None:
    assert validate(NUSCENES, nuscenes) == []


def spoil(pattern: str, content: bytes | None) -> Damage:
    def damage(root: Path) -> None:
        file = sorted(root.glob(pattern))[0]
        file.unlink()
        if content is not None:
            file.write_bytes(content)

    return damage


FOLDER_DAMAGE: dict[str, tuple[Damage, str]] = {
    "no rig": (spoil("*/rig.json", b"{"), "FMT01"),
    "odd labels": (spoil("*/labels.db", b"SQLite format 3\0" + b"\xff" * 4096), "FMT02"),
    "no cloud": (spoil("*/lidar/*/*", b"hello"), "FMT03"),
    "a cut image": (spoil("*/camera/*/*", b"\xff\xd8\xff"), "FMT04"),
    "no labels": (spoil("*/labels.db", None), "FMT10"),
}


@pytest.mark.parametrize("name", FOLDER_DAMAGE)
def test_what_cannot_be_read_is_named_whatever_the_format(name: str, folder: Path) -> None:
    damage, expected = FOLDER_DAMAGE[name]
    assert found(FOLDER, folder) == set()
    damage(folder)
    assert expected in found(FOLDER, folder)


def odd_log(log: DriveLog) -> DriveLog:
    """With a sweep of nothing, one beyond the way, a missing one, and points that are far off."""
    lidar, sweeps = next(iter(log.sweeps.items()))
    first = sweeps[0].read()
    nothing = replace(first, points=first.points[:0], intensity=None, ring=None, offset_ns=None)
    far = replace(first, points=first.points + np.float32(1e6))
    late_ns = log.trajectory.end_ns + 10**9
    refs = (
        replace(sweeps[0], load=lambda: nothing),
        replace(sweeps[1], load=lambda: far),
        replace(sweeps[2], timestamp_ns=late_ns),
    )
    from fusion import MissingFrame

    missing = (MissingFrame(lidar, int(log.timestamps_ns[3]), "no such file"),)
    return replace(log, sweeps={lidar: refs}, missing=missing)


def test_odd_readings_are_named(drive: tuple[DriveLog, LabelSet], tmp_path: Path) -> None:
    odd, labels = odd_log(drive[0]), drive[1]
    track = next(iter(labels.tracks.values()))
    stray = next(iter(track.annotations.values()))
    between = replace(stray, timestamp_ns=stray.timestamp_ns + 7)
    labels = LabelSet.of([Track.of("a", "car", [between])])
    source = replace(
        FOLDER, log_ids=lambda p: ["a"], open_log=lambda p, i: odd, read_labels=lambda p, log: labels
    )
    assert found(source, tmp_path) == {"FMT05", "FMT06", "FMT07", "FMT08", "FMT09"}


def test_every_rule_was_broken() -> None:
    broken = {rule for _, rule in (*NUSCENES_DAMAGE.values(), *FOLDER_DAMAGE.values())}
    broken |= {"FMT05", "FMT06", "FMT07", "FMT08", "FMT09"}
    assert broken == {rule.id for rule in RULES}


def test_many_of_one_kind_are_one_line(nuscenes: Path) -> None:
    edit("sample_annotation", lambda rows: [{**row, "size": [0, 1, 1]} for row in rows])(nuscenes)
    (fault,) = (fault for fault in validate(NUSCENES, nuscenes) if fault.rule.id == "NUS15")
    count = len(json.loads((nuscenes / VERSION / "sample_annotation.json").read_text()))
    assert (fault.count, fault.file) == (count, "sample_annotation.json") and count > 1


def test_only_every_nth_reading_is_read(folder: Path) -> None:
    spoil("*/lidar/*/*", b"hello")(folder)
    refs = sorted(folder.glob("*/lidar/*/*"))
    assert len(refs) > 3
    spoil("*/lidar/*/*", b"hello")(folder)
    assert "FMT03" in {fault.rule.id for fault in validate(FOLDER, folder, every=3)}
    whole = sum(fault.count for fault in validate(FOLDER, folder))
    refs[1].write_bytes(b"hello")
    assert sum(fault.count for fault in validate(FOLDER, folder, every=3)) == whole
    assert sum(fault.count for fault in validate(FOLDER, folder)) == whole + 1


def test_where_there_is_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="holds no nuScenes tables"):
        validate(NUSCENES, tmp_path)
