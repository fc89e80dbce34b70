"""`crosslabel info`: what is in a log or a data set."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from formats.format import Format
    from fusion.labels import LabelSet
    from fusion.log import DriveLog


def run(
    path: Annotated[Path, typer.Argument(help="A drive log, a data set or a labels.db.")],
    log: Annotated[list[str] | None, typer.Option(help="Only this log (may be repeated).")] = None,
    format: Annotated[str | None, typer.Option(help="Format of PATH, if it is not recognised.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    propose_settings: Annotated[
        bool, typer.Option(help="Print nothing but the settings that are guessed of a recording, as YAML.")
    ] = False,
) -> None:
    """Show what is in a log or a data set: sensors, rates, length, labels, and what is missing."""
    import json

    from formats.registry import find_format
    from scripts.logs import chosen_ids, open_logs
    from scripts.topics import proposals

    source = find_format(path, format)
    if propose_settings:
        print(proposals(source, path, chosen_ids(source, path, log)), end="")
        return
    if source.open_log is None:
        described = [_describe_labels(path, log_id) for log_id in chosen_ids(source, path, log)]
    else:
        described = [_describe(source, path, drive) for _, drive in open_logs(path, format, log)]
    if as_json:
        print(json.dumps({"path": str(path), "format": source.name, "logs": described}, indent=1))
        return
    _print_tables(source.title, described)


def _describe(source: Format, path: Path, log: DriveLog) -> dict[str, Any]:
    import numpy as np

    from scripts.topics import topics

    places = log.trajectory.world_from_ego.translations
    labels = source.read_labels(path, log) if source.read_labels is not None else None
    return {
        "log": log.name,
        "frames": len(log),
        "seconds": round((int(log.timestamps_ns[-1]) - int(log.timestamps_ns[0])) / 1e9, 3)
        if len(log)
        else 0,
        "travelled_m": round(float(np.linalg.norm(np.diff(places, axis=0), axis=1).sum()), 2),
        "sensors": [_sensor(log, name, "lidar") for name in log.rig.lidars]
        + [_sensor(log, name, "camera") for name in log.rig.cameras],
        "classes": _classes(labels) if labels is not None else {},
        "missing": [
            {"sensor": m.sensor, "timestamp_ns": m.timestamp_ns, "why": m.reason} for m in log.missing
        ],
        "metadata": dict(log.metadata),
        **topics(source, path, log),
    }


def _describe_labels(path: Path, log_id: str) -> dict[str, Any]:
    from formats.labels_db import files_by_log
    from fusion.store import LabelStore

    with LabelStore.open(files_by_log(path)[log_id], read_only=True) as store:
        labels, history = store.labels, store.history()
        sources = Counter(a.source.value for t in labels.tracks.values() for a in t.annotations.values())
        return {
            "log": store.log_name,
            "frames": len(labels.timestamps_ns()),
            "classes": _classes(labels),
            "metadata": {
                "boxes by source": ", ".join(f"{count} {name}" for name, count in sources.most_common()),
                "locked": sum(a.locked for t in labels.tracks.values() for a in t.annotations.values()),
                "edits": len(history),
                "last edit": f"{history[-1].title} ({history[-1].author})" if history else "none",
            },
        }


def _classes(labels: LabelSet) -> dict[str, dict[str, Any]]:
    """Counts and the usual size of each class, the most frequent first."""
    import numpy as np

    from fusion.boxes import Boxes

    found: dict[str, dict[str, Any]] = {}
    for track in labels.tracks.values():
        entry = found.setdefault(track.category, {"tracks": 0, "boxes": 0, "sizes": []})
        entry["tracks"] += 1
        entry["boxes"] += len(track.annotations)
        entry["sizes"].append(Boxes.stack(a.box for a in track.annotations.values()).sizes_lwh_m)
    for entry in found.values():
        sizes = np.concatenate(entry.pop("sizes"))
        entry["median_lwh_m"] = [round(float(v), 2) for v in np.median(sizes, axis=0)] if len(sizes) else []
    return dict(sorted(found.items(), key=lambda item: -item[1]["boxes"]))


def _sensor(log: DriveLog, name: str, kind: str) -> dict[str, Any]:
    import numpy as np

    if kind == "lidar":
        times = [ref.timestamp_ns for ref in log.sweeps.get(name, ())]
        detail = f"{len(log.sweeps[name][0].read()):,} points in the first" if times else "no scans"
        ego_from_sensor = log.rig.lidars[name].ego_from_sensor
    else:
        camera = log.rig.cameras[name]
        times = [ref.timestamp_ns for ref in log.images.get(name, ())]
        model = camera.model
        detail = f"{type(model).__name__.lower()} {model.width_px}x{model.height_px}"
        ego_from_sensor = camera.ego_from_sensor
    gaps = np.diff(np.array(times, dtype=np.int64))
    return {
        "name": name,
        "kind": kind,
        "readings": len(times),
        "hz": round(1e9 / float(np.median(gaps)), 2) if len(gaps) else None,
        "detail": detail,
        "place_m": [round(float(v), 3) for v in ego_from_sensor.translation],
    }


def _print_tables(title: str, described: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    from scripts.topics import print_topics

    console = Console(width=None if Console().is_terminal else 120)
    for entry in described:
        drive = f", {entry['seconds']} s, {entry['travelled_m']} m travelled" if "sensors" in entry else ""
        console.print(f"[bold]{entry['log']}[/bold]  {title}: {entry['frames']} frames{drive}")
        sensors = Table("sensor", "kind", "readings", "Hz", "", "x y z in ego, m")
        for s in entry.get("sensors", []):
            place = " ".join(f"{v:.2f}" for v in s["place_m"])
            sensors.add_row(s["name"], s["kind"], str(s["readings"]), str(s["hz"] or "-"), s["detail"], place)
        if "sensors" in entry:
            console.print(sensors)
        if entry["classes"]:
            classes = Table("class", "tracks", "boxes", "median length width height, m")
            for name, row in entry["classes"].items():
                size = " ".join(f"{v:.2f}" for v in row["median_lwh_m"])
                classes.add_row(name, str(row["tracks"]), str(row["boxes"]), size)
            console.print(classes)
        shown = {key: value for key, value in entry["metadata"].items() if len(str(value)) <= 100}
        for key, value in shown.items():
            console.print(f"  {key}: {value}", highlight=False)
        print_topics(console, entry)
