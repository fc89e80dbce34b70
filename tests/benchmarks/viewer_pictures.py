"""The picture of the main window in the README: a simulated drive, labelled from every tenth frame.

`xvfb-run -s "-screen 0 1600x1000x24" python -m tests.benchmarks.viewer_pictures` writes docs/viewer.png.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from PyQt6.QtCore import QSettings
from PyQt6.QtTest import QTest

from autolabel.pipeline import propose
from fusion.labels import LabelSet, Track
from fusion.log import DriveLog
from fusion.overlap import points_in_box
from fusion.simulate import SimulationConfig, simulate, visible_only
from fusion.store import LabelStore
from viewer.desk import Desk
from viewer.open import desk_of
from viewer.qt import theme
from viewer.qt.app import application
from viewer.qt.settings import settings
from viewer.qt.window import MainWindow
from viewer.review.reviews import Place, State
from viewer.scene.views import Orbit

PICTURE = Path(__file__).parents[2] / "docs" / "viewer.png"
SIZE_PX, MOST_BYTES, COLOURS = (1600, 1000), 400_000, 256
FRAME, EVERY, MOVING_MPS, NEAR_M = 14, 10, 3.0, 30.0
CONFIG = SimulationConfig(
    name="simulated street", seed=21, seconds=4.0, azimuth_steps=2000, image_size_px=(800, 450), style="stop"
)


def labelled() -> tuple[DriveLog, LabelSet]:
    """A drive with its labels, every tenth frame by hand and the rest by automation."""
    log, everything = simulate(CONFIG)
    truth = visible_only(log, everything)
    given_ns = log.timestamps_ns[::EVERY].tolist()
    keys = [
        replace(track, annotations={t: a for t, a in track.annotations.items() if t in given_ns})
        for track in truth.tracks.values()
    ]
    labels = LabelSet.of(track for track in keys if track.annotations)
    for edit in propose(log, keyframes=labels):
        labels = edit.apply(labels)
    return log, labels


def moving_car(desk: Desk) -> str:
    """The car on the move with the most points, ahead and near."""
    session, best = desk.session, ("", 0)
    for track, annotation in session.present():
        place = annotation.box.center
        near = place[0] > 0 and np.linalg.norm(place) < NEAR_M
        if near and track.category in ("car", "truck", "bus") and _speed_mps(session.log, track) > MOVING_MPS:
            count = int(points_in_box(desk.cloud.points, annotation.box).sum())
            best = max(best, (track.id, count), key=lambda one: one[1])
    assert best[0], "nothing moves there"
    return best[0]


def _speed_mps(log: DriveLog, track: Track) -> float:
    times_ns = list(track.annotations)
    first, last = (
        log.trajectory.at(t) @ track.annotations[t].box.center for t in (times_ns[0], times_ns[-1])
    )
    return float(np.linalg.norm(last - first)) / max((times_ns[-1] - times_ns[0]) / 1e9, 0.1)


def arrange(window: MainWindow) -> None:
    """As an annotator has it in the middle of the work."""
    desk = window.desk
    session, review = desk.session, desk.reviewing
    car = moving_car(desk)
    session.select(car)
    for track in list(session.labels.tracks)[:6]:
        review.put_state(State.REVIEWED, Place(track))
    review.ask = lambda title, offered: "cut off by the van: check the length"
    review.comment()
    x, y, z = session.annotation.box.center if session.annotation else np.zeros(3)
    desk.panes.orbit = Orbit((x - 3.0, y, z), 24.0, -0.45, np.radians(27.0))
    desk.panes.tie(afresh=True)
    desk.show(point_px=2.0)
    window.review.parentWidget().raise_()
    window.canvas.setFocus()


def compressed(path: Path, least_colours: int = 64) -> None:
    """The same picture in fewer colours, until it is small enough."""
    from PIL import Image

    whole, colours = Image.open(path).convert("RGB"), COLOURS
    while colours >= least_colours:
        whole.quantize(colours, dither=Image.Dither.NONE).save(path, optimize=True)
        if path.stat().st_size <= MOST_BYTES:
            return
        colours //= 2
    raise SystemExit(f"{path} stays larger than {MOST_BYTES} bytes")


def main() -> None:
    """Makes the picture."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        QSettings.setDefaultFormat(QSettings.Format.IniFormat)
        QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, name)
        settings().setValue("theme", theme.Theme.DARK.value)
        application()
        log, labels = labelled()
        with LabelStore.create(folder / "labels.db", log.name, labels, "ana") as store:
            desk = desk_of(log, store, frame=FRAME)
            window = MainWindow(desk)
            window.setGeometry(0, 0, *SIZE_PX)
            window.show()
            desk.cache.wait(FRAME)
            QTest.qWait(300)
            arrange(window)
            while desk.reviewing.checking.busy:
                QTest.qWait(200)
            QTest.qWait(3000)
            screen = window.screen()
            assert screen is not None
            target = Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURE
            assert screen.grabWindow(window.winId()).save(str(target))
            compressed(target)
            window.close()
            desk.close()
            window.deleteLater()
            QTest.qWait(50)


if __name__ == "__main__":
    main()
