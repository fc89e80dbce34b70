"""From nuScenes to nuScenes: what a log has no place for goes along."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from formats.errors import FormatError
from formats.losses import losses
from formats.mmdet3d import MMDET3D
from formats.nuscenes import NUSCENES
from formats.validate import validate
from fusion import Annotation, DriveLog, LabelSet
from tests.formats.nuscenes_more import (
    CLASSES,
    EGO_FROM_RADAR,
    RADAR,
    SPLIT,
    VERSION,
    drive,
    make_nuscenes_with_more,
)

NOW = "v1.0-crosslabel"
Tables = dict[str, Any]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("more") / "data"
    make_nuscenes_with_more(root)
    return root


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    make_nuscenes_with_more(tmp_path / "data")
    return tmp_path / "data"


def tables(root: Path, version: str = NOW) -> Tables:
    return {f.stem: json.loads(f.read_text(encoding="utf-8")) for f in (root / version).glob("*.json")}


def opened(root: Path) -> tuple[DriveLog, LabelSet]:
    (name,) = NUSCENES.log_ids(root)
    log = NUSCENES.open_log(root, name)
    return log, NUSCENES.read_labels(root, log)


def rewritten(source: Path, out: Path, **options: object) -> Tables:
    NUSCENES.write(out, [opened(source)], **options)
    return tables(out)


def by_token(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    found = {row["token"]: row for row in rows}
    assert len(found) == len(rows)
    return found


def of_channel(all_tables: Tables, channel: str) -> list[dict[str, Any]]:
    sensors = [row["token"] for row in all_tables["sensor"] if row["channel"] == channel]
    places = [row["token"] for row in all_tables["calibrated_sensor"] if row["sensor_token"] in sensors]
    rows = [row for row in all_tables["sample_data"] if row["calibrated_sensor_token"] in places]
    return sorted(rows, key=lambda row: row["timestamp"])


def test_the_source_is_sound(source: Path) -> None:
    assert [fault for fault in validate(NUSCENES, source) if fault.rule.id != "NUS21"] == []


def test_samples_stay_samples(source: Path, tmp_path: Path) -> None:
    before, after = tables(source, VERSION), rewritten(source, tmp_path / "out")
    assert [row["timestamp"] for row in after["sample"]] == [row["timestamp"] for row in before["sample"]]
    log, labels = opened(source)
    assert len(log) > len(before["sample"]) > 1
    more = rewritten(source, tmp_path / "every", keyframe_every=1)
    assert len(more["sample"]) == len(log)
    # Once a frame is labelled that was none of them, no label is lost to keep them.
    id, track = next(iter(labels.tracks.items()))
    stray_ns = next(t for t in log.timestamps_ns.tolist() if t not in labels.timestamps_ns())
    box = next(iter(track.annotations.values())).box
    labels = labels.with_track(track.with_annotations([Annotation(stray_ns, box)]))
    NUSCENES.write(tmp_path / "stray", [(log, labels)])
    assert stray_ns in opened(tmp_path / "stray")[1].tracks[id].annotations


def test_radars_go_along(source: Path, tmp_path: Path) -> None:
    before, after = tables(source, VERSION), rewritten(source, tmp_path / "out")
    theirs, ours = of_channel(before, RADAR), of_channel(after, RADAR)
    assert len(ours) == len(theirs) > 3
    samples = by_token(after["sample"])
    for old, new in zip(theirs, ours, strict=True):
        same = ("timestamp", "is_key_frame", "fileformat", "width", "height", "is_valid")
        assert [new[name] for name in same] == [old[name] for name in same]
        content = (tmp_path / "out" / new["filename"]).read_bytes()
        assert content == (source / old["filename"]).read_bytes() and content.startswith(b"# .PCD")
        assert new["filename"].split("/")[:2] == old["filename"].split("/")[:2]
        of_old = by_token(before["sample"])[old["sample_token"]]
        assert samples[new["sample_token"]]["timestamp"] == of_old["timestamp"]
        poses = [by_token(b["ego_pose"])[r["ego_pose_token"]] for b, r in ((before, old), (after, new))]
        assert np.abs(np.subtract(*(pose["translation"] for pose in poses))).max() < 1e-9
    assert [row["prev"] for row in ours] == ["", *(row["token"] for row in ours[:-1])]
    assert [row["next"] for row in ours] == [*(row["token"] for row in ours[1:]), ""]
    place = by_token(after["calibrated_sensor"])[ours[0]["calibrated_sensor_token"]]
    assert place["translation"] == EGO_FROM_RADAR.translation.tolist()
    assert place["rotation"] == EGO_FROM_RADAR.quaternion_wxyz.tolist() and place["camera_intrinsic"] == []


def test_classes_of_points_go_along(source: Path, tmp_path: Path) -> None:
    before, after = tables(source, VERSION), rewritten(source, tmp_path / "out")
    assert {row["name"]: row["index"] for row in after["category"]} == {
        name: number for number, name in enumerate(CLASSES)
    }
    clouds = {row["token"]: row for row in of_channel(after, "LIDAR_TOP")}
    for table, ending in (("lidarseg", "bin"), ("panoptic", "npz")):
        assert len(after[table]) == len(before[table]) == len(after["sample"])
        for old, new in zip(before[table], after[table], strict=True):
            token = new["sample_data_token"]
            assert new["token"] == token and clouds[token]["is_key_frame"]
            assert new["filename"] == f"{table}/{NOW}/{token}_{table}.{ending}"
            content = (tmp_path / "out" / new["filename"]).read_bytes()
            assert content == (source / old["filename"]).read_bytes()
            points = (tmp_path / "out" / clouds[token]["filename"]).stat().st_size // 20
            assert table == "panoptic" or len(content) == points
        assert len([*(tmp_path / "out" / table / NOW).iterdir()]) == len(after[table])


def test_maps_splits_tables_and_fields_go_along(source: Path, tmp_path: Path) -> None:
    before, after = tables(source, VERSION), rewritten(source, tmp_path / "out")
    (town,) = after["map"]
    assert town["log_tokens"] == [row["token"] for row in after["log"]] and town["resolution_m"] == 0.1
    assert (tmp_path / "out" / town["filename"]).read_bytes() == (source / "maps" / "town.png").read_bytes()
    (name,) = NUSCENES.log_ids(source)
    assert after["splits"] == {"all": [name], SPLIT: [name]}
    assert after["weather"] == before["weather"] and after["scene"][0]["season"] == "autumn"
    wet = [(row["sample_token"], row["wetness"]) for row in after["sample_weather"]]
    assert wet == [(row["token"], 0.1 * k) for k, row in enumerate(after["sample"])]
    (boxes,) = after["image_annotations"]
    assert boxes["filename"] == by_token(after["sample_data"])[boxes["sample_data_token"]]["filename"]
    box = by_token(after["sample_annotation"])[boxes["sample_annotation_token"]]
    assert box["instance_token"] == boxes["instance_token"]
    assert sum(row.get("serial") == "VLS-128-7" for row in after["calibrated_sensor"]) == 1
    assert all(row["is_valid"] for row in after["sample_data"])


def test_ten_cycles_lose_nothing(source: Path, tmp_path: Path) -> None:
    _, labels = opened(source)
    now, first = source, None
    for cycle in range(10):
        out = tmp_path / str(cycle)
        found = rewritten(now, out)
        kept = [file for file in out.rglob("*") if file.is_file() and file.suffix != ".json"]
        files = {str(file.relative_to(out)): file.read_bytes() for file in kept}
        whole = {name: len(rows) for name, rows in found.items()}, files
        first = first or whole
        assert whole[0] == first[0] and whole[1] == first[1]
        now = out
    assert losses(labels, opened(now)[1], 1e-9) == []
    assert found["lidarseg"] == tables(tmp_path / "0")["lidarseg"]
    assert [fault for fault in validate(NUSCENES, now) if fault.rule.id != "NUS21"] == []


def test_the_same_bytes_again(source: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        rewritten(source, tmp_path / name)
    for file in (tmp_path / "one").rglob("*"):
        if file.is_file():
            assert file.read_bytes() == (tmp_path / "two" / file.relative_to(tmp_path / "one")).read_bytes()


def test_two_data_sets_in_one(source: Path, tmp_path: Path) -> None:
    log, labels = opened(source)
    other = replace(log, name="other")
    plain = replace(drive()[0], name="plain")
    NUSCENES.write(tmp_path / "out", [(log, labels), (other, labels), (plain, drive()[1])])
    after = tables(tmp_path / "out")
    once = tables(source, VERSION)
    assert len(after["lidarseg"]) == 2 * len(once["lidarseg"]) and len(after["weather"]) == 1
    assert len(of_channel(after, RADAR)) == 2 * len(of_channel(once, RADAR))
    assert sorted(len(row["log_tokens"]) for row in after["map"]) == [1, 2]
    assert after["splits"][SPLIT] == [log.name, "other"]
    assert [f for f in validate(NUSCENES, tmp_path / "out") if f.rule.id not in ("NUS12", "NUS21")] == []


def test_another_format_leaves_it_behind(source: Path, tmp_path: Path) -> None:
    MMDET3D.write(tmp_path / "out", [opened(source)])
    assert not [*(tmp_path / "out").rglob("*RADAR*")]


def changed(root: Path, table: str, change: Callable[[list[dict[str, Any]]], object]) -> None:
    path = root / VERSION / f"{table}.json"
    rows = json.loads(path.read_text(encoding="utf-8"))
    change(rows)
    path.write_text(json.dumps(rows), encoding="utf-8")


@pytest.mark.parametrize(
    ("table", "change", "says"),
    [
        ("lidarseg", lambda rows: rows[0].update(filename="../../secret"), "leads out of the data set"),
        ("weather", lambda rows: rows[0].update(filename="/etc/passwd"), "leads out of the data set"),
        ("map", lambda rows: rows[0].update(filename="../x.png"), "leads out of the data set"),
        ("lidarseg", lambda rows: rows.append(7), "must be an object"),
    ],
)
def test_a_path_or_row_that_cannot_be_is_named(copied: Path, table: str, change: Any, says: str) -> None:
    changed(copied, table, change)
    with pytest.raises(FormatError, match=says) as caught:
        rewritten(copied, copied.parent / "out")
    assert f"{table}.json" in str(caught.value)
    assert {path.name for path in copied.parent.iterdir()} == {"data"}


def test_a_radar_that_leads_out_is_named(copied: Path) -> None:
    changed(copied, "sample_data", lambda rows: rows[-1].update(filename="../x.pcd"))
    with pytest.raises(FormatError, match=r"sample_data\.json.*leads out of the data set"):
        opened(copied)


def test_classes_of_other_points_are_refused(copied: Path) -> None:
    file = next((copied / "lidarseg" / VERSION).iterdir())
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(FormatError, match=rf"{file.name}.*labels \d+ points of a cloud that has \d+"):
        rewritten(copied, copied.parent / "out")


def test_data_sets_that_number_classes_differently_are_refused(source: Path, copied: Path) -> None:
    changed(copied, "category", lambda rows: rows[0].update(index=99))
    log, labels = opened(copied)
    with pytest.raises(FormatError, match=r"category\.json.*is class 99 here and"):
        NUSCENES.write(copied.parent / "out", [opened(source), (replace(log, name="b"), labels)])


@pytest.mark.parametrize("table", ["weather", "category", "map"])
def test_what_is_no_text_is_named(copied: Path, table: str) -> None:
    changed(copied, table, lambda rows: rows[0].update(kind="\ud800", name="\ud800", category="\ud800"))
    with pytest.raises(FormatError, match=rf"{table}\.json"):
        rewritten(copied, copied.parent / "out")


def test_a_row_about_our_own_files_is_left_out(copied: Path) -> None:
    for name in (f"{VERSION}/scene.json", "samples/none.bin", "maps/town.png", "nothing/there.bin"):
        changed(copied, "weather", lambda rows, name=name: rows[0].update(filename=name))
        assert "weather" not in rewritten(copied, copied.parent / name.replace("/", "_"))


def test_files_that_are_missing_are_left_out(copied: Path) -> None:
    kept = tables(copied, VERSION)
    radar = of_channel(kept, RADAR)
    (copied / radar[1]["filename"]).unlink()
    next((copied / "panoptic" / VERSION).iterdir()).unlink()
    after = rewritten(copied, copied.parent / "out")
    assert len(of_channel(after, RADAR)) == len(radar) - 1
    assert len(after["panoptic"]) == len(kept["panoptic"]) - 1
    assert [f for f in validate(NUSCENES, copied.parent / "out") if f.rule.id not in ("NUS12", "NUS21")] == []
