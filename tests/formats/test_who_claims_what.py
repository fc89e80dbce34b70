"""A folder of one format is taken for no other, whichever is asked first."""

from pathlib import Path

import pytest

from formats.folder import FOLDER
from formats.format import Format, recognise
from formats.kitti_object import KITTI_OBJECT
from formats.kitti_raw import KITTI_RAW
from formats.kitti_tracking import KITTI_TRACKING
from formats.labelcloud import LABELCLOUD
from formats.labels_db import LABELS_DB
from formats.nuscenes import NUSCENES
from formats.openlabel import OPENLABEL
from formats.registry import FORMATS
from formats.sustech import SUSTECHPOINTS
from tests.formats.small import make_kitti_raw, small_log


@pytest.mark.parametrize(
    "format",
    [SUSTECHPOINTS, KITTI_OBJECT, KITTI_TRACKING, NUSCENES, FOLDER, LABELCLOUD, KITTI_RAW, OPENLABEL],
)
def test_what_is_written_is_taken_for_what_it_is(tmp_path: Path, format: Format) -> None:
    log, labels = small_log(2)
    if format.write is not None:
        format.write(tmp_path / "out", [(log, labels)])
    elif format.write_labels is not None:
        format.write_labels(tmp_path / "out", log, labels)
    else:
        make_kitti_raw(tmp_path / "out")
    assert recognise(tmp_path / "out", FORMATS) is format
    claims = [other.name for other in FORMATS if other.recognises(tmp_path / "out")]
    behind = {KITTI_OBJECT.name: [KITTI_TRACKING.name], FOLDER.name: [LABELS_DB.name]}
    assert claims == [format.name, *behind.get(format.name, [])]


def test_a_drive_of_raw_data_is_no_tracking_benchmark(tmp_path: Path) -> None:
    make_kitti_raw(tmp_path)
    drive = next((tmp_path / "2011_09_26").glob("*_sync"))
    assert recognise(drive, FORMATS) is recognise(drive.parent, FORMATS) is KITTI_RAW
