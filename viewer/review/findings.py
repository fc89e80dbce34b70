"""What can be said against labels by now: boxes that automation is unsure of, answers that are missing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

from autolabel.confidence import CONFIDENCE, LOOK, ConfidenceConfig
from fusion.checks import Finding, Severity
from fusion.edits import Edit, Group, PutAnnotations
from fusion.labels import Annotation, LabelSet, Source, Track
from viewer.schema import Attribute, Schema

GO_THERE_S, A_BOX_S, AN_ANSWER_S, A_KEY_S = 3.0, 1.5, 2.0, 1.0
MOST_REASONS = 3
MADE = (Source.AUTO, Source.INTERPOLATED)


@dataclass(eq=False)
class Findings:
    """What rules say against labels; tracks that have not changed are not looked at again.

    Attributes:
        schema: what has to be said of objects.
    """

    schema: Schema
    _known: dict[str, tuple[Track, tuple[Finding, ...]]] = field(default_factory=dict, repr=False)

    def of(self, labels: LabelSet) -> list[Finding]:
        """All of them, what is repaired soonest first."""
        known: dict[str, tuple[Track, tuple[Finding, ...]]] = {}
        for id, track in labels.tracks.items():
            before = self._known.get(id)
            known[id] = before if before is not None and before[0] is track else (track, self._about(track))
        self._known = known
        found = [finding for _, some in known.values() for finding in some]
        return sorted(found, key=lambda one: (one.repair_s, one.track_id or "", one.rule))

    def _about(self, track: Track) -> tuple[Finding, ...]:
        asked = self.schema.category(track.category).attributes
        return (*_looks(track), *(one for attribute in asked for one in _unanswered(track, attribute)))


def _looks(track: Track) -> list[Finding]:
    """Boxes that automation made, and that want a look, together."""
    wanting = [
        a for a in track.annotations.values() if a.source in MADE and not a.locked and LOOK in a.attributes
    ]
    if not wanting:
        return []
    reasons = Counter(str(a.attributes[LOOK]) for a in wanting)
    told = ", ".join(f"{why} ({count})" for why, count in reasons.most_common(MOST_REASONS))
    chances = [c for a in wanting if isinstance(c := a.attributes.get(CONFIDENCE), float)]
    return [
        Finding(
            rule="look",
            severity=Severity.WARNING,
            words=told,
            repair_s=GO_THERE_S + A_BOX_S * len(wanting),
            track_id=track.id,
            timestamps_ns=_times(wanting),
            value=min(chances, default=None),
            limit=ConfidenceConfig().least,
        )
    ]


def _unanswered(track: Track, attribute: Attribute) -> list[Finding]:
    """A required attribute that is not said."""
    if not attribute.required:
        return []
    without: list[Annotation] = []
    fix: Edit | None = None
    if attribute.of == "track":
        if track.attributes.get(attribute.name) not in (None, ""):
            return []
        words = f"{attribute.name} is not said"
    else:
        without = [a for a in track.annotations.values() if a.attributes.get(attribute.name) in (None, "")]
        if not without:
            return []
        words = f"{attribute.name} is not said of {_count(without)}"
        fix = _as_the_others(track, attribute.name, without)
    return [
        Finding(
            rule=f"attribute-{attribute.name}",
            severity=Severity.MANDATORY,
            words=words,
            repair_s=A_KEY_S if fix is not None else GO_THERE_S + AN_ANSWER_S,
            track_id=track.id,
            timestamps_ns=_times(without),
            fix=fix,
        )
    ]


def _as_the_others(track: Track, name: str, without: list[Annotation]) -> Edit | None:
    """Says of some boxes what is said of all others of the track, where those agree."""
    said = {str(value): value for a in track.annotations.values() if (value := a.attributes.get(name))}
    if len(said) != 1:
        return None
    (value,) = said.values()
    put = tuple(replace(a, attributes={**a.attributes, name: value}) for a in without)
    return Group((PutAnnotations(track.id, put),), f"{name}: {value}, as in the other boxes")


def _times(annotations: list[Annotation]) -> tuple[int, ...]:
    return tuple(a.timestamp_ns for a in annotations)


def _count(annotations: list[Annotation]) -> str:
    return "1 box" if len(annotations) == 1 else f"{len(annotations)} boxes"
