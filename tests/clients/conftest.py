"""Other people's programs, each in a virtual environment of its own in the repository's root."""

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).parent
REPOSITORY = HERE.parent.parent


@pytest.fixture(scope="session")
def client_python() -> Callable[[str], Path]:
    """Gives the Python of a client's environment, making it where requirements have changed."""

    def make(name: str) -> Path:
        requirements = HERE / f"{name}_requirements.txt"
        wanted = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()
        folder = REPOSITORY / f".venv-{name}"
        stamp, python = folder / "requirements.sha256", folder / "bin" / "python"
        with (REPOSITORY / f".venv-{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not stamp.is_file() or stamp.read_text() != wanted:
                _install(folder, python, requirements)
                stamp.write_text(wanted)
        return python

    return make


def _install(folder: Path, python: Path, requirements: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements]
    # A file that lists everything there is to install says so in its first line.
    if requirements.read_text().startswith("# pip: --no-deps"):
        command.append("--no-deps")
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        reason = f"pip could not install {requirements.name}: {(errors or ['no reason given'])[-1]}"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
