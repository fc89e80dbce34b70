"""Which rows of a data set belong to which scene, found in one pass over the tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from formats.errors import FormatError
from formats.nuscenes.tables import Row, Span, by_token, read_spans, rows

NEEDED = ("scene", "sample", "sample_data", "calibrated_sensor", "sensor", "ego_pose")


@dataclass(frozen=True, eq=False, slots=True)
class Index:
    """The small tables whole, and of the large ones where the rows of each scene stand in their files.

    Attributes:
        root: the folder that file names start from.
        folder: the folder of the tables, whose name is the version.
        scenes: rows of scene by name.
        small: whole tables by name, their rows by token.
        spans: by table, then by token of the scene.
    """

    root: Path
    folder: Path
    scenes: dict[str, Row]
    small: dict[str, dict[str, Row]]
    spans: dict[str, dict[str, list[Span]]]

    def rows_of(self, table: str, scene: Row) -> list[Row]:
        """The rows of one scene in the order of the table.

        Raises:
            FormatError: the table has changed.
        """
        return read_spans(self.folder / f"{table}.json", self.spans[table].get(scene.text("token"), []))

    def refer(self, row: Row, name: str, table: str) -> Row:
        """The row of a small table that a field refers to.

        Raises:
            FormatError: there is no such row.
        """
        found = self.small[table].get(row.text(name))
        if found is None:
            raise row.error(f"{name} {row.text(name)!r} is in no row of {table}.json")
        return found


def tables_folder(path: Path) -> Path | None:
    """The folder of tables of a data set: the path itself, or the one folder in it that holds them."""
    if (path / "sample_data.json").is_file():
        return path
    try:
        found = sorted(p.parent for p in path.glob("*/sample_data.json") if p.parent.name[0] != ".")
    except OSError:
        return None
    if len(found) > 1:
        names = ", ".join(folder.name for folder in found)
        raise FormatError(path, "", f"holds several versions ({names}); name the folder of one")
    return found[0] if found else None


def index_of(path: Path) -> Index:
    """The index of a data set, made once and kept as long as its tables do not change.

    Raises:
        FormatError: no data set there, tables that are missing or broken, tokens that lead nowhere.
    """
    folder = tables_folder(path)
    if folder is None:
        raise FormatError(path, "", "holds no nuScenes tables (no <version>/sample_data.json)")
    stamps = []
    for table in sorted(folder.glob("*.json")):
        stat = table.stat()
        stamps.append((table.name, stat.st_mtime_ns, stat.st_size))
    return _index(folder.resolve(), tuple(stamps))


@lru_cache(maxsize=4)
def _index(folder: Path, stamps: tuple[tuple[str, int, int], ...]) -> Index:
    present = {name for name, _, _ in stamps}
    for name in NEEDED:
        if f"{name}.json" not in present:
            raise FormatError(folder / f"{name}.json", "", "no such table")

    def small(name: str) -> dict[str, Row]:
        return by_token(folder / f"{name}.json") if f"{name}.json" in present else {}

    tables = {
        name: small(name)
        for name in ("scene", "log", "sensor", "calibrated_sensor", "category", "attribute", "visibility")
    }
    scenes: dict[str, Row] = {}
    for row in tables["scene"].values():
        if scenes.setdefault(row.text("name"), row) is not row:
            raise row.error(f"two scenes are called {row.text('name')!r}")
    return Index(folder.parent, folder, scenes, tables, _spans(folder, present, set(tables["scene"])))


def _spans(folder: Path, present: set[str], scenes: set[str]) -> dict[str, dict[str, list[Span]]]:
    """Follows the tokens from scene to sample to readings, poses, annotations and instances."""
    of_sample: dict[str, str] = {}
    of_pose: dict[str, str] = {}
    of_instance: dict[str, str] = {}

    def sample(row: Row) -> str:
        scene = row.text("scene_token")
        if scene not in scenes:
            raise row.error(f"scene_token {scene!r} is in no row of scene.json")
        of_sample[row.text("token")] = scene
        return scene

    def through_sample(row: Row) -> str:
        scene = of_sample.get(row.text("sample_token"))
        if scene is None:
            raise row.error(f"sample_token {row.text('sample_token')!r} is in no row of sample.json")
        return scene

    def sample_data(row: Row) -> str:
        return of_pose.setdefault(row.text("ego_pose_token"), through_sample(row))

    def ego_pose(row: Row) -> str | None:
        return of_pose.get(row.text("token")) or row.extra.get("scene_token")

    def sample_annotation(row: Row) -> str:
        return of_instance.setdefault(row.text("instance_token"), through_sample(row))

    def instance(row: Row) -> str | None:
        return of_instance.get(row.text("token"))

    owners: dict[str, Callable[[Row], str | None]] = {
        "sample": sample,
        "sample_data": sample_data,
        "ego_pose": ego_pose,
        "sample_annotation": sample_annotation,
        "instance": instance,
    }
    spans: dict[str, dict[str, list[Span]]] = {}
    for name, owner in owners.items():
        spans[name] = {}
        if f"{name}.json" in present:
            for span, row in rows(folder / f"{name}.json"):
                scene = owner(row)
                if scene is not None:
                    spans[name].setdefault(scene, []).append(span)
    return spans
