"""What is found in drives of which nothing is known: `python -m tests.benchmarks.from_nothing`.

With `--write` it writes docs/from_nothing.md; `--cache FOLDER` keeps simulated sweeps there. The rows marked
"tuned" are drives that settings were chosen on or that the detector's table was fitted to.
"""

import argparse
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from autolabel.detect import Detector, PlainDetector
from autolabel.detect.camera import CameraDetector
from autolabel.detect.yolox import Yolox
from autolabel.scans import Scans
from autolabel.world import LocalWorld
from tests.benchmarks.detector_drives import LabelledDrive, all_drives, real_drive
from tests.benchmarks.found_objects import (
    LEAST_SCORE,
    Claim,
    Findings,
    Sought,
    findings,
    label_findings,
)
from tests.conftest import REPOSITORY, SHARED_DATA

PAGE = REPOSITORY / "docs" / "from_nothing.md"
BANDS = ((0.0, 40.0), (0.0, 15.0), (15.0, 25.0), (25.0, 40.0))
GROUPS = ("car", "heavy", "person", "cyclist")
DECILES = np.linspace(0.1, 1.0, 10)

FOUND = (
    "| drives | what | within | true | recall | IoU .5 | precision | no edit | but flip |\n"
    "|---|---|---|--:|--:|--:|--:|--:|--:|"
)
SCORES = (
    "| drives | what |" + "".join(f" {d:.1f}-{d + 0.1:.1f} |" for d in DECILES[:-1]) + "\n"
    "|---|---|" + "--:|" * 9
)
HEADS = {
    "labels": FOUND,
    "edits": "| drives | what | found | centre | length | width | height | heading | front | kind |\n"
    "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    "label_scores": SCORES,
    "boxes": FOUND,
    "box_scores": SCORES,
    "cost": "| drive | sweeps | ms a sweep |\n|---|--:|--:|",
}


def share(values: Sequence[bool] | Iterable[bool]) -> str:
    """As a table shows it."""
    listed = list(values)
    return f"{np.mean(listed):.2f}" if listed else ""


def found_rows(name: str, made: Findings, bands: Sequence[tuple[float, float]] = BANDS) -> Iterable[str]:
    for group in GROUPS:
        for low, high in bands:
            true = [t for t in made.true if t.group == group and low <= t.away_m < high]
            claims = [c for c in made.claims if c.group == group and low <= c.away_m < high]
            claims = [c for c in claims if c.score >= LEAST_SCORE]
            if true or (claims and low == 0 and high == BANDS[0][1]):
                shares = (
                    share(t.found for t in true),
                    share(t.iou >= 0.5 for t in true),
                    share(c.on_something for c in claims),
                    share(t.no_edit for t in true),
                    share(t.no_edit_but_flip for t in true),
                )
                yield f"| {name} | {group} | {low:.0f}-{high:.0f} m | {len(true)} | {' | '.join(shares)} |"


RIGHT: tuple[Callable[[Sought], bool], ...] = (
    lambda t: t.center_ok,
    lambda t: t.size_ok[0],
    lambda t: t.size_ok[1],
    lambda t: t.size_ok[2],
    lambda t: t.turn_rad <= np.radians(10),
    lambda t: not t.flipped,
    lambda t: t.kind_ok,
)


def edit_rows(name: str, made: Findings) -> Iterable[str]:
    for group in GROUPS:
        found = [t for t in made.true if t.group == group and t.found]
        if found:
            shares = " | ".join(share(right(t) for t in found) for right in RIGHT)
            yield f"| {name} | {group} | {len(found)} | {shares} |"


def score_rows(name: str, made: Findings) -> Iterable[str]:
    for group in GROUPS:
        claims = [c for c in made.claims if c.group == group]
        if claims:
            yield f"| {name} | {group} |" + "".join(f" {decile(claims, d)} |" for d in DECILES[:-1])


def decile(claims: list[Claim], low: float) -> str:
    """The share of right ones among those as sure, and how many there are."""
    right = [c.right for c in claims if low <= c.score < low + 0.1 or c.score == low + 0.1 == 1.0]
    return f"{np.mean(right):.2f} ({len(right)})" if right else ""


def pooled(parts: Iterable[Findings]) -> Findings:
    made = Findings()
    for part in parts:
        made.true += part.true
        made.claims += part.claims
    return made


def cost_row(drive: LabelledDrive) -> str:
    """CPU time of one thread, kernels compiled, reading the scans from their file included."""
    scans, detector = Scans(LocalWorld.of(drive.log)), PlainDetector()
    count = sum(1 for _ in scans)
    began = time.process_time()
    for frame in range(len(scans)):
        detector.detect(scans, frame)
    return f"| {drive.name} | {count} | {1e3 * (time.process_time() - began) / max(count, 1):.1f} |"


Both = tuple[Findings, Findings]
"""What the whole pipeline makes of a drive, and what its detector does frame by frame."""


def both(drive: LabelledDrive, detector: Callable[[], Detector]) -> Both:
    """Each asked anew, so that neither profits from the other."""
    return label_findings(drive, detector()), findings(drive, detector())


def with_camera() -> tuple[LabelledDrive, Both] | None:
    """The real drive once more, with a small 2D network."""
    network, drive = SHARED_DATA / "models" / "yolox_nano.onnx", real_drive()
    if drive is None or not network.is_file():
        return None
    return drive, both(drive, lambda: CameraDetector(PlainDetector(), Yolox.open(network)))


class Tables:
    """The rows of all tables, printed as they are made."""

    def __init__(self) -> None:
        self.rows = {name: [head] for name, head in HEADS.items()}

    def say(self, table: str, rows: Iterable[str]) -> None:
        """Adds rows to one."""
        for row in rows:
            self.rows[table].append(row)
            print(row, flush=True)

    def say_all(self, name: str, made: Both) -> None:
        """Adds the rows of a drive to all."""
        labels, boxes = made
        self.say("labels", found_rows(name, labels))
        self.say("edits", edit_rows(name, labels))
        self.say("label_scores", score_rows(name, labels))
        self.say("boxes", found_rows(name, boxes, BANDS[:1]))
        self.say("box_scores", score_rows(name, boxes))


def main() -> None:
    """Prints the tables; writes docs/from_nothing.md if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--cache", type=Path)
    options = parser.parse_args()
    tables, simulated = Tables(), dict[bool, list[Both]]({True: [], False: []})
    for drive in all_drives(options.cache):
        made = both(drive, PlainDetector)
        if drive.log.name.startswith("simulated"):
            simulated[drive.tuned].append(made)
            if drive.tuned:
                continue
        tables.say_all(drive.name + (" (tuned)" if drive.tuned else ""), made)
        tables.say("cost", [cost_row(drive)])
    for name, tuned in (("simulated, all tuned ones", True), ("simulated, all others", False)):
        labels, boxes = zip(*simulated[tuned], strict=True)
        tables.say_all(name, (pooled(labels), pooled(boxes)))
    if camera := with_camera():
        tables.say_all(f"{camera[0].name} (tuned), with YOLOX-nano", camera[1])
    if options.write:
        text = PAGE_TEXT.format(**{name: "\n".join(rows) for name, rows in tables.rows.items()})
        PAGE.write_text(text, encoding="utf-8")
        print(f"wrote {PAGE.relative_to(REPOSITORY)}")


PAGE_TEXT = """# Objects of drives of which nothing is known

    python -m tests.benchmarks.from_nothing --write

writes this page. `crosslabel autolabel LOG` is given nothing but the scans: no boxes, no network, no other
drive. First come the labels that it makes of them, then what its detector, `PlainDetector`, finds in each
frame before tracks are made of that and sizes and places are told from all frames together.

Drives: PandaSet 002 and simulated ones of five seconds with 120,000 firings a sweep. "Tuned": settings were
chosen looking at them, and the detector's table was fitted to them (to seed 101 it was not). All others were
only reported. Objects are asked for that have at least 20 points within 40 m of the car; those without a box
whose score is at least 0.3 are missed, whatever the box is called.

## What is found

- recall: with a box on it (overlap from above at least 0.3, or middles within 0.4 m).
- IoU .5: with a box whose volume overlaps that much.
- precision: boxes with a score of at least 0.3 that are the best one on some true object, however few
  points that has.
- no edit: centre within 0.2 m, each size within 10 % or 0.2 m, heading within 10 degrees, the right kind;
  "but flip": the same where only the front and the back may be mixed up.

{labels}

## What is left to edit

Of the objects found: how many need no edit of their centre, each size, their heading, of what is front and
what is back, of the kind.

{edits}

## What a score means

Of all boxes with a score between two values: the share on a true object of that kind, and how many there are.
The score says whether there is such an object; whether its box needs an edit says
[its confidence](confidence.md).

{label_scores}

## What the detector finds, frame by frame

{boxes}

And what its scores mean:

{box_scores}

## What it costs

CPU of one thread, kernels compiled, on a machine that others kept busy. Two passes over a part of the scans
tell what stands from what moves; a third one looks at what moves in each. Reading and cutting the ground off
comes on top. In longer drives a smaller part is looked at: 18 ms a sweep in one of 20 s.

{cost}

## What is weak

- Buses and lorries seen from one end in a single sweep: their length is a guess, and which of both it is.
- Cars of which a few windows or one corner are seen over others; they have few points and no shape.
- What stands all through a drive is a person only by its shape: real streets have posts, meters and signs
  that look alike. `PandaSet 002` has ten sightings of people that count, too few to say more.
- The front of a parked car is told from its bonnet, else from the side of the road that it stands on.
- The camera's rows come from a small network, which calls a short lorry a car; simulated images are too plain
  for it.
- Scores between 0.4 and 0.7 belong to few things, each seen in many frames: some rows are far off the score.
"""

if __name__ == "__main__":
    main()
