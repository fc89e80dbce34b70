"""What tri3d says of a data set."""

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

CHECKER = Path(__file__).parent / "tri3d_checker.py"
# What the checker moves about.
AHEAD = np.array([[8.0, 1, 1], [12, -2, 0.5], [1, 9, 1.5], [-2, 15, 3]])
Told = dict[str, np.ndarray]


def told_by_tri3d(
    client_python: Callable[[str], Path],
    kind: str,
    root: Path,
    part: str,
    lidars: Sequence[str],
    cameras: Sequence[str],
    out: Path,
) -> Told:
    """Points, poses, images, calibration and boxes of the first sequence."""
    names = ",".join(lidars), ",".join(cameras)
    command = [client_python("tri3d"), CHECKER, kind, root, part, *names, out]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    with np.load(out) as arrays:
        return dict(arrays)
