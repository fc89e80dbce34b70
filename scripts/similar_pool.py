"""The objects of many logs for `crosslabel similar` and `crosslabel rank`: measured once, and kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autolabel.similar import Catalogue, Embedding
    from fusion.labels import LabelSet
    from fusion.log import DriveLog
    from fusion.progress import Progress
    from scripts.logs import LogAt

KEPT = "similar.npz"


@dataclass(frozen=True, slots=True)
class Objects:
    """Where objects come from.

    Attributes:
        places: the logs.
        labels: a file or a data set; the labels of the logs themselves where None.
        index: a folder for what is measured; beside each labels.db where None.
        embedding: a network for their pictures.
        by_name: the logs that were opened, by their names.
    """

    places: Sequence[LogAt]
    labels: Path | None
    index: Path | None
    embedding: Path | None
    by_name: dict[str, LogAt] = field(init=False, default_factory=dict)

    def open(self, at: LogAt) -> tuple[DriveLog, LabelSet]:
        """A log and its labels.

        Raises:
            FormatError: there are none.
        """
        from formats.errors import FormatError
        from scripts.logs import labels_of

        log = at.open()
        if self.labels is not None:
            return log, labels_of(self.labels, log)
        if at.source.read_labels is None:
            raise FormatError(at.path, "", f"{at.source.title} holds no labels: name them with --labels")
        return log, at.source.read_labels(at.path, log)

    def each(self) -> Iterator[tuple[Catalogue, DriveLog, LabelSet]]:
        """Every log with what is measured of its objects, one after the other.

        Raises:
            CrosslabelError: a log, its labels, or what was kept of it cannot be read.
        """
        from scripts.console import progress_bar

        network = self._network()
        for at in self.places:
            log, labels = self.open(at)
            self.by_name[log.name] = at
            with progress_bar(log.name) as progress:
                catalogue = self._catalogue(log, labels, network, progress)
            yield catalogue, log, labels

    def _network(self) -> Embedding | None:
        from autolabel.similar import Embedding

        return None if self.embedding is None else Embedding.open(self.embedding)

    def _catalogue(
        self, log: DriveLog, labels: LabelSet, network: Embedding | None, progress: Progress
    ) -> Catalogue:
        from autolabel.similar import Catalogue, described, features_of, print_of
        from formats.files import write_bytes
        from scripts.console import note

        print_ = print_of(log, labels, self.embedding)
        file = self._file(log)
        if file is not None and file.exists():
            kept = Catalogue.read(file)
            if (kept.log, kept.fingerprint) == (log.name, print_):
                return kept
        tracks = described(labels)
        found = Catalogue(
            log.name,
            print_,
            tuple(track.id for track in tracks),
            tuple(track.category for track in tracks),
            features_of(log, labels, network, progress),
        )
        where = ""
        if file is not None:
            write_bytes(file, found.to_bytes())
            where = f": {file}"
        note(f"{log.name}: {len(tracks)} objects measured{where}")
        return found

    def _file(self, log: DriveLog) -> Path | None:
        """Where what is measured of a log is kept; None where there is no place for it."""
        from formats.files import inside
        from formats.labels_db import LABELS_DB, files_by_log
        from formats.registry import find_format

        if self.index is not None:
            return inside(self.index, log.name, self.index, "name of the log") / KEPT
        if self.labels is None or find_format(self.labels) is not LABELS_DB:
            return None
        labels = files_by_log(self.labels)[log.name]
        return labels.with_name(KEPT if labels.name == "labels.db" else f"{labels.stem}.{KEPT}")
