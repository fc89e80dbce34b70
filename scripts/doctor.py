"""`crosslabel doctor`: what is likely wrong with the calibration, conventions and clocks of a log."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from calib.doctor.finding import Finding
    from calib.types import U8
    from fusion.log import DriveLog
    from scripts.report import Report

WORDS = {"wrong": "wrong", "suspicious": "look at", "note": "note"}


def run(
    path: Annotated[Path, typer.Argument(help="A drive log.")],
    log: Annotated[str | None, typer.Option(help="Which log of a data set.")] = None,
    format: Annotated[str | None, typer.Option(help="Format of PATH, if it is not recognised.")] = None,
    rig: Annotated[Path | None, typer.Option(help="Calibration to use in place of the log's own.")] = None,
    frames: Annotated[int, typer.Option(min=1, help="How many frames to look at.")] = 6,
    out: Annotated[Path | None, typer.Option(help="Write the mended rig to this rig.json.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write a page with pictures here (.html).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Find mistakes of convention, timing and sanity in a log's sensors, and say how to mend them.

    Tries what people usually get wrong (inverse matrices, swapped axes, a LiDAR turned in its mount, degrees
    for radians, quaternion order, distortion, image size, exchanged cameras, shifted images) on the data
    itself. Exit code 1 if something is wrong.

    crosslabel doctor LOG --report doctor.html
    """
    from fusion.doctor import examine
    from scripts.console import progress_bar
    from scripts.logs import open_log

    drive = open_log(path, format, log, rig)
    with progress_bar(drive.name) as progress:
        progress("frames", 0, 1)
        findings = examine(drive, frames)
        progress("frames", 1, 1)
    if out is not None:
        from calib.doctor.finding import mended_rig
        from formats.rigs.rig_json import write_rig

        write_rig(out, mended_rig(drive.rig, findings))
    if report is not None:
        from scripts.report import write_report

        write_report(report, page(drive, findings))
    if as_json:
        import json

        rows = [_row(finding) for finding in findings]
        print(json.dumps({"log": drive.name, "findings": rows}, indent=1))
    else:
        _print(drive, findings)
    if any(finding.severity == "wrong" for finding in findings):
        raise typer.Exit(1)


def _print(log: DriveLog, findings: list[Finding]) -> None:
    if all(finding.severity == "note" for finding in findings):
        print(f"{log.name}: nothing wrong was found")
    for finding in findings:
        print(f"{WORDS[finding.severity]}: {finding.message} [{finding.code}]")
        if finding.mend:
            print(f"  to mend it: {finding.mend}")


def _row(finding: Finding) -> dict[str, Any]:
    camera, lidar = finding.camera, finding.lidar
    return {
        "code": finding.code,
        "same_as": list(finding.same_as),
        "sensor": finding.sensor,
        "severity": finding.severity,
        "message": finding.message,
        "mend": finding.mend,
        "evidence": dict(finding.evidence),
        "ego_from_sensor": (camera or lidar).ego_from_sensor.matrix.tolist() if camera or lidar else None,  # type: ignore[union-attr]
    }


def page(log: DriveLog, findings: list[Finding]) -> Report:
    """The report: the findings, then every camera as it is and as it would be, the cloud drawn over it."""
    from scripts.report import Report, Section, Table, Verdict

    wrong = [finding for finding in findings if finding.severity == "wrong"]
    suspicious = [finding for finding in findings if finding.severity == "suspicious"]
    if wrong:
        summary = Verdict("bad", f"{len(wrong)} likely mistakes; the first: {wrong[0].message}.")
    elif suspicious:
        summary = Verdict("warning", f"Nothing surely wrong; look at: {suspicious[0].message}.")
    else:
        summary = Verdict("good", "Nothing wrong was found: the cloud falls where the cameras see it.")
    rows = [(WORDS[f.severity], f.sensor, f.message, f.mend or "-", f.code) for f in findings]
    table = Table(("", "sensor", "what", "how to mend it", "code"), rows)
    first = [Section("Findings", [table])] if findings else []
    return Report(f"Doctor's look at {log.name}", summary, [*first, *_sections(log, findings)])


def _sections(log: DriveLog, findings: list[Finding]) -> list[Any]:
    from dataclasses import replace

    from calib.doctor.finding import mended_rig
    from scripts.report import Pair, Picture, Section

    mended = mended_rig(log.rig, findings)
    better = replace(log, rig=mended)
    sections = []
    for name in log.rig.cameras:
        before = _with_points(log, name)
        if before is None:
            continue
        given = Picture(before, "As given: points of the LiDAR, near ones red.")
        changed = mended.cameras[name] is not log.rig.cameras[name] or mended.lidars != log.rig.lidars
        after = _with_points(better, name) if changed else None
        part = given if after is None else Pair(given, Picture(after, "Mended as proposed."))
        sections.append(Section(name, [part]))
    return sections


def _with_points(log: DriveLog, camera: str) -> U8 | None:
    """An image from the middle of the log with the points that fall into it."""
    from fusion.align import cloud_in_image, read_deskewed
    from fusion.beam import image_of_frame
    from fusion.pictures import dots

    frame_ns = int(log.timestamps_ns[len(log) // 2])
    ref, image = log.sweep_at(frame_ns), image_of_frame(log, camera, frame_ns)
    if ref is None or image is None:
        return None
    picture, model = image.read(), log.rig.cameras[camera].model
    if picture.shape[:2] != (model.height_px, model.width_px):
        return picture
    seen = cloud_in_image(log, read_deskewed(log, ref), image)
    return dots(picture, seen.uv_px, seen.depth_m)
