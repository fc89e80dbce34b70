"""The picture of docs/qa.md: what a check shows of errors that were put into a simulated drive on purpose.

`python -m tests.benchmarks.qa_pictures` writes docs/qa.png.
"""

from __future__ import annotations

import cv2
import numpy as np

from calib.types import U8
from fusion.align import points_in_ego, read_deskewed
from fusion.checks import Finding
from fusion.checks.check import check
from fusion.checks.pictures import Spot, close_up, in_image
from fusion.checks.queue import queue
from fusion.labels import LabelSet
from fusion.log import DriveLog
from fusion.seeded import ErrorKind, SeedConfig, seed_errors
from fusion.seeded.kinds import Level
from fusion.simulate import SimulationConfig, simulate
from tests.conftest import REPOSITORY
from tests.in_memory import in_memory

SEED = 100
LEVELS = (
    Level(ErrorKind.SHIFT_SEVERAL, 1.0, True),
    Level(ErrorKind.FLIP_MOVING, 180.0, True),
    Level(ErrorKind.SIZE_TRACK, 40.0),
    Level(ErrorKind.EMPTY, 0.0, True),
    Level(ErrorKind.DUPLICATE, 0.3, True),
    Level(ErrorKind.HEIGHT, 0.5),
)
TILE_PX, TEXT_PX, COLUMNS = 300, 44, 6
PAPER, INK = (250, 250, 248), (30, 30, 34)


def main() -> None:
    """Draws it."""
    log, truth = simulate(SimulationConfig(seed=SEED, seconds=3.0, cameras=6, image_size_px=(1280, 720)))
    log = in_memory(log)
    seeded = seed_errors(log, truth, SeedConfig(seed=2, levels=LEVELS, count=1))
    found = queue(check(seeded.log, seeded.labels).findings)
    columns: list[U8] = []
    for error in seeded.errors:
        mine = [
            one for item in found for one in item.findings if error.track_id in (one.track_id, one.other_id)
        ]
        if mine and len(columns) < COLUMNS:
            columns.append(_column(log, seeded.labels, mine))
    picture = np.hstack(columns)
    cv2.imwrite(str(REPOSITORY / "docs" / "qa.png"), picture[:, :, ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])


def _column(log: DriveLog, labels: LabelSet, findings: list[Finding]) -> U8:
    """What is said of an object, the object from above, and in the image that shows it best."""
    first = findings[0]
    assert first.track_id is not None
    track = labels.tracks[first.track_id]
    at_ns = next(t for t in first.timestamps_ns if t in track.annotations)
    spot = Spot(at_ns, track.annotations[at_ns].box, track.id)
    ref = log.sweep_at(at_ns)
    assert ref is not None
    points = points_in_ego(log, read_deskewed(log, ref))
    shown = in_image(log, labels, spot)
    pictures = [close_up(points, labels, spot), close_up(points, labels, spot, side=True)]
    if shown is not None:
        pictures[1] = shown[1]
    return np.vstack([_words(f"{track.category}: {first.words}"), *(_tile(one) for one in pictures)])


def _tile(picture: U8) -> U8:
    tile = np.full((TILE_PX, TILE_PX, 3), PAPER, dtype=np.uint8)
    scale = (TILE_PX - 6) / max(picture.shape[:2])
    size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
    tile[3 : 3 + size[1], 3 : 3 + size[0]] = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return tile


def _words(text: str) -> U8:
    canvas = np.full((TEXT_PX, TILE_PX, 3), PAPER, dtype=np.uint8)
    words, lines = text.split(), [""]
    for word in words:
        wider = f"{lines[-1]} {word}".strip()
        if cv2.getTextSize(wider, cv2.FONT_HERSHEY_SIMPLEX, 0.42, 1)[0][0] > TILE_PX - 8:
            lines.append(word)
        else:
            lines[-1] = wider
    for number, line in enumerate(lines[:2]):
        place = (4, 17 + 18 * number)
        cv2.putText(canvas, line, place, cv2.FONT_HERSHEY_SIMPLEX, 0.42, INK, 1, cv2.LINE_AA)
    return canvas


if __name__ == "__main__":
    main()
