"""The page behind `crosslabel autolabel --explain TRACK`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autolabel import Proposal
    from autolabel.explain import Story
    from scripts.report import Report

MOST_ROWS = 400
CROPS, CROP_PX, MARGIN = 3, 360, 0.35


def write_explanation(path: Path, proposal: Proposal, track_id: str) -> None:
    """Writes how the boxes of one track came about.

    Raises:
        CrosslabelError: there is no such track.
    """
    from autolabel.explain import story_of
    from scripts.report import write_report

    write_report(path, page(proposal, story_of(proposal, track_id)))


def page(proposal: Proposal, story: Story) -> Report:
    """What was decided, the way, the points, the images, and every box."""
    from autolabel.explain.pictures import own_points, way_from_above
    from scripts.report import Paragraph, Picture, Report, Section, Verdict

    track = story.traced.track
    length_m, width_m, height_m = story.sightings.sizes_lwh_m[-1]
    seen = int((story.support > 0).sum())
    summary = Verdict(
        "good" if seen > len(story.annotations) / 2 else "warning",
        f"{track.category} {track.id}: {len(story.annotations)} boxes, {seen} of them with points, "
        f"{length_m:.2f} x {width_m:.2f} x {height_m:.2f} m; {_looks(story)}.",
    )
    decided: list[Any] = [Paragraph(f"{note[0].upper()}{note[1:]}.") for note in story.traced.notes]
    if proposal.ego is not None:
        decided += [Paragraph(f"The car's poses, {span.words}.") for span in proposal.ego.spans[:3]]
    clouds = [
        Picture(own_points(story, side=False), "All its points in its own frame, from above.", False),
        Picture(own_points(story, side=True), "And from the side.", False),
    ]
    way = Picture(
        way_from_above(story),
        "From above: its best scan grey, detections orange, given boxes green, ours from blue to pink.",
        False,
    )
    sections = [
        Section("What was decided", decided),
        Section("Its way", [way, *_plots(story)]),
        Section("Its points", clouds),
        Section("In the images", _crops(proposal, story)),
        Section("Every box", [_table(story)]),
    ]
    return Report(f"Track {track.id} of {proposal.log.name}", summary, [s for s in sections if s.parts])


def _looks(story: Story) -> str:
    """How many boxes want a look, and why most of them do."""
    from collections import Counter

    reasons = Counter(words for words in story.looks if words)
    if not reasons:
        return "none of them wants a look"
    words, count = reasons.most_common(1)[0]
    return f"{reasons.total()} of them want a look, {count} because: {words}"


def _plots(story: Story) -> list[Any]:
    import numpy as np

    from scripts.report import LinePlot, Series

    seconds = story.times_s
    headings_deg = np.degrees(np.unwrap(story.sightings.local_from_box.yaws_rad))
    scores = np.array([np.nan if a.score is None else a.score for a in story.annotations])
    support = np.where(story.support < 0, np.nan, story.support.astype(np.float64))
    return [
        LinePlot("Speed over the ground.", "seconds", "m/s", [Series("speed", seconds, story.speeds_mps)]),
        LinePlot("Heading.", "seconds", "degrees", [Series("heading", seconds, headings_deg)]),
        LinePlot("Points in the box.", "seconds", "points", [Series("points", seconds, support)]),
        LinePlot(
            "Chance that there is such an object (score), and that its box needs no edit (confidence).",
            "seconds",
            "",
            [Series("score", seconds, scores), Series("confidence", seconds, story.confidences)],
        ),
    ]


def _crops(proposal: Proposal, story: Story) -> list[Any]:
    """The object in the images that show it largest, at its beginning, in its middle and at its end."""
    from autolabel.pipeline import image_boxes_of
    from scripts.report import Picture

    shown = image_boxes_of(proposal, story.traced.track.id)
    parts: list[Any] = []
    images = {(ref.camera, ref.timestamp_ns): ref for refs in proposal.log.images.values() for ref in refs}
    ordered = sorted((key for key in shown if key in images), key=lambda key: (key[1], key[0]))
    for third in range(CROPS):
        keys = ordered[third * len(ordered) // CROPS : (third + 1) * len(ordered) // CROPS]
        if not keys:
            continue
        best = max(keys, key=lambda key: (_visible_area(shown[key]), key))
        crop = _crop(images[best].read(), shown[best])
        parts.append(
            Picture(crop, f"{best[0]}, {(best[1] - int(proposal.log.timestamps_ns[0])) / 1e9:.2f} s.")
        )
    return parts


def _visible_area(box: Any) -> float:
    visible = float(box.attributes.get("visibility", 1.0))
    return visible * float((box.right_px - box.left_px) * (box.bottom_px - box.top_px))


def _crop(rgb: Any, box: Any) -> Any:
    import cv2
    import numpy as np

    picture = np.ascontiguousarray(rgb)
    corner, other = (round(box.left_px), round(box.top_px)), (round(box.right_px), round(box.bottom_px))
    cv2.rectangle(picture, corner, other, (255, 200, 0), max(1, picture.shape[1] // 900))
    side = max(other[0] - corner[0], other[1] - corner[1], 40)
    around = round(side * MARGIN)
    top, left = max(corner[1] - around, 0), max(corner[0] - around, 0)
    cut = picture[top : other[1] + around + 1, left : other[0] + around + 1]
    scale = CROP_PX / max(cut.shape[:2])
    size = (max(1, round(cut.shape[1] * scale)), max(1, round(cut.shape[0] * scale)))
    return np.asarray(cv2.resize(cut, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC))


def _or_nothing(value: float) -> float | str:
    return round(float(value), 3) if value == value else ""


def _table(story: Story) -> Any:
    from scripts.report import Table

    rows = []
    for row, annotation in enumerate(story.annotations[:MOST_ROWS]):
        given = annotation.timestamp_ns in story.traced.track.annotations
        center = annotation.box.center
        rows.append(
            (
                round(float(story.times_s[row]), 2),
                "given" if given else str(annotation.source),
                "" if annotation.score is None else round(annotation.score, 3),
                _or_nothing(story.confidences[row]),
                story.looks[row],
                int(story.support[row]) if story.support[row] >= 0 else "no scan",
                round(float((center[0] ** 2 + center[1] ** 2) ** 0.5), 1),
                round(float(story.speeds_mps[row]), 2),
            )
        )
    more = len(story.annotations) - len(rows)
    caption = f"{more} more are left out." if more > 0 else ""
    return Table(
        ("second", "made by", "score", "confidence", "wants a look", "points", "distance m", "speed m/s"),
        rows,
        caption,
    )
