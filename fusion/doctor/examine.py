"""Looks at a log's sensors, times and data, and names the likely mistakes in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from calib.doctor.diagnose import confirmed, diagnose, mostly_unconfirmed
from calib.doctor.finding import Finding
from calib.doctor.sanity import check_rig
from calib.doctor.shot import Shot
from fusion.doctor.frames import find_shifted_images
from fusion.doctor.shots import FRAMES, read_shots
from fusion.doctor.surroundings import check_surroundings
from fusion.doctor.times import check_times
from fusion.log import DriveLog

# A principal point may be bent to fit what is really an image of another frame.
BENT = "image_cropped"
ORDER = {"wrong": 0, "suspicious": 1, "note": 2}


def examine(log: DriveLog, frames: int = FRAMES) -> list[Finding]:
    """All that is likely wrong with a log, worst first; empty, or notes only, where all is right.

    Candidates for what was meant are tried on images and sweeps of a few frames spread over the log; see
    `calib.doctor`. Nothing is changed: a finding holds the corrected camera or LiDAR where it can be said.

    Args:
        log: its rig, its trajectory, and as many images and sweeps as are read.
        frames: how many frames to read.
    """
    return _examined(log, frames, first_look=True)


def _examined(log: DriveLog, frames: int, first_look: bool) -> list[Finding]:
    times = check_times(log)
    if any(finding.severity == "wrong" for finding in times):
        return _in_order([*times, *check_rig(log.rig)])
    shots = read_shots(log, frames)
    if mostly_unconfirmed(log.rig, shots):
        # A wrong LiDAR mount also spoils the deskewing, which would hide what the right one is.
        shots = read_shots(log, frames, still=True)
    data = [*diagnose(log.rig, shots), *_sizes(log, shots)]
    mended = next((finding for finding in data if finding.lidar is not None), None)
    if mended is not None and first_look:
        # What a camera seems to be under a wrong LiDAR says nothing.
        rest = _examined(replace(log, rig=mended.mended(log.rig)), frames, first_look=False)
        return _in_order([mended, *rest])
    if all(finding.severity != "wrong" or finding.code == BENT for finding in data):
        shifted = find_shifted_images(log, shots)
        late = {finding.sensor for finding in shifted}
        data = [f for f in data if f.code != BENT or not late & {"log", f.sensor}] + shifted
    data += confirmed(log.rig, shots, {finding.sensor for finding in data})
    blamed = {finding.sensor for finding in data if finding.severity == "wrong"}
    lidars_blamed = bool(blamed & set(log.rig.lidars))
    plain = [*check_rig(log.rig), *check_surroundings(log)]
    kept = [f for f in plain if f.severity == "note" or not (f.sensor in blamed or lidars_blamed)]
    return _in_order([*times, *data, *kept])


def _sizes(log: DriveLog, shots: Mapping[str, Sequence[Shot]]) -> list[Finding]:
    """Cameras whose images have another size than their intrinsics say."""
    findings = []
    for name, some in shots.items():
        model = log.rig.cameras[name].model
        given = (model.width_px, model.height_px)
        if some and some[0].size_px != given:
            exchanged = some[0].size_px == given[::-1]
            what = (
                "width and height are exchanged" if exchanged else "its intrinsics are for another image size"
            )
            findings.append(
                Finding(
                    "size_exchanged" if exchanged else "image_size_differs",
                    name,
                    "wrong",
                    f"{name}: {what}: {given[0]} x {given[1]} is given, its images are "
                    f"{some[0].size_px[0]} x {some[0].size_px[1]}",
                    "give the size of the images, and fx, fy, cx, cy in pixels of that size",
                )
            )
    return findings


def _in_order(findings: Sequence[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: ORDER[finding.severity])
