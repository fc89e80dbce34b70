"""Rectangles that a 2D detector finds in the images of a log, for `crosslabel check`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autolabel.detect.yolox import ImageDetector
    from fusion.checks.evidence import Evidence
    from fusion.log import DriveLog
    from fusion.progress import Progress


def evidence_of(log: DriveLog, network: ImageDetector, every: int, progress: Progress) -> list[Evidence]:
    """What a network sees in every n-th image of each camera, one image in memory at a time."""
    from fusion.checks.evidence import Evidence

    images = [
        image
        for refs in log.images.values()
        for image in refs[::every]
        if log.trajectory.covers(image.timestamp_ns)
    ]
    told = []
    for number, image in enumerate(images):
        progress("images", number, len(images))
        found = network.find(image.read())
        told.append(
            Evidence(image.camera, image.timestamp_ns, found.boxes_px, found.categories, found.scores)
        )
    progress("images", len(images), len(images))
    return told


def restamped(evidence: Sequence[Evidence], log: DriveLog, other: DriveLog) -> list[Evidence]:
    """The same evidence with the times that the same images have in another copy of the log."""
    from dataclasses import replace

    times_ns = {
        (camera, image.timestamp_ns): again.timestamp_ns
        for camera, images in log.images.items()
        for image, again in zip(images, other.images.get(camera, ()), strict=False)
    }
    return [
        replace(one, timestamp_ns=times_ns.get((one.camera, one.timestamp_ns), one.timestamp_ns))
        for one in evidence
    ]
