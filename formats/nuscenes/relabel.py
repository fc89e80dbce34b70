"""Labels alone, into a data set of nuScenes that is there: sensors and other scenes stay as they are."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from formats.errors import FormatError
from formats.files import replaced_folder
from formats.nuscenes.images import copy_file
from formats.nuscenes.index import Index, index_of
from formats.nuscenes.plan import Plan, plan_of
from formats.nuscenes.read import instants_of_samples, open_log, scene_of
from formats.nuscenes.tables import Row, TableWriter, read_texts
from formats.nuscenes.tokens import EXTRA, microseconds
from formats.nuscenes.vocabulary import WORDS, Vocabulary
from formats.nuscenes.write_labels import LabelWriter
from fusion.align import read_deskewed
from fusion.labels import Annotation, LabelSet
from fusion.log import DriveLog

OF_OBJECTS = ("instance", "sample_annotation")
REWRITTEN = ("scene", *WORDS, *OF_OBJECTS)


def write_labels(path: Path, log: DriveLog, labels: LabelSet) -> None:
    """Writes the labels of one log into the scene of its name, in place of those that are there.

    Raises:
        FormatError: as `labels_into`.
    """
    with labels_into(path, [(log, labels)]):
        pass


@contextmanager
def labels_into(path: Path, pairs: Iterable[tuple[DriveLog, LabelSet]]) -> Iterator[Path]:
    """Writes the labels of logs into the scenes of their names; gives the new tables before they take effect.

    Boxes stand on the points of the data set: of a log, only the name and the labels are used, whose instants
    may differ from those of the scene by less than a microsecond. Boxes between samples have no place. An
    object that was there before keeps its tokens, and a class its number.

    Args:
        path: a data set, or its folder of tables.
        pairs: logs of different names, and their labels.

    Raises:
        FormatError: no such scene, labels at instants that are no frames of it, or it cannot be written.
    """
    index = index_of(path)
    with replaced_folder(index.folder) as part:
        vocabulary = Vocabulary({table: index.small[table].values() for table in WORDS})
        extras: dict[str, dict[str, Any]] = {}
        with TableWriter(part, REWRITTEN) as tables:
            for log, labels in pairs:
                if log.name in extras:
                    raise FormatError(path, f"log {log.name!r}", "is given twice")
                extras[log.name] = _write_scene(index, tables, log.name, labels, vocabulary)
            for name, scene in index.scenes.items():
                fields = {key: value for key, value in scene.fields.items() if key != "token"}
                fields |= {EXTRA: _present(scene.extra | extras[name])} if name in extras else {}
                tables.add("scene", scene.text("token"), **fields)
                if name not in extras:
                    _copy_rows(index, tables, scene)
            vocabulary.write(tables)
        for file in index.folder.iterdir():
            if not (part / file.name).exists():
                _keep(file, part / file.name)
        yield part


def _write_scene(
    index: Index, tables: TableWriter, name: str, labels: LabelSet, vocabulary: Vocabulary
) -> dict[str, Any]:
    """Writes the objects of one scene; gives what goes into its own row."""
    scene = scene_of(index, name)
    log = open_log(index.folder, name)
    plan = _plan(index, scene, log)
    labels = _at_frames_of(log, labels)
    writer = LabelWriter(tables, log, labels, plan, vocabulary, _tokens(index, scene))
    writer.check()
    writer.write_instances()
    images, labelled_ns = plan.images(), set(labels.timestamps_ns())
    for sample, instant_ns in enumerate(plan.samples_ns.tolist()):
        if instant_ns in labelled_ns:
            ref = log.sweep_at(instant_ns)
            sweep = None if ref is None else read_deskewed(log, ref)
            writer.write_frame(sample, sweep, images.get(sample, []))
    return writer.scene_extra()


def _plan(index: Index, scene: Row, log: DriveLog) -> Plan:
    """The samples that are there."""
    tokens = {instant_ns: token for token, instant_ns in instants_of_samples(index, scene).items()}
    plan = plan_of(log, keyframes_ns=tokens)
    return replace(plan, sample_tokens=tuple(tokens[t] for t in plan.samples_ns.tolist()))


def _at_frames_of(log: DriveLog, labels: LabelSet) -> LabelSet:
    """Labels of a clock of nanoseconds at the frames of tables that keep microseconds."""
    frames_ns = {microseconds(t): t for t in log.timestamps_ns.tolist()}

    def moved(annotation: Annotation) -> Annotation:
        now_ns = annotation.timestamp_ns
        return replace(annotation, timestamp_ns=frames_ns.get(microseconds(now_ns), now_ns))

    tracks = {
        id: replace(track, annotations={a.timestamp_ns: a for a in map(moved, track.annotations.values())})
        for id, track in labels.tracks.items()
    }
    return replace(labels, tracks=tracks)


def _tokens(index: Index, scene: Row) -> dict[tuple[str | int, ...], str]:
    """Tokens of the objects that are there, by track, and of their boxes, by track and frame."""
    instants_ns = instants_of_samples(index, scene)
    ids = {
        row.text("token"): str(row.extra.get("id", row.text("token")))
        for row in index.rows_of("instance", scene)
    }
    found: dict[tuple[str | int, ...], str] = {(id,): token for token, id in ids.items()}
    for row in index.rows_of("sample_annotation", scene):
        id = ids.get(row.text("instance_token"))
        if id is not None:
            found[id, instants_ns[row.text("sample_token")]] = row.text("token")
    return found


def _copy_rows(index: Index, tables: TableWriter, scene: Row) -> None:
    for table in OF_OBJECTS:
        spans = index.spans[table].get(scene.text("token"), [])
        for text in read_texts(index.folder / f"{table}.json", spans) if spans else ():
            tables.add_text(table, text)


def _present(extra: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in extra.items() if value not in ({}, [])}


def _keep(source: Path, path: Path) -> None:
    """A file of the folder that is replaced, or a folder in it."""
    if source.is_dir():
        shutil.copytree(source, path)
    else:
        copy_file(source, path, hard_link=True)
