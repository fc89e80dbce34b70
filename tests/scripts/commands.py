"""Running the command line as a person does."""

import sys
from pathlib import Path

import pytest

from scripts import cli


def run(monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    """A line such as `crosslabel info drive`, which has to end well."""
    monkeypatch.setattr(sys, "argv", line.split())
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 0, line


def link_kitti(shared_data: Path, folder: Path) -> None:
    """Puts one sequence of KITTI's tracking data, with poses and detections, where the pages say it is."""
    source = shared_data / "kitti_tracking"
    for kind in ("training/calib", "training/label_02", "poses_orbslam3"):
        kept = folder / "kitti" / kind.replace("poses_orbslam3", "poses")
        kept.mkdir(parents=True)
        (kept / "0017.txt").symlink_to(source / kind / "0017.txt")
    (folder / "kitti" / "detections").symlink_to(source / "detections")
