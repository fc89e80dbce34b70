"""What `crosslabel autolabel --trips` does with drives through one street, and says of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autolabel.runs import Outcome, Work
    from autolabel.together import Together
    from scripts.autolabel_unit import Asked
    from scripts.logs import LogAt


@dataclass(frozen=True, slots=True)
class Trips:
    """Drives that are labelled together.

    Attributes:
        places: where they are.
        asked: as for single logs.
        as_json: whether standard output is for machines.
    """

    places: Sequence[LogAt]
    asked: Asked
    as_json: bool

    def run(self) -> None:
        """Labels them, and writes a page on what they told each other.

        Raises:
            CrosslabelError: one of them cannot be labelled, or a track that is to be explained is in none.
        """
        from autolabel.memory import keep_freed_memory
        from autolabel.runs import label_trips
        from autolabel.together import label_together
        from scripts.autolabel_unit import explained
        from scripts.console import note, progress_bar

        keep_freed_memory()
        config, out = self.asked.config, self.asked.out
        works = [self.asked.work(at) for at in self.places]
        with progress_bar("") as progress:
            outcome, together = label_trips(works, config, self.asked.force, progress)
            if self.asked.explain and together is None:
                together = label_together([work.trip() for work in works], config, progress)
        told: set[str] = set()
        if together is not None:
            self._write(together, works)
            for work, proposal in zip(works, together.proposals, strict=True):
                told.update(explained(work, proposal, self.asked.explain, alone=False))
        for work in works:
            self._say(work, outcome)
        note(f"{outcome}: {out / 'trips.html'}")
        all_explained(self.asked.explain, told)

    def _write(self, together: Together, works: Sequence[Work]) -> None:
        """The page, and for each log that lies on others its poses among theirs."""
        from formats.folder.poses import write_poses
        from scripts.autolabel_trips import page
        from scripts.report import write_report

        for work, trip in zip(works, together.alignment.trips, strict=True):
            if trip.meets:
                write_poses(work.folder / "poses.csv", trip.trajectory)
        write_report(self.asked.out / "trips.html", page(together, self.asked.config))

    def _say(self, work: Work, outcome: Outcome) -> None:
        """What became of a drive: a line for people, and one for machines where that was asked for."""
        from autolabel.batch import Ended
        from autolabel.records import read_record
        from scripts.autolabel_batch import log_line
        from scripts.autolabel_unit import SAID
        from scripts.console import note

        record: dict[str, Any] = read_record(work.folder) or {}
        if record.get("trips") is not None:
            note(_of_trip(work.log.name, record["trips"]))
        told = {"labels": str(work.folder / "labels.db")}
        told |= {name: record[name] for name in SAID if name in record}
        note(log_line(Ended(work.log.name, outcome, told=told)))
        if self.as_json:
            print(json.dumps({"log": work.log.name, "outcome": str(outcome), **told}), flush=True)


def all_explained(wanted: Sequence[str], told: set[str]) -> None:
    """Nothing, where every track that was asked for has its page.

    Raises:
        CrosslabelError: one is in none of the logs.
    """
    from calib.errors import CrosslabelError

    for track_id in wanted:
        if track_id not in told:
            raise CrosslabelError(f"there is no track {track_id!r} in any of these logs")


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
