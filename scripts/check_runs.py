"""What `crosslabel check` does with each log, and says of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fusion.checks.check import Checked
    from fusion.checks.config import CheckConfig
    from fusion.checks.queue import Item
    from fusion.labels import LabelSet
    from fusion.log import DriveLog
    from fusion.progress import Progress
    from scripts.logs import LogAt

SHOWN = 15


def chosen_rules(path: Path | None, only: Sequence[str], exclude: Sequence[str]) -> CheckConfig:
    """The rules of a project file, without those that are not wanted.

    Raises:
        FormatError: the file is no such file.
        CrosslabelError: there is no such rule.
    """
    from calib.errors import CrosslabelError
    from formats.files import read_settings
    from fusion.checks.config import CheckConfig, RuleConfig
    from fusion.checks.rules import RULES

    config = CheckConfig() if path is None else read_settings(path, CheckConfig)
    known = [rule.id for rule in RULES]
    for id in (*only, *exclude):
        if id not in known:
            raise CrosslabelError(f"there is no rule {id}; there are {', '.join(known)}")
    off = {id for id in known if (only and id not in only) or id in exclude}
    changed = {id: config.rules.get(id, RuleConfig()).model_copy(update={"off": True}) for id in sorted(off)}
    return config.model_copy(update={"rules": {**config.rules, **changed}})


@dataclass(slots=True)
class Checks:
    """All that is the same for every log of one command."""

    labels: Path | None
    config: CheckConfig
    search: bool
    poses: Path | None
    rig: Path | None
    report: Path | None
    most: int
    fix: bool
    strict: bool
    as_json: bool

    def each(self, places: Sequence[LogAt]) -> int:
        """Checks logs one after the other, and returns the exit code."""
        from scripts.console import known_error

        code = 0
        for at in places:
            try:
                code = max(code, self._one(at, alone=len(places) == 1))
            except Exception as error:
                message = known_error(error)
                if message is None:
                    raise
                code = 2
                print(f"crosslabel: {message}", file=sys.stderr)
                if self.as_json:
                    print(json.dumps({"log": at.log_id, "error": message}), flush=True)
        return code

    def _one(self, at: LogAt, alone: bool) -> int:
        from fusion.checks.queue import queue
        from scripts.check_output import as_json, print_findings, write_files
        from scripts.console import note, progress_bar

        log = at.open(self.poses, self.rig)
        labels = self._labels(at, log)
        with progress_bar(log.name) as progress:
            checked = self._checked(log, labels, progress)
        items = queue(checked.findings)
        if self.report is not None:
            page = self.report if alone else self.report.with_suffix("") / f"{log.name}.html"
            write_files(page, log, checked, items, self.most)
            note(f"{log.name}: {page}")
        if self.fix:
            self._repair(log, items)
        if self.as_json:
            print(json.dumps(as_json(log, checked, items)), flush=True)
        else:
            print_findings(log, checked, items, SHOWN)
        return self._code(checked)

    def _labels(self, at: LogAt, log: DriveLog) -> LabelSet:
        from formats.errors import FormatError
        from scripts.logs import labels_of

        if self.labels is not None:
            return labels_of(self.labels, log)
        if at.source.read_labels is None:
            raise FormatError(at.path, "", f"{at.source.title} holds no labels: name them with --labels")
        return at.source.read_labels(at.path, log)

    def _checked(self, log: DriveLog, labels: LabelSet, progress: Progress) -> Checked:
        from autolabel.candidates import candidates_of
        from fusion.checks.check import check
        from fusion.checks.rules.points.missing_object import missing_object

        wanted = self.search and not self.config.of(missing_object).off and any(log.sweeps.values())
        candidates = candidates_of(log, progress=progress) if wanted else None
        return check(log, labels, self.config, candidates=candidates, progress=progress)

    def _repair(self, log: DriveLog, items: Sequence[Item]) -> None:
        from scripts.check_fix import repair

        repair(self.labels, log, [one for item in items for one in item.findings])

    def _code(self, checked: Checked) -> int:
        from fusion.checks import Severity

        counts = {Severity.MANDATORY, Severity.WARNING} if self.strict else {Severity.MANDATORY}
        return int(any(one.severity in counts for one in checked.findings))
