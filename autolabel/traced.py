"""One object as it was traced through a log: what every stage after tracing looks at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from autolabel.detections import Detections
from fusion.edits import Edit, PutAnnotations, PutTrack, RemoveAnnotations, SetTrack
from fusion.labels import Annotation, Attributes, Source, Track


@dataclass(frozen=True, eq=False, slots=True)
class Traced:
    """One object at all frames in which it is held to be.

    Attributes:
        track: what was known before: id, category, given annotations; none of these where it is new.
        made: the annotations that were made, in order of time.
        detections: those that are held for it; None where it was followed by its points alone.
        notes: what was decided, in words.
        attributes: of the track from now on; None where they stay.
    """

    track: Track
    made: tuple[Annotation, ...]
    detections: Detections | None
    notes: tuple[str, ...]
    attributes: Attributes | None = None

    def edits(self) -> Iterator[Edit]:
        """Edits that put it into the labels it came from; what an earlier run made is replaced."""
        attributes = self.track.attributes if self.attributes is None else self.attributes
        if not self.track.annotations:
            made = {annotation.timestamp_ns: annotation for annotation in self.made}
            yield PutTrack(replace(self.track, annotations=made, attributes=attributes))
            return
        if attributes != self.track.attributes:
            yield SetTrack(self.track.id, attributes=attributes)
        kept = {annotation.timestamp_ns for annotation in self.made}
        stale = {t for t, a in self.track.annotations.items() if not is_given(a)} - kept
        if stale:
            yield RemoveAnnotations(self.track.id, tuple(sorted(stale)))
        if self.made:
            yield PutAnnotations(self.track.id, self.made)


def is_given(annotation: Annotation) -> bool:
    """Whether an annotation is where tracing starts from, rather than what it replaces."""
    return annotation.locked or annotation.source is not Source.INTERPOLATED
