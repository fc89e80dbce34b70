"""`crosslabel view` before there is a window."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fusion.labels import LabelSet
from fusion.store import LabelStore
from viewer.open import own_file


def view(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    without = {
        name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")
    }
    command = [sys.executable, "-m", "scripts.cli", "view", *arguments]
    repository = Path(__file__).parents[2]
    environment = {**without, "PYTHONPATH": str(repository)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems always have a screen")
def test_without_a_screen_it_says_so_in_one_line_and_writes_nothing(
    shared_data: Path, tmp_path: Path
) -> None:
    done = view(str(shared_data / "pandaset"), folder=tmp_path)
    assert done.returncode == 2
    assert "there is no screen here" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_log_is_said_in_one_line(tmp_path: Path) -> None:
    done = view(str(tmp_path / "nothing"), folder=tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1


def test_two_annotators_never_share_a_file_and_no_name_leads_out_of_the_folder(tmp_path: Path) -> None:
    ours, theirs = (own_file(tmp_path, "drive 1", name) for name in ("ana", "bo"))
    assert ours != theirs
    for name in ("../../x", "/etc/passwd", "..", "", "a\0b", "ünï"):
        path = own_file(tmp_path, name, name)
        assert tmp_path in path.resolve().parents
        assert path.parent.parent == tmp_path
    with LabelStore.create(ours, "drive 1", LabelSet(), "ana"):
        assert ours.exists()
