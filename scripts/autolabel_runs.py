"""What `crosslabel autolabel` does with each log, or with drives through one street, and says of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from autolabel import Config, Proposal
    from autolabel.runs import Outcome, Work
    from autolabel.together import Together
    from scripts.autolabel_given import Givens
    from scripts.logs import LogAt

SAID = ("counts", "ego", "networks", "trips", "timings_s", "peak_memory_mb")


@dataclass(slots=True)
class Runs:
    """All that is the same for every log of one command."""

    givens: Givens
    config: Config
    out: Path
    poses: Path | None
    rig: Path | None
    force: bool
    explain: Sequence[str]
    as_json: bool
    _explained: set[str] = field(init=False, default_factory=set)

    def each(self, places: Sequence[LogAt]) -> None:
        """Labels logs one after the other; one that cannot be labelled does not stop the others.

        Raises:
            Exit: with code 2, where there was such a log.
        """
        from scripts.console import known_error

        failed = False
        for at in places:
            try:
                self._one(at, alone=len(places) == 1)
            except Exception as error:
                message = known_error(error)
                if message is None:
                    raise
                failed = True
                print(f"crosslabel: {message}", file=sys.stderr)
                self._print({"log": at.log_id, "outcome": "failed", "error": message})
        if failed:
            raise typer.Exit(2)
        self._all_explained()

    def _one(self, at: LogAt, alone: bool) -> None:
        from autolabel import label
        from autolabel.runs import label_log
        from scripts.console import progress_bar

        work = self._work(at)
        with progress_bar(work.log.name) as progress:
            outcome, proposal = label_log(work, self.config, self.force, progress)
            if self.explain and proposal is None:
                trip = work.trip()
                proposal = label(trip.log, trip.given, self.config, progress)
        if proposal is not None:
            self._explain(work, proposal, alone)
        self._say(work, outcome)

    def together(self, places: Sequence[LogAt]) -> None:
        """Labels drives through one street together, and writes a page on what they told each other."""
        from autolabel.runs import label_trips
        from autolabel.together import label_together
        from scripts.console import note, progress_bar

        works = [self._work(at) for at in places]
        with progress_bar("") as progress:
            outcome, together = label_trips(works, self.config, self.force, progress)
            if self.explain and together is None:
                together = label_together([work.trip() for work in works], self.config, progress)
        if together is not None:
            self._write_trips(together, works)
            for work, proposal in zip(works, together.proposals, strict=True):
                self._explain(work, proposal, alone=False)
        for work in works:
            self._say(work, outcome)
        note(f"{outcome}: {self.out / 'trips.html'}")
        self._all_explained()

    def _work(self, at: LogAt) -> Work:
        return self.givens.work(at, at.open(self.poses, self.rig), self.out)

    def _write_trips(self, together: Together, works: Sequence[Work]) -> None:
        """The page, and for each log that lies on others its poses among theirs."""
        from formats.folder.poses import write_poses
        from scripts.autolabel_trips import page
        from scripts.report import write_report

        for work, trip in zip(works, together.alignment.trips, strict=True):
            if trip.meets:
                write_poses(work.folder / "poses.csv", trip.trajectory)
        write_report(self.out / "trips.html", page(together, self.config))

    def _explain(self, work: Work, proposal: Proposal, alone: bool) -> None:
        """Pages on the tracks that were asked for; of several logs, on those of this one."""
        from scripts.console import note
        from scripts.explain import write_explanation

        known = {traced.track.id for traced in proposal.traced}
        for track_id in self.explain:
            if alone or track_id in known:
                page = work.folder / f"{_file_name(track_id)}.html"
                write_explanation(page, proposal, track_id)
                note(f"{work.log.name}: track {track_id}: {page}")
                self._explained.add(track_id)

    def _all_explained(self) -> None:
        from calib.errors import CrosslabelError

        for track_id in self.explain:
            if track_id not in self._explained:
                raise CrosslabelError(f"there is no track {track_id!r} in any of these logs")

    def _say(self, work: Work, outcome: Outcome) -> None:
        """What became of a log: a line for people, and one for machines where that was asked for."""
        from autolabel.records import read_record
        from scripts.console import note

        labels = work.folder / "labels.db"
        record = read_record(work.folder) or {}
        told: Any = record.get("trips")
        if told is not None:
            note(_of_trip(work.log.name, told))
        note(f"{work.log.name}: {outcome}: {labels}{_of_boxes(record['counts']) if record else ''}")
        said = {name: record[name] for name in SAID if name in record}
        self._print({"log": work.log.name, "outcome": str(outcome), "labels": str(labels), **said})

    def _print(self, line: dict[str, object]) -> None:
        if self.as_json:
            print(json.dumps(line), flush=True)


def _of_boxes(counts: Any) -> str:
    """How much was made, and how much of it a person should look at."""
    return (
        f": {counts['tracks']} objects, {counts['made']} boxes made, "
        f"{counts['want_a_look']} of them want a look"
    )


def _of_trip(name: str, told: dict[str, Any]) -> str:
    """How a trip lies on the others and what it got from them, in one line."""
    words: str = told["alignment"]["words"]
    if not told["alignment"]["meets"]:
        return f"{words}: labelled alone"
    boxes = sum(one["boxes"] for one in told["carried"])
    return (
        f"{words}; {len(told['carried'])} objects ({boxes} boxes) carried over to it, "
        f"{len(told['agreed'])} agreed on, {len(told['changes'])} of its own changed"
    )


def _file_name(track_id: str) -> str:
    """A name for a track's page that no id can turn into a path."""
    return "track-" + "".join(c if c.isalnum() or c in "-_" else "_" for c in track_id)[:80]
