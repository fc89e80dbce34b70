"""MCAP for Foxglove, and the rest of its world: our files in the readers of others, and theirs in ours."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from calib import SE3
from formats.errors import FormatError
from formats.mcap import MCAP
from fusion import DriveLog, LabelSet, Source
from tests.formats.conftest import FRAME_NS, START_NS
from tests.formats.recording.containers import messages_in

MakeLog = Callable[..., tuple[DriveLog, LabelSet]]


def test_the_readers_of_others_find_what_foxglove_asks_for(make_log: MakeLog, tmp_path: Path) -> None:
    log, labels = make_log()
    MCAP.write(tmp_path / "out", [(log, labels)])
    by_topic: dict[str, list[Any]] = {}
    for topic, message in messages_in(tmp_path / "out" / "a log.mcap"):
        by_topic.setdefault(topic, []).append(message)
    poses = len(log.trajectory.timestamps_ns)
    counts = {topic: len(some) for topic, some in by_topic.items()}
    assert counts == {
        **{"/tf": poses, "/ego/pose": poses, "/tf_static": 1, "/labels": 6},
        **{f"/lidars/{name}/points": 6 for name in log.rig.lidars},
        **{f"/cameras/{name}/image": 6 for name in log.rig.cameras},
        **{f"/cameras/{name}/calibration": 1 for name in log.rig.cameras},
    }
    (move,) = by_topic["/tf"][0].transforms
    assert (move.parent_frame_id, move.child_frame_id) == ("map", "base_link")
    assert {(t.parent_frame_id, t.child_frame_id) for t in by_topic["/tf_static"][0].transforms} == {
        ("base_link", name) for name in (*log.rig.lidars, *log.rig.cameras)
    }
    cloud = by_topic["/lidars/roof/points"][2]
    assert cloud.frame_id == "roof" and len(cloud.data) == 3000 * cloud.point_stride
    assert [f.name for f in cloud.fields] == ["x", "y", "z", "intensity", "ring", "offset_ns"]
    assert cloud.timestamp.seconds * 10**9 + cloud.timestamp.nanos == START_NS + 2 * FRAME_NS
    lenses = {k.split("/")[2]: v[0] for k, v in by_topic.items() if k.endswith("calibration")}
    assert lenses["left side"].distortion_model == "kannala_brandt" and len(lenses["left side"].D) == 4
    assert list(lenses["far ahead"].D) == [-0.1, 0.01, 0, 0, 0] and lenses["ahead"].K[5] == 40.5
    kinds = {topic: {m.format for m in some} for topic, some in by_topic.items() if topic.endswith("/image")}
    assert kinds["/cameras/left side/image"] == {"jpeg"} and kinds["/cameras/ahead/image"] == {"png"}


def test_a_box_is_a_cube_with_its_text(make_log: MakeLog, tmp_path: Path) -> None:
    log, labels = make_log()
    MCAP.write(tmp_path / "out", [(log, labels)])
    scenes = [m for topic, m in messages_in(tmp_path / "out" / "a log.mcap") if topic == "/labels"]
    assert [len(scene.entities) for scene in scenes] == [1, 1, 2, 2, 2, 2]
    car, walker = scenes[3].entities
    truth = labels.tracks["walker"].annotations[START_NS + 3 * FRAME_NS].box
    assert (walker.id, walker.frame_id, walker.frame_locked) == ("walker", "base_link", False)
    assert walker.lifetime.nanos == FRAME_NS
    (cube,), turn = walker.cubes, walker.cubes[0].pose.orientation
    assert (cube.size.x, cube.size.y, cube.size.z) == (0.7, 0.6, 1.8)
    assert np.allclose([turn.w, turn.x, turn.y, turn.z], truth.ego_from_box.quaternion_wxyz, atol=1e-15)
    assert walker.texts[0].text == "Pedestrian walker" and walker.texts[0].pose.position.z > 1.8
    told = {pair.key: pair.value for pair in car.metadata}
    assert (told["category"], told["source"], told["score"]) == ("Pickup Truck", "auto", "0.53")
    assert {p.key: p.value for p in scenes[0].entities[0].metadata}["locked"] == "true"


def strangers_file(path: Path, frame: str, **told: Any) -> DriveLog:
    """A recording of somebody else with one cube a frame, 10 m ahead of where the car was at first."""
    import foxglove.messages as fox

    from tests.formats.recording.bags import Writing
    from tests.formats.recording.contents import cloud_of

    writing, poses = Writing("protobuf"), {}
    writing.transforms("/tf_static", START_NS, {("base_link", "top"): SE3.from_yaw(0.1, (1, 0, 2))})
    for k in range(3):
        t = START_NS + k * FRAME_NS
        poses[t] = SE3.from_yaw(0.1 * k, (100 + 2.0 * k, 50, 0))
        writing.transforms("/tf", t, {("map", "base_link"): poses[t]})
        writing.cloud("/top/points", t, "top", cloud_of())
        place = fox.Vector3(x=110.0, y=50.0, z=1.0)
        cube = fox.CubePrimitive(
            pose=fox.Pose(position=place, orientation=told.get("turn", fox.Quaternion(x=0, y=0, z=0, w=1))),
            size=fox.Vector3(x=4.0, y=told.get("width", 2.0), z=1.5),
        )
        entity = fox.SceneEntity(
            timestamp=fox.Timestamp((t + 3_000_000) // 10**9, (t + 3_000_000) % 10**9),
            frame_id=frame,
            id="17",
            metadata=[fox.KeyValuePair(key="class", value="van"), fox.KeyValuePair(key="mood", value="calm")],
            cubes=[cube],
        )
        writing.put("/boxes", t, "foxglove.SceneUpdate", fox.SceneUpdate(entities=[entity]))
    file = writing.write(path)
    return MCAP.open_log(file, file.stem)


def test_scenes_that_others_wrote_are_labels(tmp_path: Path) -> None:
    log = strangers_file(tmp_path / "theirs", "map")
    assert MCAP.recognises(tmp_path) and len(log) == 3
    labels = MCAP.read_labels(tmp_path, log)
    assert [*labels.tracks] == ["17"] and labels.tracks["17"].category == "van"
    track = labels.tracks["17"]
    assert [*track.annotations] == log.timestamps_ns.tolist()
    for t, one in track.annotations.items():
        world_from_box = log.trajectory.at(t) @ one.box.ego_from_box
        assert np.allclose(world_from_box.translation, (110, 50, 1), atol=1e-9)
        assert one.source is Source.IMPORTED and one.attributes == {"mood": "calm"}
    in_ego = MCAP.read_labels(tmp_path, strangers_file(tmp_path / "theirs", "base_link"))
    assert in_ego.tracks["17"].annotations[START_NS].box.center.tolist() == [110, 50, 1]
    in_top = MCAP.read_labels(tmp_path, strangers_file(tmp_path / "theirs", "top"))
    expected = SE3.from_yaw(0.1, (1, 0, 2)) @ np.array([110.0, 50, 1])
    assert np.allclose(in_top.tracks["17"].annotations[START_NS].box.center, expected)


@pytest.mark.parametrize(
    ("frame", "told", "said"),
    [("moon", {}, "no transform connects the frame 'moon'"), ("map", {"width": 0.0}, "must be positive")],
)
def test_boxes_of_others_that_cannot_be(tmp_path: Path, frame: str, told: dict[str, Any], said: str) -> None:
    log = strangers_file(tmp_path / "theirs", frame, **told)
    with pytest.raises(FormatError, match=f"/boxes message 0: .*{said}"):
        MCAP.read_labels(tmp_path, log)
