"""`crosslabel drift`: has a camera moved on the car during a drive?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from calib.drift import DriftReport
    from calib.refine import View
    from fusion.log import DriveLog
    from fusion.progress import Progress
    from scripts.report import Report


def run(
    path: Annotated[Path, typer.Argument(help="A drive log.")],
    log: Annotated[str | None, typer.Option(help="Which log of a data set.")] = None,
    format: Annotated[str | None, typer.Option(help="Format of PATH, if it is not recognised.")] = None,
    camera: Annotated[list[str] | None, typer.Option(help="Only this camera (may be repeated).")] = None,
    rig: Annotated[Path | None, typer.Option(help="Calibration to use in place of the log's own.")] = None,
    window: Annotated[int, typer.Option(min=2, help="Frames that are judged together.")] = 5,
    reference_frames: Annotated[int, typer.Option(min=2, help="How many first frames to compare with.")] = 20,
    report: Annotated[Path | None, typer.Option(help="Write a page with plots here (.html).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Watch over a drive whether each camera still looks where it looked at its beginning.

    Says when it moved, about which axis and which way, with the evidence. Exit code 1 if one did.

    crosslabel drift LOG --report drift.html
    """
    from scripts.console import progress_bar
    from scripts.logs import cameras_of, open_log

    drive = open_log(path, format, log, rig)
    with progress_bar("") as progress:
        names = cameras_of(drive, path, camera)
        found = {name: watch(drive, name, window, reference_frames, progress) for name in names}
    if report is not None:
        from scripts.report import write_report

        write_report(report, page(drive, found))
    if as_json:
        import json

        rows = [_row(name, outcome) for name, outcome in found.items()]
        print(json.dumps({"log": drive.name, "cameras": rows}, indent=1))
    else:
        for name, outcome in found.items():
            print(f"{name}: {outcome.verdict}: {outcome.reason}")
    if any(outcome.alarm is not None for outcome in found.values()):
        raise typer.Exit(1)


def watch(log: DriveLog, camera: str, window: int, reference_frames: int, progress: Progress) -> DriftReport:
    """Goes through all frames of a log, one at a time."""
    from calib.drift import detect_drift

    views = _views(log, camera, progress)
    times_ns = log.timestamps_ns.tolist()
    ego_from_cam = log.rig.cameras[camera].ego_from_sensor
    return detect_drift(views, ego_from_cam, times_ns, window=window, reference_frames=reference_frames)


def _views(log: DriveLog, camera: str, progress: Progress) -> Iterator[View | None]:
    from fusion.views import view_at

    for number, frame_ns in enumerate(log.timestamps_ns.tolist()):
        yield view_at(log, camera, frame_ns)
        progress(camera, number + 1, len(log))


def _row(camera: str, outcome: DriftReport) -> dict[str, Any]:
    alarm = outcome.alarm
    moved = None
    if alarm is not None:
        import numpy as np

        moved = {
            "frame": alarm.frame,
            "since_frame": alarm.since,
            "axis": alarm.axis,
            "words": alarm.words,
            "turn_deg": np.degrees(alarm.turn.turn_rad).round(4).tolist(),
            "sigma_deg": np.degrees(alarm.turn.sigma_rad).round(4).tolist(),
            "moved_px_at_30_m": round(alarm.moved_px, 2),
        }
    return {
        "camera": camera,
        "verdict": str(outcome.verdict),
        "reason": outcome.reason,
        "frames": outcome.frames,
        "frames_used": outcome.seen,
        "alarm": moved,
    }


def page(log: DriveLog, found: dict[str, DriftReport]) -> Report:
    """The report: per camera what was found, how each axis went, and the evidence against its limit."""
    from scripts.report import Report, Section, Verdict

    moved = [name for name, outcome in found.items() if outcome.alarm is not None]
    unknown = [name for name, outcome in found.items() if outcome.verdict == "cannot say"]
    if moved:
        summary = Verdict("bad", f"Moved during the drive: {', '.join(moved)}.")
    elif unknown:
        summary = Verdict("warning", f"No camera is seen to move; of {', '.join(unknown)} it cannot be said.")
    else:
        summary = Verdict("good", "No camera moved.")
    sections = [Section(name, _parts(log, outcome)) for name, outcome in found.items()]
    return Report(f"Drift of the cameras in {log.name}", summary, sections)


def _parts(log: DriveLog, outcome: DriftReport) -> list[Any]:
    from scripts.report import Event, Limit, LinePlot, Paragraph, Series

    parts: list[Any] = [Paragraph(f"{str(outcome.verdict).capitalize()}: {outcome.reason}.")]
    plot, alarm = outcome.plot(), outcome.alarm
    if len(plot.centre_ns) == 0:
        return parts
    start_ns = int(log.timestamps_ns[0])
    seconds = (plot.centre_ns - start_ns) / 1e9
    events = [Event("alarm", (alarm.timestamp_ns - start_ns) / 1e9)] if alarm else []
    names = ("pitch", "yaw", "roll")
    turns = [Series(name, seconds, plot.estimate_deg[:, axis]) for axis, name in enumerate(names)]
    parts.append(
        LinePlot("Turn since the beginning, window by window.", "seconds", "degrees", turns, events=events)
    )
    strongest = plot.cusum.max(axis=2)
    evidence = [Series("any turn", seconds, plot.evidence)]
    evidence += [Series(f"{name} alone", seconds, strongest[:, axis]) for axis, name in enumerate(names)]
    caption = "Evidence that it moved (CUSUM); above the line is an alarm."
    limits = [Limit("alarm", plot.limit)]
    parts.append(LinePlot(caption, "seconds", "nats", evidence, limits, events))
    return parts
