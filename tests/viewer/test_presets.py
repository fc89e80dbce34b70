"""Keys: no preset gives one key two meanings, and files of one's own are checked."""

import json
from pathlib import Path

import pytest

from calib.errors import CrosslabelError
from viewer.actions import ACTIONS, by_id, conflicts
from viewer.presets import PRESETS, preset, read_keys


@pytest.mark.parametrize("name", PRESETS)
def test_no_key_of_a_preset_means_two_things(name: str) -> None:
    made = preset(name)
    assert conflicts(made) == {}
    assert [action.id for action in made] == [action.id for action in ACTIONS]
    assert set(PRESETS[name]) <= set(by_id())


def test_a_preset_has_the_keys_people_know() -> None:
    cvat = by_id(preset("CVAT"))
    assert cvat["frame.next"].keys == ("F",)
    assert "F" not in cvat["track.fill"].keys
    assert by_id(preset("labelCloud"))["box.turn_left"].keys == ("Z",)


def test_keys_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"box.fit": ["Space"]}), encoding="utf-8")
    assert by_id(read_keys(path, ACTIONS))["box.fit"].keys == ("Space",)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "cannot be read"),
        ("[]", "wanted is an object"),
        ('{"box.fit": "X"}', "wanted is an object"),
        ('{"box.fly": ["X"]}', "no action 'box.fly'"),
        ('{"box.fit": ["Ctrl+Z"]}', "would mean"),
    ],
)
def test_files_of_keys_that_mean_nothing_are_refused(tmp_path: Path, content: str, says: str) -> None:
    path = tmp_path / "keys.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(CrosslabelError, match=says):
        read_keys(path, ACTIONS)
