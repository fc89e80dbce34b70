"""Objects that the scans show, whatever anybody has labelled: what labels are checked against."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from autolabel.config import Config
from autolabel.pipeline import Given, found_in
from autolabel.scans import Scans
from autolabel.track.score import chance
from autolabel.track.tracks import Chain, all_chains
from autolabel.world import LocalWorld, Sightings
from fusion.boxes import Boxes
from fusion.checks.facts import Watcher
from fusion.labels import Annotation, LabelSet, Source, Track
from fusion.log import DriveLog
from fusion.overlap import count_points_in_boxes
from fusion.progress import Progress

# What is hardly worth a track of its own still speaks for a label that somebody put there.
LEAST = 0.02


def candidates_of(
    log: DriveLog,
    given: Given | None = None,
    config: Config | None = None,
    progress: Progress | None = None,
    watcher: Watcher | None = None,
) -> LabelSet:
    """One track an object, in the frames in which it was detected.

    The score of a box is the chance that the track is an object; its attribute `points` says how many
    points of the frame's sweep, off the ground, lie in it. Labels are not looked at, so that the same log
    gives the same candidates.

    Args:
        log: with sweeps.
        given: detections or a detector in place of the built-in one; key frames are not used.
        config: settings.
        progress: told of scans that are searched.
        watcher: shown what is read on the way, such as `fusion.checks.facts.Looks.see`.

    Raises:
        CrosslabelError: there are no sweeps, and no detections were given.
    """
    given, config = given or Given(), config or Config()
    scans = Scans(LocalWorld.of(log), watcher)
    found = found_in(scans, given, config, progress)
    settings = (config.track.by_chance() if given.chances else config.track).down_to(LEAST)
    chains = all_chains(found, scans.frames_ns, scans.world, settings)
    chains.sort(key=lambda chain: int(chain.seen.times_ns[0]))
    tracks = [_track(str(number), chain, scans.world) for number, chain in enumerate(chains, start=1)]
    return LabelSet.of(_with_points(tracks, chains, scans))


def _track(id: str, chain: Chain, world: LocalWorld) -> Track:
    seen, score = chain.seen, float(chance(np.array(chain.odds)))
    boxes = Sightings(seen.times_ns, seen.boxes.dst_from_box, seen.boxes.sizes_lwh_m).boxes(world)
    made = [Annotation(int(t), box, Source.AUTO, score) for t, box in zip(seen.times_ns, boxes, strict=True)]
    names = sorted(chain.seen.categories)
    return Track.of(id, max(names, key=names.count), made)


def _with_points(tracks: list[Track], chains: list[Chain], scans: Scans) -> list[Track]:
    """The tracks, each box of which says how many points lie in it."""
    times_ns = np.concatenate([chain.seen.times_ns for chain in chains] or [np.zeros(0, np.int64)])
    boxes = Boxes.concatenate(chain.seen.boxes for chain in chains)
    counts = np.zeros(len(times_ns), dtype=np.int64)
    for frame, frame_ns in enumerate(scans.frames_ns):
        here = np.flatnonzero(times_ns == frame_ns)
        scan = scans.at(frame) if len(here) else None
        if scan is not None:
            counts[here] = count_points_in_boxes(scan.points, boxes.take(here))
    parts = np.split(counts, np.cumsum([len(chain.seen.times_ns) for chain in chains])[:-1])
    return [
        track.with_annotations(
            replace(a, attributes={"points": int(points)})
            for a, points in zip(track.annotations.values(), some, strict=True)
        )
        for track, some in zip(tracks, parts, strict=False)
    ]
