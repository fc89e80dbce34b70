"""What `crosslabel check` does with each log, and says of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fusion.checks import Finding
    from fusion.checks.check import Checked
    from fusion.checks.config import CheckConfig
    from fusion.labels import LabelSet
    from fusion.log import DriveLog
    from scripts.check_sources import Sources
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
    changed = {id: config.rules.get(id, RuleConfig()).model_copy(update={"skip": True}) for id in sorted(off)}
    return config.model_copy(update={"rules": {**config.rules, **changed}})


@dataclass(slots=True)
class Checks:
    """All that is the same for every log of one command.

    Attributes:
        sources: what is checked, against what.
        report: the page to write; its name gets `.html` where it ends otherwise.
        most: of how many objects it has pictures.
        fix: whether sure repairs are made.
        strict: whether warnings count.
        as_json: whether standard output is for machines.
    """

    sources: Sources
    report: Path | None
    most: int
    fix: bool
    strict: bool
    as_json: bool
    _told: list[dict[str, Any]] = field(init=False, default_factory=list)
    _failed: list[tuple[str, str]] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        # The folder of the pages has the page's own name without its suffix.
        if self.report is not None and self.report.suffix.lower() not in (".html", ".htm"):
            self.report = self.report.with_name(f"{self.report.name}.html")

    def each(self, places: Sequence[LogAt]) -> int:
        """Checks logs one after the other, and returns the exit code."""
        codes = [self._guarded(at, lambda at: self._one(at, alone=len(places) == 1)) for at in places]
        if self.report is not None and len(places) > 1:
            self._overview(self.report)
        return max(codes, default=0)

    def power(self, places: Sequence[LogAt], seeds: int) -> int:
        """Seeds errors into the labels of each log, looks for them, and says how many are found."""
        return max((self._guarded(at, lambda at: self._power_of(at, seeds)) for at in places), default=0)

    def _guarded(self, at: LogAt, run: Callable[[LogAt], int]) -> int:
        """What comes of a log; one that cannot be checked does not stop the others."""
        from scripts.console import known_error

        try:
            return run(at)
        except Exception as error:
            message = known_error(error)
            if message is None:
                raise
        print(f"crosslabel: {message}", file=sys.stderr)
        self._failed.append((at.log_id, message))
        if self.as_json:
            print(json.dumps({"log": at.log_id, "error": message}), flush=True)
        return 2

    def _one(self, at: LogAt, alone: bool) -> int:
        from formats.files import inside
        from fusion.checks.queue import queue
        from fusion.checks.told import as_json, summary
        from scripts.check_fix import repair
        from scripts.check_output import print_findings, write_files
        from scripts.console import note, progress_bar

        log, labels = self.sources.open(at)
        with progress_bar(log.name) as progress:
            checked = self.sources.checked(log, labels, progress)
        items = queue(checked.findings)
        if self.report is not None:
            folder = self.report.with_suffix("")
            name = f"{log.name}.html"
            page = self.report if alone else inside(folder, name, at.path, "name of the log")
            write_files(page, log, checked, items, self.most)
            note(f"{log.name}: {page}")
        if self.fix:
            repair(self.sources.labels, log, [one for item in items for one in item.findings])
        self._told.append(summary(log, checked, items))
        if self.as_json:
            print(json.dumps(as_json(log, checked, items)), flush=True)
        else:
            print_findings(log, checked, items, SHOWN)
        return self._code(checked)

    def _power_of(self, at: LogAt, seeds: int) -> int:
        from fusion.checks.queue import queue
        from fusion.seeded import self_test
        from scripts.check_evidence import restamped
        from scripts.check_self_test import power_as_dict, print_power, print_rules
        from scripts.console import progress_bar

        log, labels = self.sources.open(at)
        with progress_bar(log.name) as progress:
            candidates = self.sources.candidates(log, progress)
            evidence = self.sources.evidence(log, progress)

            def check(disturbed: DriveLog, wrong: LabelSet) -> list[Finding]:
                told = restamped(evidence, log, disturbed)
                checked = self.sources.check(disturbed, wrong, candidates, told)
                return [one for item in queue(checked.findings) for one in item.findings]

            power = self_test(log, labels, check, seeds=range(seeds), progress=progress)
        if self.as_json:
            print(json.dumps({"log": log.name, **power_as_dict(power)}), flush=True)
        else:
            print_power(log.name, power)
            print_rules(power)
        return 0

    def _overview(self, page: Path) -> None:
        from scripts.check_overview import overview_of
        from scripts.console import note
        from scripts.report import write_report

        page.parent.mkdir(parents=True, exist_ok=True)
        write_report(page, overview_of(self._told, self._failed, page.with_suffix("").name))
        note(f"overview: {page}")

    def _code(self, checked: Checked) -> int:
        from fusion.checks import Severity

        counts = {Severity.MANDATORY, Severity.WARNING} if self.strict else {Severity.MANDATORY}
        return int(any(one.severity in counts for one in checked.findings))
