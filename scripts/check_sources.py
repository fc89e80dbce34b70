"""What `crosslabel check` knows of a log beside its labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autolabel.detect.yolox import Yolox
    from fusion.checks.check import Checked, Search
    from fusion.checks.config import CheckConfig
    from fusion.checks.evidence import Evidence
    from fusion.checks.facts import Watcher
    from fusion.labels import LabelSet
    from fusion.log import DriveLog
    from fusion.progress import Progress
    from scripts.logs import LogAt

# Every so many images of a camera are shown to the network: errors last longer than a fifth of a second.
EVERY_IMAGE = 2


@dataclass(slots=True)
class Sources:
    """Where the labels come from, and what they are held against.

    Attributes:
        labels: a file or a data set; the labels of the logs themselves where None.
        config: the rules.
        poses: trajectories in place of the logs' own.
        rig: a calibration in place of theirs.
        search: whether scans are searched for objects that nobody labelled.
        camera_detector: a network that looks at the images.
        sensors: whether calibration and clocks are looked at too.
    """

    labels: Path | None
    config: CheckConfig
    poses: Path | None
    rig: Path | None
    search: bool
    camera_detector: Path | None
    sensors: bool
    _network: Yolox | None = field(init=False, default=None, repr=False)

    def open(self, at: LogAt) -> tuple[DriveLog, LabelSet]:
        """A log and its labels.

        Raises:
            FormatError: there are none.
        """
        from formats.errors import FormatError
        from scripts.logs import labels_of

        log = at.open(self.poses, self.rig)
        if self.labels is not None:
            return log, labels_of(self.labels, log)
        if at.source.read_labels is None:
            raise FormatError(at.path, "", f"{at.source.title} holds no labels: name them with --labels")
        return log, at.source.read_labels(at.path, log)

    def checked(self, log: DriveLog, labels: LabelSet, progress: Progress) -> Checked:
        """All rules, once."""
        search = partial(self.candidates, log, progress)
        return self.check(log, labels, search, self.evidence(log, progress), progress)

    def check(
        self,
        log: DriveLog,
        labels: LabelSet,
        candidates: LabelSet | Search | None,
        evidence: Sequence[Evidence],
        progress: Progress | None = None,
    ) -> Checked:
        """All rules against what is known already."""
        from fusion.checks.check import check

        return check(
            log,
            labels,
            self.config,
            candidates=candidates,
            evidence=evidence,
            sensors=self.sensors,
            progress=progress,
        )

    def candidates(
        self, log: DriveLog, progress: Progress, watcher: Watcher | None = None
    ) -> LabelSet | None:
        """What can be seen in the scans; None where nobody wants to know, or there are none."""
        from autolabel.candidates import candidates_of
        from fusion.checks.rules.points.missing_object import missing_object
        from fusion.checks.rules.points.unseen import unseen

        unwanted = self.config.of(missing_object).skip and self.config.of(unseen).skip
        if not self.search or unwanted or not any(log.sweeps.values()):
            return None
        return candidates_of(log, progress=progress, watcher=watcher)

    def evidence(self, log: DriveLog, progress: Progress) -> list[Evidence]:
        """What the network sees in the images; nothing without one."""
        if self.camera_detector is None:
            return []
        from autolabel.detect.yolox import Yolox
        from scripts.check_evidence import evidence_of

        self._network = self._network or Yolox.open(self.camera_detector)
        return evidence_of(log, self._network, EVERY_IMAGE, progress)
