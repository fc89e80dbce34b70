"""The command answers at once."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
COMMANDS = (
    *("demo", "info", "rig", "doctor", "calibrate", "drift"),
    *("autolabel", "view", "evaluate", "convert", "render", "warmup", "bench"),
    *("agree", "diff", "merge"),
)


def children_s() -> float:
    """CPU seconds of all programs that were run so far: unlike the clock they do not count what others do."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def ask(*arguments: str) -> tuple[float, str]:
    started_s = children_s()
    answer = subprocess.run(
        [sys.executable, "-m", "scripts.cli", *arguments],
        cwd=REPOSITORY,
        env={**os.environ, "TERM": "dumb", "COLUMNS": "120"},
        capture_output=True,
        text=True,
        check=True,
    )
    return children_s() - started_s, answer.stdout


def test_help_answers_within_half_a_second() -> None:
    answers = [ask("--help") for _ in range(8)]
    assert min(seconds for seconds, _ in answers) < 0.5
    assert all(name in answers[0][1] for name in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_says_what_it_does(command: str) -> None:
    assert "Usage" in ask(command, "--help")[1]


def test_help_imports_nothing_heavy() -> None:
    program = "import sys, scripts.cli; print(*sorted(sys.modules))"
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    loaded = set(answer.stdout.split())
    assert not loaded & {"numpy", "numba", "cv2", "open3d", "scipy", "pandas", "pydantic", "sqlite3"}
