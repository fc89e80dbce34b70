"""Writing merged labels as a file with a history of who brought what."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from fusion.agreement.conflict import Prefer
from fusion.agreement.merge import Merged
from fusion.agreement.record import AUTHOR, Given, recorded
from fusion.agreement.threeway import key_under
from fusion.edits import Edit, Group, PutReview, PutTrack, RemoveReview, RemoveTrack
from fusion.errors import StoreError
from fusion.labels import LabelSet
from fusion.store import LabelStore, is_ours
from fusion.store.changes import Change, apply_changes, changes_between
from fusion.store.database import plain_errors


def write_merged(
    path: Path,
    log_name: str,
    merged: Merged,
    a: Given,
    b: Given,
    base: Given | None = None,
    *,
    prefer: Prefer = Prefer.A,
    force: bool = False,
) -> LabelSet:
    """Makes a file of labels beside and renames it; gives what it says.

    Its history begins with the ancestor, or with nothing. Then come what the first set brought, what the
    second brought, and the comments on conflicts: one edit for each author who had the last word on the
    things in it, as the histories of the sets tell, else by the author of the file.

    Args:
        path: the new file.
        log_name: the log.
        merged: of the sets.
        a: the first set.
        b: the second.
        base: the ancestor.
        prefer: how conflicts were decided.
        force: whether a file of labels that stands there is replaced.

    Raises:
        StoreError: there is a file already, it is none of labels or open elsewhere, or nothing can be
            written.
        EditError: the labels hold what cannot be kept.
    """
    if path.exists():
        _require_replaceable(path, force)
    labels = recorded(merged, a, b, base, prefer)
    start = replace(LabelSet() if base is None else base.labels, attributes=labels.attributes)
    old_ids = {new: old for old, new in (*merged.joined.items(), *merged.renamed.items())}
    with _beside(path) as beside, LabelStore.create(beside, log_name, start, a.author) as store:
        _bring(store, a.labels, f"Labels of {a.name}", a, {})
        _bring(store, merged.labels, f"Merge {b.name}", b, old_ids)
        _apply(store, labels, f"Comment on {len(merged.conflicts)} conflicts", AUTHOR)
        runs = [one.model_run for one in (a, b) if one.model_run is not None]
        for number, model_run in enumerate(runs):
            if model_run not in runs[:number]:
                store.record_model_run(model_run)
    return labels


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A path for a file that takes the place of another once it is whole, or is gone."""
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        with plain_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield beside
            beside.replace(path)
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


def _require_replaceable(path: Path, force: bool) -> None:
    """A file of labels that nobody has open, and a wish to have it replaced."""
    if not force:
        raise StoreError(f"{path}: there already; --force replaces it")
    if not is_ours(path):
        raise StoreError(f"{path}: not a file of labels, left as it is")
    LabelStore.open(path).close()


def _bring(store: LabelStore, labels: LabelSet, title: str, given: Given, old_ids: Mapping[str, str]) -> None:
    """Makes the store say what labels say, in the names of those who had the last word."""
    labels = replace(labels, attributes=store.labels.attributes)
    by_author: defaultdict[str, list[Change]] = defaultdict(list)
    usual = given.author or given.name
    for change in changes_between(store.labels, labels):
        table = change.table.name
        entry = given.history.get((table, key_under(old_ids, table, change.key)))
        by_author[usual if entry is None else entry.author].append(change)
    for author, changes in by_author.items():
        _apply(store, apply_changes(store.labels, changes), title, author)
    # A box whose track comes from another author has to wait for the track.
    _apply(store, labels, title, usual)


def _apply(store: LabelStore, labels: LabelSet, title: str, author: str) -> None:
    edits = tuple(edits_between(store.labels, labels))
    if edits:
        store.apply(Group(edits, title), author)


def edits_between(before: LabelSet, after: LabelSet) -> list[Edit]:
    """Edits that lead from one label set to another; what is said of the whole set stays."""
    edits: list[Edit] = [RemoveTrack(id) for id in before.tracks if id not in after.tracks]
    edits += [PutTrack(track) for id, track in after.tracks.items() if before.tracks.get(id) is not track]
    edits += [RemoveReview(id) for id in before.reviews if id not in after.reviews]
    edits += [PutReview(one) for id, one in after.reviews.items() if before.reviews.get(id) != one]
    return edits
