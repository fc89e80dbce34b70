"""The shape of the house: what is installed, how long files grow, what they may say."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PACKAGES = ("calib", "fusion", "autolabel", "formats", "scripts", "viewer")
SOURCES = sorted(path for name in PACKAGES for path in (REPOSITORY / name).rglob("*.py"))
# Assembled from pieces so that this file does not name what it forbids.
PRIVATE_PATHS = re.compile("/(" + "|".join(("wo" + "rk", "ro" + "ot", "ho" + "me/[a-z]+")) + ")/")


def test_every_package_is_installed_and_nothing_else() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    folders = {str(path.parent.relative_to(REPOSITORY)).replace("/", ".") for path in SOURCES}
    assert set(project["tool"]["setuptools"]["packages"]) == folders


def test_every_package_says_what_it_is_for() -> None:
    for folder in {path.parent for path in SOURCES}:
        assert (folder / "__init__.py").read_text(encoding="utf-8").startswith('"""'), folder


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_a_file_has_under_300_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300


def test_nothing_names_a_path_of_one_machine() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    texts = [REPOSITORY / name for name in listed if name and not name.endswith((".png", ".svg"))]
    texts = [path for path in texts if path.is_file()]
    found = [path for path in texts if PRIVATE_PATHS.search(path.read_text(encoding="utf-8"))]
    assert found == []


def test_importing_everything_compiles_nothing() -> None:
    """Kernels are compiled on their first call, so importing a kernel module must leave them empty."""
    kernels = [path for path in SOURCES if "_kernels" in path.name]
    names = [".".join(path.relative_to(REPOSITORY).with_suffix("").parts) for path in kernels]
    program = (
        "import importlib, numba\n"
        "from numba.core.dispatcher import Dispatcher\n"
        f"for name in {names}:\n"
        "    module = importlib.import_module(name)\n"
        "    for kernel in vars(module).values():\n"
        "        assert not isinstance(kernel, Dispatcher) or not kernel.signatures, kernel\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, check=True)


def test_every_kernel_is_cached_serial_and_free_of_the_interpreter_lock() -> None:
    decorator = re.compile(r"^@(?:numba\.)?njit(.*)$", re.MULTILINE)
    for path in SOURCES:
        if "_kernels" not in path.name:
            continue
        for options in decorator.findall(path.read_text(encoding="utf-8")):
            assert "cache=True" in options, path
            assert "nogil=True" in options, path
            assert "parallel" not in options, path
