"""`crosslabel autolabel`: whole logs from one box, key frames, detections or nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def run(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Drive logs, or data sets of several.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the results: one folder a log.")],
    log: Annotated[list[str] | None, typer.Option(help="Only this log (may be repeated).")] = None,
    format: Annotated[str | None, typer.Option(help="Format of PATH, if it is not recognised.")] = None,
    seed_labels: Annotated[
        list[Path] | None, typer.Option(help="Labels to take key frames from (may be repeated).")
    ] = None,
    seed_every: Annotated[
        int | None, typer.Option(min=1, help="Take every n-th frame; all that are labelled unless given.")
    ] = None,
    seed_frames: Annotated[str | None, typer.Option(help="Take these frames, such as 0,7,14.")] = None,
    detections: Annotated[Path | None, typer.Option(help="Folder of per-frame boxes to track.")] = None,
    detector: Annotated[
        Path | None, typer.Option(help="LiDAR network that searches the scans (.onnx, with its .json).")
    ] = None,
    camera_detector: Annotated[
        Path | None, typer.Option(help="YOLOX network whose 2D boxes judge and name what is found (.onnx).")
    ] = None,
    trips: Annotated[
        bool, typer.Option("--trips", help="The logs are drives through one street: share what stands still.")
    ] = False,
    poses: Annotated[Path | None, typer.Option(help="Folder of trajectories, one a log.")] = None,
    rig: Annotated[Path | None, typer.Option(help="Calibration to use in place of the log's own.")] = None,
    config: Annotated[Path | None, typer.Option(help="Settings that differ from the defaults, YAML.")] = None,
    trust_poses: Annotated[
        bool, typer.Option("--trust-poses", help="Take the trajectory as it is, whatever the scans say.")
    ] = False,
    points: Annotated[bool, typer.Option(help="Follow objects by their points.")] = True,
    rectangles: Annotated[bool, typer.Option(help="Give every object its rectangle in every image.")] = True,
    explain: Annotated[
        list[str] | None, typer.Option(help="Write a page on how this track came about (may be repeated).")
    ] = None,
    workers: Annotated[
        int, typer.Option(min=1, help="Work on so many logs at a time, in processes of this machine.")
    ] = 1,
    cluster: Annotated[
        str | None,
        typer.Option(help="Let the workers of this dask scheduler do it, such as tcp://host:8786."),
    ] = None,
    check: Annotated[bool, typer.Option(help="Hold the labels against the rules of `check`.")] = True,
    rules: Annotated[
        Path | None, typer.Option(help="What the project changes about the rules, YAML.")
    ] = None,
    report: Annotated[
        bool, typer.Option("--report", help="Write a page a log with pictures of what is worth a look.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace what a person has worked on, too; locked boxes stay.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a line of JSON a log.")] = False,
) -> None:
    """Label whole logs: from one box of each object, from key frames, from detections, or from nothing.

    Writes OUT/<log>/labels.db, check.json and run.json for each log. What is there already and came from the
    same input, settings and version is left alone; what is out of date is made anew, unless a person has
    worked on it. A log that cannot be labelled is said to be so, and the next one follows. Of several logs
    OUT/index.html shows how they fare and OUT/queue.jsonl in which order to look at them.

    One frame is labelled: crosslabel autolabel LOG --seed-labels LOG --seed-frames 11 --out out

    Every tenth one is: crosslabel autolabel LOG --seed-labels LOG --seed-every 10 --out out

    A detector's boxes: crosslabel autolabel LOG --detections FOLDER --out out

    Nothing, proposals to look at: crosslabel autolabel LOG --out out

    Two drives through one street: crosslabel autolabel TRIP1 TRIP2 --trips --seed-labels TRIP1 --out out

    A thousand logs on eight cores: crosslabel autolabel LOGS --workers 8 --out out

    How track 12 came about: crosslabel autolabel LOG --detections FOLDER --out out --explain 12
    """
    from scripts.autolabel_batch import Batch
    from scripts.autolabel_given import Sources, frame_numbers, settings
    from scripts.autolabel_together import Trips, all_explained
    from scripts.autolabel_unit import PICTURES, Asked, LogUnit
    from scripts.check_runs import chosen_rules
    from scripts.logs import logs_at

    frames = None if seed_frames is None else tuple(frame_numbers(seed_frames))
    sources = Sources(
        tuple(seed_labels or ()), seed_every, frames, detections, detector, camera_detector, trips
    )
    asked = Asked(
        sources,
        settings(config, trust_poses=trust_poses, points=points, rectangles=rectangles),
        chosen_rules(rules, [], []) if check else None,
        out,
        poses,
        rig,
        force,
        tuple(explain or ()),
        PICTURES if report else None,
    )
    if report and not check:
        raise typer.BadParameter("--report shows what the rules find: not with --no-check")
    if trips and (workers > 1 or cluster is not None):
        raise typer.BadParameter("--trips works on all drives at once: not with --workers or --cluster")
    places = logs_at(paths, format, log)
    if trips and len(places) < 2:
        raise typer.BadParameter("--trips takes two drives or more")
    asked.givens()
    out.mkdir(parents=True, exist_ok=True)
    if trips:
        Trips(places, asked, as_json).run()
        return
    here, alone = workers == 1 and cluster is None, len(places) == 1
    asked = asked if here else asked.anywhere()
    units = [
        LogUnit(at.log_id, at.source.name, at.path if here else at.path.resolve(), alone, asked)
        for at in places
    ]
    batch = Batch(units, out, workers, cluster, as_json)
    code = batch.run()
    if code:
        raise typer.Exit(code)
    all_explained(asked.explain, batch.explained)
