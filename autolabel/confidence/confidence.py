"""How sure each label is, and which want a look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from autolabel.confidence.columns import Columns
from autolabel.confidence.config import ConfidenceConfig
from autolabel.confidence.evidence import Evidence
from autolabel.confidence.looks import Looks
from autolabel.confidence.model import Model, sources_of
from autolabel.scans import Scans
from autolabel.traced import Traced
from fusion.labels import CONFIDENCE, LOOK, Annotation

MOSTLY = 0.5


def with_confidence(
    traced: Sequence[Traced], scans: Scans, config: ConfidenceConfig | None = None
) -> list[Traced]:
    """The same objects, each box that was made with the chance that it needs no edit.

    That stands in its attribute `confidence`; its score stays what tells objects from nothing. A box less
    sure than `config.least` says in its attribute `look` what speaks most against it. A track says in its
    `confidence` how many of its boxes need no edit, and `look` if most want one. What was given stays.
    """
    config = config or ConfidenceConfig()
    columns = Columns.of(traced, scans.world)
    looks = Looks.of(columns, scans)
    evidence = Evidence.of(traced, columns, looks, scans.world)
    owners = columns.owners
    sources = sources_of(traced, columns, looks)
    judged = Model.built_in().judge(evidence, owners, sources)
    chances, done = judged.chances, []
    for k, one in enumerate(traced):
        own = columns.of_track(k)
        told = {
            int(t): (float(chance), words)
            for t, chance, words in zip(columns.times_ns[own], chances[own], judged.reasons[own], strict=True)
        }
        done.append(_told(one, told, config))
    return done


def wanting_a_look(traced: Iterable[Traced]) -> tuple[int, int]:
    """How many of the boxes that were made want a look, and how many were made."""
    made = [annotation for one in traced for annotation in one.made]
    return sum(LOOK in annotation.attributes for annotation in made), len(made)


def _told(one: Traced, told: Mapping[int, tuple[float, str]], config: ConfidenceConfig) -> Traced:
    """One object with what is held of its boxes, by their instants."""
    made = tuple(
        _with_confidence(a, *told[a.timestamp_ns], config.least) if a.timestamp_ns in told else a
        for a in one.made
    )
    flagged = Counter(str(a.attributes[LOOK]) for a in made if LOOK in a.attributes)
    attributes = {k: v for k, v in one.track.attributes.items() if k not in (LOOK, CONFIDENCE)}
    if chances := [told[a.timestamp_ns][0] for a in made if a.timestamp_ns in told]:
        attributes[CONFIDENCE] = round(float(np.mean(chances)), 3)
    if flagged.total() > MOSTLY * len(made):
        attributes[LOOK] = min(flagged, key=lambda words: (-flagged[words], words))
    return replace(one, made=made, attributes=attributes)


def _with_confidence(annotation: Annotation, chance: float, words: str, least: float) -> Annotation:
    attributes = {name: value for name, value in annotation.attributes.items() if name != LOOK}
    attributes[CONFIDENCE] = round(chance, 4)
    if chance < least:
        attributes[LOOK] = words
    a = annotation
    return Annotation(a.timestamp_ns, a.box, a.source, a.score, a.locked, attributes)
