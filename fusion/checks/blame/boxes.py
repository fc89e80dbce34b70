"""Single boxes and whole tracks that stand beside their objects, apart from what cameras and shapes do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from calib.types import F64, I64
from fusion.beam import seen_ns
from fusion.checks.blame import words
from fusion.checks.blame.matched import Matched
from fusion.checks.blame.model import Explained
from fusion.checks.evidence import Evidence
from fusion.course import LONGEST_GAP_NS, Course
from fusion.labels import LabelSet, Track
from fusion.log import DriveLog

# How far off single boxes may be; shifts below the least are not worth naming.
BOX_M, LEAST_M = 0.5, 0.15
# By how much a shift must better the squared residuals of a box, and what may be left of them an edge.
GAIN, LEFT, LEFT_SHARE = 16.0, 3.0, 0.1
# Which share of its shift the boxes before and after must ask for too, or show themselves.
WISHED = 0.3
TRACK_SIGMAS = 4.0


@dataclass(frozen=True, eq=False, slots=True)
class BoxBlame:
    """A box, or all boxes of a track, that stand beside their object in the images.

    Along the line of sight a shift hardly shows: it is then taken to be none.

    Attributes:
        track_id: whose box.
        timestamps_ns: its frame; all frames of the track where the whole track is off.
        whole: whether the whole track is off.
        shift_m: (3,) how the box should move, forward, left and up in its own axes.
        sigma_m: (3,) standard deviation of that.
        shift_px: how far that is in the image where it shows most.
        cameras: names of the cameras that show it.
        sigmas: by how many standard deviations it stands out.
        words: one sentence.
    """

    track_id: str
    timestamps_ns: tuple[int, ...]
    whole: bool
    shift_m: F64
    sigma_m: F64
    shift_px: float
    cameras: tuple[str, ...]
    sigmas: float
    words: str


def boxes_off(
    log: DriveLog, labels: LabelSet, evidence: Sequence[Evidence], pairs: Matched, explained: Explained
) -> tuple[BoxBlame, ...]:
    """What the fit cannot explain by cameras and shapes: whole tracks first, then single boxes, worst first.

    A single box counts only where the boxes before and after it do not say that it is in its place: else it
    is the rectangle in the image that is wrong.
    """
    tracks, names = list(labels.tracks.values()), tuple(log.rig.cameras)
    found = [*_tracks_off(tracks, pairs, explained)]
    frames = frames_shown(log, tracks, evidence, pairs)
    single = [*_single(tracks, pairs, explained, frames)]
    for off in sorted(single, key=lambda off: -off.sigmas):
        beside = [other for other in single if other.track == off.track and other is not off]
        if _supported(log, tracks[off.track], off, beside):
            found.append(off)
    return tuple(_blamed(off, tracks, names, pairs) for off in found)


@dataclass(frozen=True, eq=False, slots=True)
class _Off:
    """A shift of some boxes: `rows` and `edges` of the pairs that tell it; whether several edges do."""

    track: int
    timestamps_ns: tuple[int, ...]
    whole: bool
    shift_m: F64
    sigma_m: F64
    sigmas: float
    rows: I64
    edges: I64
    several: bool = True


def frames_shown(log: DriveLog, tracks: Sequence[Track], evidence: Sequence[Evidence], pairs: Matched) -> I64:
    """(N,) the frame whose annotation each pair shows: the one whose points were measured next to it."""
    images_ns = np.array([told.timestamp_ns for told in evidence], dtype=np.int64)
    shown_ns, frames = images_ns[pairs.views.images], np.zeros(len(pairs), dtype=np.int64)
    for number in np.unique(pairs.views.tracks).tolist():
        mine = pairs.views.tracks == number
        away_ns = np.abs(shown_ns[mine][:, None] - seen_ns(log, tracks[number]))
        own_ns = np.array([*tracks[number].annotations], dtype=np.int64)
        frames[mine] = own_ns[np.argmin(away_ns, axis=1)]
    return frames


def _single(tracks: Sequence[Track], pairs: Matched, explained: Explained, frames: I64) -> Iterator[_Off]:
    rows, edges, fit = explained.rows, explained.edges, explained.fit
    sigmas_px = pairs.sigmas_px[rows, edges] * fit.scale
    by_shift = pairs.views.derivatives.shift[rows, edges] / sigmas_px[:, None]
    order = np.lexsort((frames[rows], pairs.views.tracks[rows]))
    keys = np.column_stack([pairs.views.tracks[rows], frames[rows]])[order]
    starts = np.flatnonzero((np.diff(keys, axis=0, prepend=-1) != 0).any(axis=1))
    for here in np.split(order, starts[1:]) if len(order) else ():
        slopes, rest = by_shift[here], fit.rest[here]
        if float(rest @ rest) < GAIN:
            continue
        stiff = slopes.T @ slopes + np.eye(3) / BOX_M**2
        shift_m = np.asarray(np.linalg.solve(stiff, slopes.T @ rest), dtype=np.float64)
        left = float(np.sum((rest - slopes @ shift_m) ** 2))
        gain = float(rest @ rest) - left - float(shift_m @ shift_m) / BOX_M**2
        fits = left <= max(LEFT * len(here), LEFT_SHARE * gain)
        if gain >= GAIN and fits and np.linalg.norm(shift_m) >= LEAST_M:
            track, frame_ns = int(pairs.views.tracks[rows[here[0]]]), int(frames[rows[here[0]]])
            sigma_m = np.asarray(np.sqrt(np.diag(np.linalg.inv(stiff))), dtype=np.float64)
            sigmas = float(np.sqrt(gain))
            several = float(rest @ rest) - float(np.max(rest**2)) >= GAIN
            told = (shift_m, sigma_m, sigmas, rows[here], edges[here], several)
            yield _Off(track, (frame_ns,), False, *told)


def _supported(log: DriveLog, track: Track, off: _Off, beside: Sequence[_Off]) -> bool:
    """Whether the boxes before and after ask for the same shift, or are off alike.

    Where nothing is known of them, or they are off alike, several edges must tell it: one alone may be hidden
    by something that has no box.
    """
    frames_ns = [*track.annotations]
    place = frames_ns.index(off.timestamps_ns[0])
    least = WISHED * float(off.shift_m @ off.shift_m)
    near = {*frames_ns[max(place - 1, 0) : place], *frames_ns[place + 1 : place + 2]}
    alike = any(o.timestamps_ns[0] in near and o.shift_m @ off.shift_m > least for o in beside)
    if alike and off.several:
        return True
    if len(near) < 2:
        return off.several
    course = Course.of(log, track.without(t for t in frames_ns if t not in {*near, off.timestamps_ns[0]}))
    if len(course.times_ns) < 3 or course.times_ns[2] - course.times_ns[0] > LONGEST_GAP_NS:
        return off.several
    before, own, after = course.world_from_box.translations
    share = (course.times_ns[1] - course.times_ns[0]) / (course.times_ns[2] - course.times_ns[0])
    world_from_box = course.world_from_box[1]
    wish_m = world_from_box.rotation.T @ (before + share * (after - before) - own)
    return bool(wish_m @ off.shift_m >= least)


def _tracks_off(tracks: Sequence[Track], pairs: Matched, explained: Explained) -> Iterator[_Off]:
    fit, owners = explained.fit, pairs.views.tracks[explained.rows]
    shifts_m, sigmas_m = fit.effects[:, :3], fit.known[:, :3]
    sure = np.abs(shifts_m) / np.hypot(sigmas_m, fit.spread[:3])
    far = (sure > TRACK_SIGMAS) & (np.abs(shifts_m) > LEAST_M)
    for group in np.flatnonzero(far.any(axis=1)).tolist():
        number, here = int(fit.groups[group]), owners == fit.groups[group]
        told = (shifts_m[group], sigmas_m[group], float(sure[group].max()))
        frames_ns = tuple(tracks[number].annotations)
        yield _Off(number, frames_ns, True, *told, explained.rows[here], explained.edges[here])


def _blamed(off: _Off, tracks: Sequence[Track], names: Sequence[str], pairs: Matched) -> BoxBlame:
    cameras = tuple(names[number] for number in np.unique(pairs.views.cameras[off.rows]).tolist())
    moved_px = pairs.views.derivatives.shift[off.rows, off.edges] @ off.shift_m
    shift_px, count = float(np.abs(moved_px).max()), len(off.timestamps_ns)
    said = words.of_box(off.shift_m, shift_px, count if off.whole else 1, len(cameras))
    found = (off.shift_m, off.sigma_m, shift_px, cameras, off.sigmas, said)
    return BoxBlame(tracks[off.track].id, off.timestamps_ns, off.whole, *found)
