"""How fast the viewer answers on a large log, drawn in software; it needs a screen, such as xvfb-run gives.

`python -m tests.benchmarks.viewer_speed` measures and prints; with --write it writes docs/viewer_speed.md.
"""

from __future__ import annotations

import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROUNDS, SCRUBBED, QUIET = 12, 120, 70
PAGE = Path(__file__).parents[2] / "docs" / "viewer_speed.md"
HEAD = """# How fast the viewer answers

    xvfb-run -s "-screen 0 1920x1200x24" python -m tests.benchmarks.viewer_speed --write

writes this page. The log has 1,000 frames of 120,000 points and six full-HD images (1920x1080, JPEG) on
disk, and 2,000 tracks of 30 boxes each, about 60 boxes in every frame. The window is 1500x950 pixels and
everything is drawn **in software** (Mesa's llvmpipe, {cores} cores): a graphics card does the drawing in a
fraction. "Wall" is what a person waits. The figures are medians of {rounds} rounds and, in brackets, the
fastest. Solving tracks again by itself is switched off while edits are timed, and the rules of review have
answered about the last edit before the next one is made. "All threads" includes those
that draw in software and those that read the next frames meanwhile. Opening is in a new process, its
imports included, once; the kernels were compiled before.

"""


@dataclass
class Row:
    """One thing that was measured.

    Attributes:
        what: in words.
        limit: what it may take.
        rounds_ms: of each round: the wall, the thread of the window, all threads.
    """

    what: str
    limit: str
    rounds_ms: list[tuple[float, float, float]]

    def __str__(self) -> str:
        told = " | ".join(_told(list(column)) for column in zip(*self.rounds_ms, strict=True))
        return f"| {self.what} | {self.limit} | {told} |"


def _told(values: list[float]) -> str:
    digits = 0 if min(values) >= 10 else 2
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}) ms"


def timed(run: Callable[[], object]) -> tuple[float, float, float]:
    """Milliseconds of the wall, of this thread, and of all threads of the process."""
    clocks = (time.perf_counter, time.thread_time, time.process_time)
    before = [clock() for clock in clocks]
    run()
    wall, own, every = (1e3 * (clock() - start) for clock, start in zip(clocks, before, strict=True))
    return wall, own, every


class Bench:
    """A window on the log."""

    def __init__(self, path: Path, labels: Path) -> None:
        from PyQt6.QtCore import QSettings

        from viewer.qt.app import application

        QSettings.setDefaultFormat(QSettings.Format.IniFormat)
        QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(path.parent))
        self.application = application()
        self.opened = timed(lambda: self._open(path, labels))

    def _open(self, path: Path, labels: Path) -> None:
        from fusion.store import LabelStore
        from tests.benchmarks.viewer_drive import opened
        from viewer.open import desk_of
        from viewer.qt.window import MainWindow

        self.desk = desk_of(opened(path), LabelStore.open(labels))
        self.window = MainWindow(self.desk)
        self.window.show()
        while self.desk.frame is None:
            self.application.processEvents()
        self.drawn()

    def drawn(self) -> None:
        """Waits until all that has changed is on the screen."""
        for _ in range(3):
            self.application.processEvents()
        renderer = self.window.canvas.renderer
        assert renderer is not None
        self.window.canvas.makeCurrent()
        renderer.context.finish()

    def come(self, *numbers: int) -> None:
        """Waits for frames, and for what draws on them."""
        for number in numbers:
            self.desk.cache.wait(number)
        self.rest()

    def rest(self) -> None:
        """Until nothing goes on any more, in the background neither."""
        from viewer.tasks import going_on

        quiet = 0
        while quiet < QUIET:
            self.application.processEvents()
            time.sleep(0.01)
            busy = going_on(self.desk) or self.desk.cache.busy or self.desk.reviewing.checking.busy
            quiet = 0 if busy else quiet + 1

    def switching(self) -> Row:
        """From one cached frame to another and back."""
        self.desk.session.go_to(11)
        self.come(10, 11, 12, 13, 14)
        found = []
        for k in range(ROUNDS):
            found.append(timed(lambda k=k: (self.desk.session.go_to(12 - k % 2), self.drawn())))
            self.rest()
        return Row("another cached frame, until everything is drawn", "300 ms", found)

    def uploading(self) -> Row:
        """The points of a frame into the buffers."""
        renderer, (points, colours) = self.window.canvas.renderer, self.window.canvas.shown.points()
        assert renderer is not None
        self.window.canvas.makeCurrent()
        found = []
        for _ in range(3 * ROUNDS):
            found.append(timed(lambda: renderer.put_points(points, colours)))
            renderer.context.finish()
        return Row(f"upload of {len(points):,} points", "2 ms of CPU", found)

    def editing(self) -> Row:
        """A key that moves the box of one of many tracks, on disk and drawn."""
        from PyQt6.QtCore import Qt
        from PyQt6.QtTest import QTest

        self.window.activateWindow()
        self.window.canvas.setFocus()
        self.desk.session.next_track()
        self.rest()
        self.desk.proposals.switch()  # what goes on after an edit is not the edit
        before, found = len(self.desk.session.store.history()), []
        for _ in range(ROUNDS):
            found.append(timed(lambda: (QTest.keyClick(self.window.canvas, Qt.Key.Key_W), self.drawn())))
            self.rest()
        assert len(self.desk.session.store.history()) == before + ROUNDS
        count = len(self.desk.session.labels.tracks)
        return Row(f"an edit among {count:,} tracks, on disk and drawn", "50 ms", found)

    def scrubbing(self) -> str:
        """The memory that going through the log takes."""
        most, cache = 0, self.desk.cache
        for number in range(20, 20 + SCRUBBED):
            self.desk.session.go_to(number)
            cache.wait(number)
            self.application.processEvents()
            most = max(most, cache.nbytes)
        rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        gone = SCRUBBED * most / max(len(cache), 1) / 2**30
        return (
            f"\nGoing through {SCRUBBED} frames ({gone:.1f} GiB of points and pixels), the cache held "
            f"{most / 2**20:,.0f} MiB at most; its limit is {cache.most_bytes / 2**20:,.0f} MiB. "
            f"The whole process took {rss / 2**10:,.0f} MiB at most.\n"
        )

    def close(self) -> None:
        """Takes the window down before the application goes."""
        from PyQt6.QtCore import QEvent
        from PyQt6.QtWidgets import QApplication

        self.window.close()
        self.desk.close()
        self.window.deleteLater()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def measure(folder: Path) -> str:
    """The page."""
    from tests.benchmarks.viewer_drive import make

    path, labels = make(folder)
    bench = Bench(path, labels)
    rows = [
        Row("opening the log, until its first frame is drawn", "3 s", [bench.opened]),
        bench.switching(),
        bench.uploading(),
        bench.editing(),
    ]
    said = bench.scrubbing()
    head = "| what | limit | wall | CPU of the window's thread | CPU of all threads |"
    table = [head, "|---|--:|--:|--:|--:|", *map(str, rows)]
    bench.close()
    return HEAD.format(cores=os.cpu_count(), rounds=ROUNDS) + "\n".join(table) + "\n" + said


def main() -> None:
    """Measures, prints, and perhaps writes."""
    with tempfile.TemporaryDirectory() as folder:
        text = measure(Path(folder))
    print(text)
    if "--write" in sys.argv[1:]:
        PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
