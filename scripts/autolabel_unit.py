"""One log of `crosslabel autolabel`: small enough to be sent to another machine, and run there."""

from __future__ import annotations

import errno
import io
import traceback
from collections.abc import Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.autolabel_given import Givens, Sources
from scripts.logs import LogAt

if TYPE_CHECKING:
    from autolabel import Config, Proposal
    from autolabel.batch import Ended
    from autolabel.runs import Labelled, Work
    from fusion.checks.config import CheckConfig
    from fusion.progress import Progress

SAID = ("counts", "ego", "networks", "trips", "timings_s", "stages_s", "peak_memory_mb", "checks")
FULL = (errno.ENOSPC, errno.EDQUOT)
REPORT, PICTURES = "check.html", 50


@dataclass(frozen=True, slots=True)
class Asked:
    """All that is the same for every log of one command.

    Attributes:
        sources: where what is known of logs comes from.
        config: of the labelling.
        rules: what labels are held against; they are not where None.
        out: folder of the results.
        poses: trajectories in place of the logs' own.
        rig: a calibration in place of theirs.
        force: whether what a person has worked on is replaced.
        explain: tracks that are explained.
        pictures: of how many objects each log's report shows pictures; no reports where None.
    """

    sources: Sources
    config: Config
    rules: CheckConfig | None
    out: Path
    poses: Path | None = None
    rig: Path | None = None
    force: bool = False
    explain: tuple[str, ...] = ()
    pictures: int | None = None

    def anywhere(self) -> Asked:
        """The same, whatever folder a worker is started in."""
        from dataclasses import fields, replace

        def whole(value: Any) -> Any:
            if isinstance(value, Path):
                return value.resolve()
            return tuple(map(whole, value)) if isinstance(value, tuple) else value

        sources = {one.name: whole(getattr(self.sources, one.name)) for one in fields(self.sources)}
        mine = {name: whole(getattr(self, name)) for name in ("out", "poses", "rig")}
        return replace(self, sources=replace(self.sources, **sources), **mine)

    def givens(self) -> Givens:
        """What is loaded once a process, such as networks.

        Raises:
            CrosslabelError: it cannot be.
        """
        return _givens_of(self.sources, self.config.model_dump_json(), _states(self.sources))

    def work(self, at: LogAt) -> Work:
        """What is to be done for one log."""
        from dataclasses import replace

        work = self.givens().work(at, at.open(self.poses, self.rig), self.out)
        return replace(work, rules=self.rules)


@dataclass(frozen=True, slots=True)
class LogUnit:
    """One log to be labelled.

    Attributes:
        name: of the log.
        format: of what is at `path`.
        path: of the log or of its data set.
        alone: whether no other log is labelled with it.
        asked: what is the same for all.
    """

    name: str
    format: str
    path: Path
    alone: bool
    asked: Asked

    def __call__(self, progress: Progress | None = None) -> Ended:
        """Labels it; whatever goes wrong is in what is returned, and so are the notes made on the way."""
        from autolabel.batch import Ended
        from autolabel.memory import keep_freed_memory
        from autolabel.runs import Outcome
        from scripts.console import known_error

        keep_freed_memory()
        notes = io.StringIO()
        told: dict[str, Any] = {"path": str(self.path.resolve()), "format": self.format}
        outcome, reason, full = Outcome.FAILED, "", False
        try:
            with redirect_stderr(notes):
                outcome = self._labelled(progress, told)
        except Exception as error:
            full = disk_is_full(error)
            known = known_error(error)
            reason = known or f"unexpected {type(error).__name__}: {' '.join(str(error).split())}"[:800]
            if known is None and not full:
                told["traceback"] = traceback.format_exc()
        told["notes"] = notes.getvalue().splitlines()
        return Ended(self.name, outcome, reason, told, full)

    def _labelled(self, progress: Progress | None, told: dict[str, Any]) -> Any:
        from autolabel.records import read_record
        from autolabel.runs import label_log
        from formats.registry import find_format

        at = LogAt(find_format(self.path, self.format), self.path, self.name)
        work = self.asked.work(at)
        labelled = label_log(work, self.asked.config, self.asked.force, progress)
        told["explained"] = self._explained(work, labelled.proposal, progress)
        if self.asked.pictures is not None and work.rules is not None:
            self._report(work, labelled, self.asked.pictures)
        record = read_record(work.folder) or {}
        told["labels"] = str(work.folder / "labels.db")
        told |= {name: record[name] for name in SAID if name in record}
        if isinstance(told.get("checks"), dict):
            told["checks"] = {name: value for name, value in told["checks"].items() if name != "skipped"}
        return labelled.outcome

    def _explained(self, work: Work, proposal: Proposal | None, progress: Progress | None) -> list[str]:
        if not self.asked.explain:
            return []
        if proposal is None:
            from autolabel import label

            trip = work.trip()
            proposal = label(trip.log, trip.given, self.asked.config, progress)
        return explained(work, proposal, self.asked.explain, self.alone)

    def _report(self, work: Work, labelled: Labelled, most: int) -> None:
        """The page with pictures of what is worth a look, beside the labels."""
        from autolabel.runs import checked_labels
        from formats.labels_db import read_labels
        from fusion.checks.queue import queue
        from scripts.check_output import write_files

        page, checked = work.folder / REPORT, labelled.checked
        if checked is None and page.exists():
            return
        if checked is None:
            checked = checked_labels(work, read_labels(work.folder / "labels.db", work.log))
        write_files(page, work.log, checked, queue(checked.findings), most)


@lru_cache(maxsize=2)
def _givens_of(sources: Sources, config_json: str, states: tuple[tuple[int, int], ...]) -> Givens:
    """Of networks in a certain state: workers outlive the files that they have loaded."""
    from autolabel import Config

    return Givens(sources, Config.model_validate_json(config_json))


def _states(sources: Sources) -> tuple[tuple[int, int], ...]:
    """When the files of networks were written, and their sizes."""
    named = [path for path in (sources.detector, sources.camera_detector) if path is not None]
    files = [file for path in named for file in (path, path.with_suffix(".json")) if file.exists()]
    return tuple((file.stat().st_mtime_ns, file.stat().st_size) for file in files)


def explained(work: Work, proposal: Proposal, wanted: Sequence[str], alone: bool) -> list[str]:
    """Writes pages on the tracks that were asked for, of several logs on those of this one; returns which."""
    from scripts.console import note
    from scripts.explain import write_explanation

    known = {traced.track.id for traced in proposal.traced}
    made = [track_id for track_id in wanted if alone or track_id in known]
    for track_id in made:
        page = work.folder / f"{_file_name(track_id)}.html"
        write_explanation(page, proposal, track_id)
        note(f"{work.log.name}: track {track_id}: {page}")
    return made


def disk_is_full(error: BaseException | None) -> bool:
    """Whether it is for want of space that something failed."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, OSError) and error.errno in FULL:
            return True
        if "disk is full" in str(error) or "No space left on device" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def _file_name(track_id: str) -> str:
    """A name for a track's page that no id can turn into a path."""
    return "track-" + "".join(c if c.isalnum() or c in "-_" else "_" for c in track_id)[:80]
