"""What a person has confirmed stays, whatever a machine does."""

from dataclasses import replace

from fusion.labels import Annotation, LabelSet, Track


def keep_locked(before: LabelSet, after: LabelSet) -> LabelSet:
    """The labels after a change, with every locked annotation from before it back in its place.

    A locked annotation keeps its track, its instant and its value; a track that holds one keeps its id,
    category and attributes. What was moved to another track is taken out there, so nothing is doubled.
    """
    changed = (track for id, track in before.tracks.items() if after.tracks.get(id) is not track)
    locked = {track.id: [a for a in track.annotations.values() if a.locked] for track in changed}
    locked = {track_id: kept for track_id, kept in locked.items() if kept}
    if not locked:
        return after
    returning = {id(annotation) for kept in locked.values() for annotation in kept}
    tracks = {}
    for track_id, track in after.tracks.items():
        stripped = track if before.tracks.get(track_id) is track else _without(track, returning)
        if stripped is track or stripped.annotations or stripped.image_boxes:
            tracks[track_id] = stripped
    for track_id, kept in locked.items():
        tracks[track_id] = _with_locked(before.tracks[track_id], tracks.get(track_id), kept)
    return replace(after, tracks=tracks)


def _without(track: Track, returning: set[int]) -> Track:
    gone = [t for t, annotation in track.annotations.items() if id(annotation) in returning]
    return track.without(gone) if gone else track


def _with_locked(before: Track, after: Track | None, locked: list[Annotation]) -> Track:
    if after is None:
        return replace(before, annotations={a.timestamp_ns: a for a in locked}, image_boxes={})
    same_object = replace(after, category=before.category, attributes=before.attributes)
    return same_object.with_annotations(locked)
