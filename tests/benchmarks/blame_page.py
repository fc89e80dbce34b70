"""The page docs/blame.md."""

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.benchmarks.blame import Tally

ANSWERS = ("right", "none", "undecided", "wrong")
PAGE = """# Box, calibration or clock?

    python -m tests.benchmarks.blame --cache FOLDER

writes this page. Where rectangles in the images do not agree with 3D boxes, `fusion/checks/blame` says whose
fault it is: one sentence for each camera, and the boxes and tracks that stand beside their objects.

## How

Evidence is rectangles that do not come from the 3D boxes: 2D labels, or what a network finds
(`fusion/checks/evidence.py`). Each is paired with a box by its track's id, or, where it has none, by overlap
(Hungarian method). Only edges that are neither cut off nor hidden count, and the outline of a thing is
not that of its box: tyres, bumpers and roofs are, and each kind may fill its boxes more or less.

One robust regression then explains all edges of all cameras at once (`model.py`, `regress.py`): each
camera may be turned about three axes, its timestamps may be off, its place by half a centimetre; each track
may be shifted and have a shape of its own, with spreads that the data tell. How well a camera's numbers are
known is told by leaving out one track after the other. A clock is told from a turn by what moves past at
different speeds and distances, a camera from a box by all the other boxes, and by the other cameras that see
the same box.

A camera is named from {least_deg:g} degrees or {least_ms:g} ms on, if seven objects or more speak, if it
stands out by more than chance would allow in one of a thousand numbers, and if the other cause does not
explain it as well; else it says that it cannot tell them apart. "None" says how large an error would have
shown. A single box is named if a shift explains what its edges show, and if the boxes before and after it
ask for the same shift, or are off alike: else it is the rectangle that is wrong.

## How often that is right

Simulated drives: seeds {seeds}, 20 s at 10 Hz, six cameras of 960x540
pixels; rectangles around what is truly visible of each thing, every edge then off by 2 px and 2 % of the
size, a tenth missing, 3 % plainly wrong, no ids; the 3D boxes are exact. KITTI tracking: sequences
{sequences}, the 2D labels without their ids. PandaSet 002: 2.2 s at 2.3 m/s, what YOLOX-nano finds.
Errors are put into two cameras of each simulated drive and into every camera of the real ones; ten
boxes of different tracks that an image shows are moved along the ground at once, each counted as a case.
"Other blamed" counts cameras without an error that were named beside.

Limits were set on simulated seeds 0 to 5 and KITTI sequences 0000, 0002, 0004 and 0020. PandaSet is no unseen
test: that seven objects must speak, and how rare a chance must be, was tightened when a camera of it with
five objects was named wrongly; two simulated drives and the KITTI sequences had been looked at by then.

{rows}

{totals}

Boxes that nobody moved and that are named all the same, needlessly or because the labels are wrong (a whole
track counts all its boxes): {needless}.

## What to know

- KITTI's rectangles of vehicles are the projections of its boxes (they fill the corners of these to 100 %),
  so they tell cameras and clocks well, and wrong boxes only if these were moved since.
- PandaSet 002 is too short and too slow to judge its cameras: most have fewer than ten objects. All say so,
  undisturbed:

{words}

- A shift along the line of sight hardly shows in an image, and is not found.
- A turn and a clock that is off look alike where all things pass alike; then it says that it cannot tell.
- Single boxes are missed where their moved rectangle meets that of a neighbour, and where little is seen of
  them: without ids in the evidence not every box half a metre off is found.
- Cameras that are all off by the same time point to the LiDAR's clock or the poses, and the sentence says so.
- The place of a camera is taken as known to half a centimetre: one that sits elsewhere may pass for a turned
  one.
- The regression takes about a second for 20 s, six cameras and a hundred tracks, projecting the boxes a few.
"""


def rows(sets: Mapping[str, "Tally"]) -> list[str]:
    found = ["| what is wrong | " + " | ".join(sets) + " |", "|---" * (len(sets) + 1) + "|"]
    for kind in dict.fromkeys(kind for tally in sets.values() for kind in tally.said):
        cells = [cell(tally.said[kind], tally.beside[kind]) for tally in sets.values()]
        found.append(f"| {kind} | " + " | ".join(cells) + " |")
    return found


def cell(said: Counter[str], beside: int) -> str:
    if not said:
        return ""
    parts = [f"{said['right']} of {said.total()} right"]
    parts += [f"{said[answer]} {answer}" for answer in ANSWERS[1:] if said[answer]]
    return ", ".join(parts + ([f"{beside} other blamed"] if beside else []))


def total(tally: "Tally", beginning: str) -> str:
    """Share of right answers among all kinds of errors that begin so."""
    said = sum(
        (answers for kind, answers in tally.said.items() if kind.startswith(beginning)), Counter[str]()
    )
    return f"{said['right'] / max(said.total(), 1):.0%} of {said.total()}"


def text(sets: Mapping[str, "Tally"], seeds: str, sequences: str, least_deg: float, least_ms: float) -> str:
    kinds = ("turned 0.3 deg", "turned 0.5 deg", "clock off by 20 ms", "clock off by 40 ms")
    boxes = ("one box 0.5 m off, across", "one box 1 m off, across")
    totals = [
        f"- {name}: " + "; ".join(f"{kind} {total(tally, kind)}" for kind in (*kinds, *boxes))
        for name, tally in sets.items()
    ]
    needless = "; ".join(
        f"{name} {tally.needless['boxes named']} of {tally.needless['boxes']}" for name, tally in sets.items()
    )
    return PAGE.format(
        rows="\n".join(rows(sets)),
        totals="Right of all, by kind of error:\n\n" + "\n".join(totals),
        needless=needless,
        words="\n".join(f"      {one}" for one in sets["PandaSet"].words),
        seeds=seeds,
        sequences=sequences,
        least_deg=least_deg,
        least_ms=least_ms,
    )
