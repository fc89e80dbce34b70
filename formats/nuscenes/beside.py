"""What lies beside a scene of nuScenes, written again: tables of others, their files, and unknown fields.

Tokens are made anew where a data set is written, so rows are kept whose references lead to what is written:
`sample_data_token` to a reading, `sample_token` to a sample, and so on. That holds for lidarseg and panoptic
(Fong et al., 2022), for the boxes in images that nuscenes-devkit exports, and for what others add.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import Any

from formats.errors import FormatError
from formats.files import inside
from formats.nuscenes.common import POINT_LABELS, SPLITS, Common
from formats.nuscenes.index import index_of
from formats.nuscenes.log import Beside
from formats.nuscenes.points import POINT_BYTES
from formats.nuscenes.read import Opening, scene_of
from formats.nuscenes.tables import TABLES, Row, rows
from formats.nuscenes.tokens import EXTRA, token_of
from formats.nuscenes.vocabulary import WORDS
from formats.nuscenes.write_labels import annotation_token, instance_token
from formats.nuscenes.write_sensors import SensorWriter
from fusion.labels import LabelSet

STANDARD = frozenset(
    f"{EXTRA} token prev next timestamp translation rotation camera_intrinsic camera_distortion name"
    " description logfile vehicle date_captured location log_token nbr_samples first_sample_token"
    " last_sample_token scene_token sample_token ego_pose_token calibrated_sensor_token sensor_token"
    " filename fileformat width height is_key_frame".split()
)
OF_A_LOG = ("scene", "log", "sample", "sample_data", "ego_pose", "calibrated_sensor")
OF_A_SCENE = (*OF_A_LOG, "instance", "sample_annotation")
OWN_ROWS = ("token", "prev", "next")
_LIST_OF_OBJECTS = re.compile(rb"(\xef\xbb\xbf)?\s*\[\s*[{\]]")

Tokens = dict[str, dict[str, str]]


class BesideWriter:
    """Writes again what lies beside one scene."""

    def __init__(self, beside: Beside, sensors: SensorWriter, labels: LabelSet, common: Common) -> None:
        self.sensors, self.labels, self.common = sensors, labels, common
        self.log, self.plan, self.tables = sensors.log, sensors.plan, sensors.tables
        self.index = index_of(beside.tables)
        self.scene = scene_of(self.index, beside.scene)
        self.opening = Opening(self.index, self.scene)
        self.tokens = self._tokens_of_sensors()
        self.readings = {row.text("token"): row for some in self.opening.readings.values() for row in some}
        self.by_file = {row.text("filename"): token for token, row in self.readings.items()}

    def carry_fields(self) -> None:
        """Has fields that nuScenes does not know written beside those of their rows."""
        listed = [self.scene, *self.index.rows_of("sample", self.scene), *self.readings.values()]
        listed += [*self.opening.calibrations.values(), *self.index.rows_of("ego_pose", self.scene)]
        log = self.index.small["log"].get(str(self.scene.fields.get("log_token")))
        for row in [*listed, log] if log else listed:
            table = row.path.stem
            token = self.tokens[table].get(row.text("token"))
            unknown = {name: value for name, value in row.fields.items() if name not in STANDARD}
            if unknown and token is not None:
                self.tables.carried[table, token] = unknown

    def write_tables(self) -> None:
        """Writes the rows that lead to what was written of the scene, and the files they name.

        Raises:
            FormatError: a broken table, a path that leads out, labels of other points than those written.
        """
        named = [f for f in self.index.folder.glob("*.json") if f.stem not in TABLES and f.name != SPLITS]
        others = [file for file in sorted(named) if _is_table(file)]
        if others:
            self.tokens |= self._tokens_of_labels()
        for file in others:
            for _, row in rows(file):
                became = self._translated(row)
                fields = None if became is None else self._with_file(file.stem, row, became)
                if fields is not None:
                    shared = not any(table in OF_A_SCENE for table, _, _ in self._references(row))
                    self.tables.add_row(file.stem, fields, once=shared)

    def _references(self, row: Row) -> list[tuple[str, str, list[str]]]:
        """Fields that hold tokens: of which table, what they are called, and the tokens."""
        found = []
        for name, value in row.fields.items():
            table = name.removesuffix("s").removesuffix("_token")
            if table in self.tokens or table in WORDS:
                if name.endswith("_token") and isinstance(value, str) and value:
                    found.append((table, name, [value]))
                elif name.endswith("_tokens") and isinstance(value, list):
                    found.append((table, name, [each for each in value if isinstance(each, str)]))
        return found

    def _translated(self, row: Row) -> dict[str, Any] | None:
        """The row with new tokens; None where it is of another scene, or of what is not written."""
        fields = dict(row.fields)
        for table, name, before in self._references(row):
            now = [new for old in before if (new := self._new(table, old)) is not None]
            if before and not now:
                return None
            fields[name] = now if name.endswith("s") else now[0]
            for own in OWN_ROWS:
                old = row.fields.get(own)
                if isinstance(old, str) and old in self.tokens.get(table, {}):
                    fields[own] = self.tokens[table][old]
        return fields

    def _new(self, table: str, old: str) -> str | None:
        if table in WORDS:
            word = self.index.small[table].get(old)
            return None if word is None else self.common.vocabulary.token(table, word.text(WORDS[table]))
        return self.tokens[table].get(old)

    def _with_file(self, table: str, row: Row, fields: dict[str, Any]) -> dict[str, Any] | None:
        """The row with the name of the file that it is about, which is copied; None where there is none."""
        name = fields.get("filename")
        if not isinstance(name, str) or not name:
            return fields
        source = inside(self.index.root, name, row.path, f"token {row.fields.get('token')!r}")
        if name in self.by_file:
            reading = self.tokens["sample_data"].get(self.by_file[name], "")
            written = self.sensors.files.get(reading)
            return None if written is None else fields | {"filename": written}
        renamed = self._renamed(row, name)
        if renamed is None or not source.is_file():
            return None
        if table in POINT_LABELS and not self._fits(row, source):
            return None
        self.common.keep_file(renamed, source)
        return fields | {"filename": renamed}

    def _renamed(self, row: Row, name: str) -> str | None:
        """The name with new tokens and version in it; None where such a file is none that lies beside."""
        before, now = self.index.folder.name, self.tables.folder.name
        *folders, file = (now if part == before else part for part in PurePosixPath(name).parts)
        if not folders or folders[0] in ("samples", "sweeps", "maps", now):
            return None
        for table, _, tokens in self._references(row):
            for old in tokens:
                file = file.replace(old, self._new(table, old) or old)
        return "/".join([*folders, file])

    def _fits(self, row: Row, source: Path) -> bool:
        """Whether there is a cloud that labels of points are for.

        Raises:
            FormatError: its points are not those that were labelled.
        """
        token = str(row.fields.get("sample_data_token"))
        reading = self.readings.get(token)
        if reading is None or not (self.index.root / reading.text("filename")).is_file():
            return False
        cloud = self.sensors.root / self.sensors.files[self.tokens["sample_data"][token]]
        labelled, written = (
            file.stat().st_size // POINT_BYTES for file in (self.index.root / reading.text("filename"), cloud)
        )
        if source.suffix == ".bin":
            labelled = source.stat().st_size
        if labelled != written:
            raise FormatError(source, "", f"labels {labelled} points of a cloud that has {written}")
        return True

    def _tokens_of_sensors(self) -> Tokens:
        """By table, which tokens became which."""
        name, opening, plan = self.log.name, self.opening, self.plan
        written = {(c.modality, c.sensor, r.timestamp_ns): r.token for c in plan.channels for r in c.readings}
        samples = dict(zip(plan.samples_ns.tolist(), plan.sample_tokens, strict=True))
        channels = {(c.modality, c.sensor): c.name for c in plan.channels}
        found: Tokens = {table: {} for table in (*OF_A_SCENE, "sensor")}
        found["scene"][self.scene.text("token")] = token_of(name, "scene")
        found["log"][str(self.scene.fields.get("log_token"))] = token_of(name, "log")
        found["sample"] = {old: samples[t] for old, t in opening.samples_ns.items() if t in samples}
        for channel, calibration in opening.calibrations.items():
            sensor = opening.modalities[channel], opening.name(channel)
            now = channels.get(sensor)
            if now is not None:
                found["sensor"][calibration.text("sensor_token")] = token_of("sensor", now)
                found["calibrated_sensor"][calibration.text("token")] = token_of(
                    name, "calibrated_sensor", now
                )
            for row in opening.readings.get(channel, []):
                token = written.get((*sensor, row.timestamp_ns()))
                if token is not None:
                    found["sample_data"][row.text("token")] = token
                    found["ego_pose"].setdefault(row.text("ego_pose_token"), token)
        return found

    def _tokens_of_labels(self) -> Tokens:
        found: Tokens = {"instance": {}, "sample_annotation": {}}
        samples_ns = set(self.plan.samples_ns.tolist())
        ids: dict[str, str] = {}
        for row in self.index.rows_of("instance", self.scene):
            id = str(row.extra.get("id", row.text("token")))
            track = self.labels.tracks.get(id)
            if track is not None and samples_ns & track.annotations.keys():
                ids[row.text("token")] = id
                found["instance"][row.text("token")] = instance_token(self.log.name, id)
        for row in self.index.rows_of("sample_annotation", self.scene):
            owner, t = ids.get(row.text("instance_token")), self.opening.samples_ns[row.text("sample_token")]
            if owner is not None and t in samples_ns & self.labels.tracks[owner].annotations.keys():
                found["sample_annotation"][row.text("token")] = annotation_token(self.log.name, owner, t)
        return found


def _is_table(file: Path) -> bool:
    with file.open("rb") as stream:
        return _LIST_OF_OBJECTS.match(stream.read(256)) is not None
