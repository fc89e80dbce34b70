"""Damaged copies of every format's files are read or refused, within ten seconds and two gigabytes."""

import subprocess
import sys

import pytest

from tests.formats.samples import SAMPLES

COUNT, SEED = 100, 7


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLES)
def test_nothing_but_one_line_comes_of_damage(name: str) -> None:
    command = [sys.executable, "-m", "tests.formats.mutants", name, f"--count={COUNT}", f"--seed={SEED}"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-500:]
    assert f"{name}: {COUNT} damaged copies" in done.stdout
