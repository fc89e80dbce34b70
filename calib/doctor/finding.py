"""What the doctor says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from calib.rig import Camera, Lidar, Rig

Severity = Literal["wrong", "suspicious", "note"]


@dataclass(frozen=True, eq=False)
class Finding:
    """One likely mistake, in words.

    Attributes:
        code: of the kind of mistake.
        sensor: name of the camera or LiDAR; "rig" where it is about all of them, "log" about times.
        severity: wrong (the data say so), suspicious (look at it), note (nothing need be done).
        message: one sentence.
        mend: what to do about it.
        same_as: codes of other mistakes that would have led to the very same numbers.
        evidence: numbers by name: rise_as_given, rise_mended, rise_of_next and others (see `calib.doctor`).
        camera: the corrected camera, where it can be said.
        lidar: the corrected LiDAR, where it can be said.
    """

    code: str
    sensor: str
    severity: Severity
    message: str
    mend: str = ""
    same_as: tuple[str, ...] = ()
    evidence: Mapping[str, float] = field(default_factory=dict)
    camera: Camera | None = None
    lidar: Lidar | None = None

    def mended(self, rig: Rig) -> Rig:
        """The rig with the corrected sensor in it; as it is where the correction cannot be said."""
        lidars = {**rig.lidars, **({self.lidar.name: self.lidar} if self.lidar else {})}
        cameras = {**rig.cameras, **({self.camera.name: self.camera} if self.camera else {})}
        return Rig.of(tuple(lidars.values()), tuple(cameras.values()))


def mended_rig(rig: Rig, findings: Iterable[Finding]) -> Rig:
    """The rig with all that can be said to be wrong corrected."""
    for finding in findings:
        rig = finding.mended(rig)
    return rig
