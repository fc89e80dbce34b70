"""A real log through one format after the other: every box stays on its points."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from formats.argoverse2 import ARGOVERSE2
from formats.convert import convert
from formats.format import Format
from formats.mcap import MCAP
from formats.nuscenes import NUSCENES
from formats.openlabel import OPENLABEL
from formats.pandaset import PANDASET
from fusion import Boxes, DriveLog, LabelSet
from fusion.overlap import count_points_in_boxes

FRAMES, CAMERA = 4, "front_camera"


@pytest.fixture(scope="module")
def excerpt(shared_data: Path) -> tuple[DriveLog, LabelSet]:
    path = shared_data / "pandaset"
    log = PANDASET.open_log(path / "002", "002")  # type: ignore[misc]
    labels = PANDASET.read_labels(path / "002", log)  # type: ignore[misc]
    times_ns = log.timestamps_ns[:FRAMES]
    kept = frozenset(times_ns.tolist())
    tracks = (
        replace(track, annotations={t: a for t, a in track.annotations.items() if t in kept})
        for track in labels.tracks.values()
    )
    short = replace(
        log,
        timestamps_ns=times_ns,
        sweeps={name: refs[:FRAMES] for name, refs in log.sweeps.items()},
        images={CAMERA: log.images[CAMERA][:FRAMES]},
    )
    return short, LabelSet.of(track for track in tracks if track.annotations)


def points_in_boxes(log: DriveLog, labels: LabelSet) -> dict[tuple[str, int], int]:
    """How many points of the main LiDAR each box holds."""
    found: dict[tuple[str, int], int] = {}
    lidar = log.rig.main_lidar
    assert lidar is not None
    for ref in log.sweeps[lidar.name]:
        here = list(labels.at(ref.timestamp_ns))
        points_ego = lidar.ego_from_sensor.cloud(ref.read().points)
        counts = count_points_in_boxes(points_ego, Boxes.stack(one.box for _, one in here))
        found |= {(t.id, ref.timestamp_ns): int(c) for (t, _), c in zip(here, counts, strict=True)}
    return found


def test_every_box_stays_on_its_points(excerpt: tuple[DriveLog, LabelSet], tmp_path: Path) -> None:
    log, labels = excerpt
    before = points_in_boxes(log, labels)
    assert len(before) > 200 and sum(before.values()) > 10_000
    for number, target in enumerate((MCAP, NUSCENES, ARGOVERSE2)):
        (told,) = convert(
            target, tmp_path / str(number), lambda log=log, labels=labels: iter([(log, labels)])
        )
        assert told.losses == (), target.name
        log, labels = reopened(target, tmp_path / str(number))
        after = points_in_boxes(log, labels)
        assert after.keys() == before.keys()
        off = np.array([abs(after[key] - before[key]) for key in before])
        # Points that lie in a face, in single floats.
        assert off.max() <= 2 and (off > 0).mean() < 0.05, target.name
    (told,) = convert(OPENLABEL, tmp_path / "labels", lambda: iter([(log, labels)]), sensors=False)
    assert told.losses == ()
    assert points_in_boxes(log, OPENLABEL.read_labels(tmp_path / "labels", log)) == after  # type: ignore[misc]
    for id, track in excerpt[1].tracks.items():
        for time_ns, one in track.annotations.items():
            corners = labels.tracks[id].annotations[time_ns].box.corners()
            np.testing.assert_allclose(corners, one.box.corners(), atol=1e-9)


def reopened(target: Format, path: Path) -> tuple[DriveLog, LabelSet]:
    assert target.open_log is not None and target.read_labels is not None
    (name,) = target.log_ids(path)
    log = target.open_log(path, name)
    return log, target.read_labels(path, log)
