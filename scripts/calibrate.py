"""`crosslabel calibrate`: finds where cameras sit, and says how sure it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from calib.clicks import Click
    from calib.refine import RefineOptions, View
    from calib.rig import Rig
    from fusion.calibrate import Calibrated
    from fusion.labels import LabelSet
    from fusion.log import DriveLog


class Method(StrEnum):
    """How to calibrate."""

    AUTO = "auto"
    CLICKS = "clicks"
    BOARD = "board"


@dataclass(frozen=True)
class Inputs:
    """What a calibration rests on beside the log."""

    method: Method
    clicks: Path | None
    labels: Path | None
    board: Path | None
    frames: int
    options: RefineOptions
    seed: int


def run(
    path: Annotated[Path, typer.Argument(help="A drive log.")],
    log: Annotated[str | None, typer.Option(help="Which log of a data set.")] = None,
    format: Annotated[str | None, typer.Option(help="Format of PATH, if it is not recognised.")] = None,
    camera: Annotated[list[str] | None, typer.Option(help="Only this camera (may be repeated).")] = None,
    method: Annotated[Method, typer.Option(help="From driving, from clicks, or from a board.")] = Method.AUTO,
    clicks: Annotated[
        Path | None, typer.Option(help="JSON file of clicks: all there is, or beside the driving.")
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(help="Labels with boxes in images, which count beside the driving.")
    ] = None,
    board: Annotated[Path | None, typer.Option(help="JSON file of the board; for --method board.")] = None,
    rig: Annotated[Path | None, typer.Option(help="Start from this calibration, not the log's own.")] = None,
    frames: Annotated[int, typer.Option(min=2, help="How many frames to use; for --method auto.")] = 12,
    rotation_only: Annotated[bool, typer.Option(help="Keep each camera's place; turn it only.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write the rig with what was accepted here.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write a page with pictures here (.html).")] = None,
    self_test: Annotated[
        int | None, typer.Option(min=1, help="Disturb the given calibration N times and find it again.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of all that is random.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Calibrate cameras against the LiDAR; what cannot be believed is left as it was, with the reason.

    From driving, --clicks and --labels (vehicles with a box in space and one drawn in an image) may help.
    Exit code 1 where a camera was not accepted. --self-test starts from random disturbances of +-1 degree
    and +-10 cm an axis and says how often the given calibration is found again.

    crosslabel calibrate LOG --camera cam_front --out rig.json --report calibration.html
    """
    from calib.refine import RefineOptions
    from scripts.console import progress_bar
    from scripts.logs import cameras_of, open_log

    options = RefineOptions(rotation_only=rotation_only)
    inputs = Inputs(method, clicks, labels, board, frames, options, seed)
    _require_inputs(inputs, self_test)
    drive = open_log(path, format, log, rig)
    names = cameras_of(drive, path, camera)
    with progress_bar("") as progress:
        if self_test is not None:
            _test_itself(drive, names, inputs, self_test, progress, as_json)
            return
        found = _found(drive, names, inputs, progress)
    if out is not None:
        _write(out, drive.rig, found)
    if report is not None:
        from scripts.calibrate_report import page
        from scripts.report import write_report

        write_report(report, page(drive, found))
    _print(drive, found, as_json)
    if not all(outcome.accepted for outcome in found):
        raise typer.Exit(1)


def _require_inputs(inputs: Inputs, self_test: int | None) -> None:
    method = inputs.method
    if method is Method.CLICKS and inputs.clicks is None:
        raise typer.BadParameter("--method clicks needs --clicks FILE")
    if method is Method.BOARD and inputs.clicks is not None:
        raise typer.BadParameter("--clicks FILE goes with --method auto or clicks")
    if (method is Method.BOARD) != (inputs.board is not None):
        raise typer.BadParameter("--board FILE goes with --method board")
    if inputs.labels is not None and method is not Method.AUTO:
        raise typer.BadParameter("--labels goes with --method auto")
    if self_test is not None and (method is not Method.AUTO or inputs.clicks or inputs.labels):
        raise typer.BadParameter("--self-test is for --method auto, without --clicks and --labels")


def _test_itself(
    log: DriveLog, names: list[str], inputs: Inputs, count: int, progress: Any, as_json: bool
) -> None:
    from scripts.calibrate_trials import print_trials, run_trials

    tested = {}
    for name in names:
        views = _views(log, name, inputs.frames, progress)
        ego_from_cam = log.rig.cameras[name].ego_from_sensor
        tested[name] = run_trials(name, views, ego_from_cam, inputs.options, count, inputs.seed, progress)
    print_trials(log.name, tested, as_json)


def _views(log: DriveLog, camera: str, count: int, progress: Any) -> list[View]:
    from fusion.views import views_of

    progress(camera, 0, 1)
    views = views_of(log, camera, count=count)
    progress(camera, 1, 1)
    return views


def _found(log: DriveLog, names: list[str], inputs: Inputs, progress: Any) -> list[Calibrated]:
    from formats.targets import read_board, read_clicks
    from fusion.calibrate import from_board, from_clicks

    if inputs.board is not None:
        board = read_board(inputs.board)
        return [from_board(log, name, board, progress)[0] for name in names]
    clicks = read_clicks(inputs.clicks, log) if inputs.clicks is not None else {}
    if inputs.method is Method.CLICKS:
        clicked = [name for name in names if name in clicks] or names[:1]
        return [from_clicks(log, name, clicks.get(name, [])) for name in clicked]
    return _from_driving(log, names, inputs, clicks, progress)


def _from_driving(
    log: DriveLog, names: list[str], inputs: Inputs, clicks: dict[str, list[Click]], progress: Any
) -> list[Calibrated]:
    from formats.errors import FormatError
    from fusion.calibrate import from_driving

    labels, found = _labels(log, names, inputs), []
    if inputs.clicks is not None and not clicks.keys() & set(names):
        raise FormatError(inputs.clicks, "", f"holds no clicks in images of {', '.join(names)}")
    for name in names:
        views = _views(log, name, inputs.frames, progress)
        helped = (clicks.get(name, ()), labels)
        found.append(from_driving(log, name, views, inputs.options, inputs.seed, *helped))
    return found


def _labels(log: DriveLog, names: list[str], inputs: Inputs) -> LabelSet | None:
    """The labels whose boxes help; an error where none of their boxes can."""
    from formats.errors import FormatError
    from fusion.calibrate import box_pairs
    from scripts.logs import labels_of

    if inputs.labels is None:
        return None
    labels = labels_of(inputs.labels, log)
    if not any(box_pairs(log, name, labels) for name in names):
        message = f"no vehicle has a box in space and one drawn in an image of {', '.join(names)}"
        raise FormatError(inputs.labels, log.name, message)
    return labels


def _write(path: Path, rig: Rig, found: list[Calibrated]) -> None:
    """The given rig with every accepted mount in it."""
    from calib.rig import Rig
    from formats.rigs.rig_json import Provenance, write_rig

    cameras, provenance = dict(rig.cameras), {}
    for outcome in found:
        if not outcome.accepted:
            continue
        sensor = cameras[outcome.camera]
        cameras[outcome.camera] = replace(sensor, ego_from_sensor=outcome.ego_from_cam)
        sigma = outcome.uncertainty
        provenance[outcome.camera] = Provenance(
            f"crosslabel calibrate --method {outcome.method}",
            sigma_rad=tuple(sigma.sigma_rad.tolist()) if sigma else (),
            sigma_m=tuple(sigma.sigma_m.tolist()) if sigma else (),
            note=outcome.reason,
        )
    write_rig(path, Rig.of(tuple(rig.lidars.values()), tuple(cameras.values())), provenance)


def _print(log: DriveLog, found: list[Calibrated], as_json: bool) -> None:
    import json

    import numpy as np

    from scripts.calibrate_report import IN_DEG_AND_CM

    rows = [_row(outcome) for outcome in found]
    if as_json:
        print(json.dumps({"log": log.name, "cameras": rows}, indent=1))
        return
    for outcome in found:
        print(f"{outcome.camera}: {'accepted' if outcome.accepted else 'left as it was'}: {outcome.reason}")
        if outcome.ego_from_found_cam is None or not np.isfinite(outcome.correction).all():
            continue
        correction, sigma = outcome.correction * IN_DEG_AND_CM, outcome.sigma * IN_DEG_AND_CM
        words = [f"{value:+.2f} ± {error:.2f}" for value, error in zip(correction, sigma, strict=True)]
        print(f"  pitch {words[0]}  yaw {words[1]}  roll {words[2]} deg")
        print(f"  right {words[3]}  down {words[4]}  forward {words[5]} cm")
        for text in outcome.weak:
            print(f"  weakest: {text}")


def _row(outcome: Calibrated) -> dict[str, Any]:
    import numpy as np

    def plain(values: Any) -> list[float] | None:
        return [float(value) for value in values] if np.isfinite(values).all() else None

    return {
        "camera": outcome.camera,
        "method": outcome.method,
        "accepted": outcome.accepted,
        "reason": outcome.reason,
        "correction_deg": plain(np.degrees(outcome.correction[:3])),
        "correction_m": plain(outcome.correction[3:]),
        "sigma_deg": plain(np.degrees(outcome.sigma[:3])),
        "sigma_m": plain(outcome.sigma[3:]),
        "weak": list(outcome.weak),
        "evidence": outcome.evidence,
        "ego_from_cam": outcome.ego_from_cam.matrix.tolist(),
    }
