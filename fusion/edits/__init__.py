"""The closed list of edits: each turns one label set into the next, whole or not at all.

An edit has a `title` as menus and the history say it, and a pure `apply(labels)` that raises EditError
where it does not fit.
"""

from __future__ import annotations

from dataclasses import dataclass

from fusion.edits.boxes import (
    LockAnnotations,
    PutAnnotations,
    PutImageBoxes,
    PutReview,
    RemoveAnnotations,
    RemoveImageBoxes,
    RemoveReview,
)
from fusion.edits.locks import keep_locked
from fusion.edits.tracks import MergeTracks, PutTrack, RemoveTrack, RenameTrack, SetTrack, SplitTrack
from fusion.labels import LabelSet

__all__ = [
    "Edit",
    "Group",
    "LockAnnotations",
    "MergeTracks",
    "PutAnnotations",
    "PutImageBoxes",
    "PutReview",
    "PutTrack",
    "RemoveAnnotations",
    "RemoveImageBoxes",
    "RemoveReview",
    "RemoveTrack",
    "RenameTrack",
    "SetTrack",
    "SplitTrack",
    "apply_automatic",
]


@dataclass(frozen=True, slots=True)
class Group:
    """Several edits that are one step of the history: all of them or none."""

    edits: tuple[Edit, ...]
    title: str

    def apply(self, labels: LabelSet) -> LabelSet:
        """The labels after all of them in turn; EditError where one does not fit."""
        for edit in self.edits:
            labels = edit.apply(labels)
        return labels


Edit = (
    PutTrack
    | RemoveTrack
    | SetTrack
    | RenameTrack
    | MergeTracks
    | SplitTrack
    | PutAnnotations
    | RemoveAnnotations
    | LockAnnotations
    | PutImageBoxes
    | RemoveImageBoxes
    | PutReview
    | RemoveReview
    | Group
)


def apply_automatic(labels: LabelSet, edit: Edit) -> LabelSet:
    """The labels after an edit by a machine, which leaves what a person has locked as it is.

    A locked annotation stays in its track at its instant with its value, and a track that holds one
    keeps its id, category and attributes, whatever the edit does.
    """
    return keep_locked(labels, edit.apply(labels))
