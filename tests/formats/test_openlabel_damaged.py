"""OpenLABEL that is damaged: one error that names the file and the place, or it is read."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from formats.errors import FormatError
from formats.openlabel.read import read_labels
from tests.formats.damage import survive
from tests.formats.test_openlabel import foreign, log_without_sensors, make_openlabel, written


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    content = foreign()
    change(content["openlabel"])
    return content


def cuboid_of(content: dict[str, Any]) -> dict[str, Any]:
    return content["frames"]["1"]["objects"]["0"]["object_data"]["cuboid"][0]


CASES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "no metadata": (lambda c: c.pop("metadata"), "without the key 'metadata'"),
    "short cuboid": (lambda c: cuboid_of(c)["val"].pop(), "needs 9 or 10 numbers, not 8"),
    "far cuboid": (lambda c: cuboid_of(c)["val"].__setitem__(0, 1e300), "further away"),
    "flat cuboid": (lambda c: cuboid_of(c)["val"].__setitem__(-1, 0), "positive"),
    "no turn": (lambda c: cuboid_of(c).update(val=[0, 0, 0, 0, 0, 0, 0, 1, 1, 1]), "quaternion"),
    "no way": (lambda c: cuboid_of(c).update(coordinate_system="mars"), "no way from the system 'mars'"),
    "frame beyond": (lambda c: c["frames"].update({"7": {}}), "no such frame; the log has 3"),
    "frame of a word": (lambda c: c["frames"].update({"x": {}}), "the key of a frame is its number"),
    "two numbers": (lambda c: c["frames"].update({"01": {}}), "the number of two frames"),
    "no object": (lambda c: c["objects"].pop("0"), "there is no object '0'"),
    "no type": (lambda c: c["objects"]["0"].pop("type"), "without the key 'type'"),
    "list of objects": (lambda c: c.update(objects=[]), "must be a table of keys"),
    "number of text": (
        lambda c: cuboid_of(c).update(attributes={"num": [{"name": "a", "val": "b"}]}),
        "num.0.val: must be a finite number",
    ),
    "two cuboids": (
        lambda c: c["frames"]["1"]["objects"]["0"]["object_data"]["cuboid"].append(cuboid_of(c)),
        "a second cuboid",
    ),
    "deep JSON": (
        lambda c: cuboid_of(c).update(
            attributes={"text": [{"name": "crosslabel_attributes", "val": "[" * 100_000}]}
        ),
        "crosslabel_attributes: not JSON",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_damaged_files(tmp_path: Path, case: str) -> None:
    change, said = CASES[case]
    file = written(tmp_path, changed(change))
    with pytest.raises(FormatError) as raised:
        read_labels(file, log_without_sensors())
    message = str(raised.value)
    assert said in message and str(file) in message and "\n" not in message and len(message) < 600


def test_random_damage(tmp_path: Path) -> None:
    make_openlabel(tmp_path)
    written(tmp_path, foreign())
    log = log_without_sensors()
    for name in ("drive", "theirs"):
        file = tmp_path / f"{name}.json"
        told, done = survive([file], partial(read_labels, file, log), 120)
        assert told > 30 and done > 0
