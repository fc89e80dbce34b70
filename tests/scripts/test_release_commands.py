"""`crosslabel release` and `verify` from outside: exit codes, sums that others check, splits that stay."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., str]


@pytest.fixture
def release(crosslabel: Run, tmp_path: Path) -> Path:
    crosslabel("demo", "--out", tmp_path / "demo", "--size", "tiny", "--seconds", "0.3", "--no-view")
    given = (tmp_path / "demo" / "drive", "--labels", tmp_path / "demo" / "labels")
    said = ("--name", "Streets", "--licence", "CC-BY-4.0", "--source", "simulated")
    crosslabel("release", *given, *said, "--out", tmp_path / "out")
    return tmp_path / "out"


def test_a_release_is_verified_and_says_what_made_it(crosslabel: Run, release: Path) -> None:
    told = json.loads(crosslabel("verify", release, "--json"))
    assert told["problems"] == []
    manifest = json.loads((release / "release.json").read_text())
    assert manifest["licence"] == "CC-BY-4.0"
    (run,) = manifest["runs"].values()
    assert run["config_hash"] and "config" in run and "versions" in run
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=release, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    crosslabel("verify", release, "--sha256", told["sha256"])


def test_what_is_wrong_ends_with_one(crosslabel: Run, release: Path) -> None:
    (release / "boxes.csv").write_text("")
    assert "REL2 boxes.csv" in crosslabel("verify", release, code=1)
    assert "REL2 release.json" in crosslabel("verify", release, "--sha256", "0" * 64, code=1)


def test_logs_stay_in_the_splits_of_an_earlier_release(
    crosslabel: Run, release: Path, tmp_path: Path
) -> None:
    edited = json.loads((release / "release.json").read_text())
    edited["logs"][0]["split"] = "test"
    (release / "release.json").write_text(json.dumps(edited))
    given = (tmp_path / "demo" / "drive", "--name", "Streets", "--previous", release)
    crosslabel("release", *given, "--out", tmp_path / "second")
    again = json.loads((tmp_path / "second" / "release.json").read_text())
    assert [entry["split"] for entry in again["logs"]] == ["test"]


def test_bad_input_is_one_line(fails: Run, release: Path, tmp_path: Path) -> None:
    drive = tmp_path / "demo" / "drive"
    assert "release.json" in fails("verify", drive)
    wanted = (drive, "--name", "Streets", "--out", tmp_path / "x")
    assert "'lots' is no share" in fails("release", *wanted, "--splits", "lots")
    assert "is there already" in fails("release", drive, "--name", "Streets", "--out", release)
    (tmp_path / "schema.yaml").write_text("colours: 3")
    assert "schema.yaml" in fails("release", *wanted, "--schema", tmp_path / "schema.yaml")
    assert not (tmp_path / "x").exists()
