"""What the logs of one data set share: words, maps, splits, and files that were there before."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from formats.errors import FormatError
from formats.files import inside, read_json, write_bytes, write_json
from formats.nuscenes.images import copy_file
from formats.nuscenes.index import Index, index_of
from formats.nuscenes.log import beside_of
from formats.nuscenes.read import scene_of
from formats.nuscenes.tables import Row, TableWriter, by_token
from formats.nuscenes.tokens import token_of
from formats.nuscenes.vocabulary import Vocabulary
from fusion.log import DriveLog

SPLIT, SPLITS = "all", "splits.json"
POINT_LABELS = ("lidarseg", "panoptic")
MAP_SIDE_PX = 64
PLAIN_TOKEN = re.compile(r"\w{1,64}", re.ASCII)


class Common:
    """Gathered log by log, written at the end.

    Attributes:
        root: the folder of the data set.
        vocabulary: the words of labels.
        names: of the logs so far.
    """

    def __init__(self, root: Path, tables: TableWriter, hard_links: bool) -> None:
        self.root, self._tables, self._hard_links = root, tables, hard_links
        self.vocabulary, self.names = Vocabulary(), list[str]()
        self._splits: dict[str, list[str]] = {SPLIT: self.names}
        self._maps: dict[tuple[Path, str], tuple[Row, list[str]]] = {}
        self._files: dict[str, Path] = {}

    def add(self, log: DriveLog) -> None:
        """Takes up a log, and what the data set says that it was in before.

        Raises:
            FormatError: two data sets contradict each other, or a table is broken.
        """
        self.names.append(log.name)
        beside = beside_of(log)
        if beside is not None:
            index = index_of(beside.tables)
            if any((index.folder / f"{table}.json").is_file() for table in POINT_LABELS):
                self.vocabulary.number_classes(index.small["category"].values())
            self._add_splits(index, beside.scene, log.name)
            self._add_maps(index, scene_of(index, beside.scene), log.name)

    def keep_file(self, name: str, source: Path) -> None:
        """Copies a file that was there before, once.

        Raises:
            FormatError: another file has this name already, or it cannot be read.
        """
        if self._files.setdefault(name, source) != source:
            raise FormatError(source, "", f"would be written as {name!r}, as {self._files[name]} is")
        if not (self.root / name).exists():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            copy_file(source, self.root / name, self._hard_links)

    def write(self) -> None:
        """Writes words, maps and splits."""
        self.vocabulary.write(self._tables)
        used: set[str] = set()
        for (source, before), (row, names) in self._maps.items():
            keeps = PLAIN_TOKEN.fullmatch(before) and before not in used
            token = before if keeps else token_of("map", before, *names)
            used.add(token)
            name = f"maps/{token}{source.suffix}"
            self.keep_file(name, source)
            self._add_map(token, name, names, _but(row, "token", "filename", "log_tokens"))
        mapped = {name for _, names in self._maps.values() for name in names}
        bare = [name for name in self.names if name not in mapped]
        if bare:
            self._add_blank_map(bare)
        write_json(self._tables.folder / SPLITS, self._splits)

    def _add_splits(self, index: Index, scene: str, name: str) -> None:
        file = index.folder / SPLITS
        splits = read_json(file) if file.is_file() else {}
        for split, members in splits.items() if isinstance(splits, dict) else ():
            if isinstance(members, list) and scene in members and split != SPLIT:
                self._splits.setdefault(split, []).append(name)

    def _add_maps(self, index: Index, scene: Row, name: str) -> None:
        file = index.folder / "map.json"
        for row in by_token(file).values() if file.is_file() else ():
            logs = row.fields.get("log_tokens")
            if isinstance(logs, list) and scene.fields.get("log_token") in logs:
                token = row.text("token")
                source = inside(index.root, row.text("filename"), file, f"token {token!r}")
                if source.is_file():
                    self._maps.setdefault((source, token), (row, []))[1].append(name)

    def _add_blank_map(self, names: list[str]) -> None:
        """A blank map of every log that has none: the devkit opens no data set without."""
        import cv2
        import numpy as np

        token = token_of("map", *names)
        blank = cv2.imencode(".png", np.zeros((MAP_SIDE_PX, MAP_SIDE_PX), dtype=np.uint8))[1]
        write_bytes(self.root / "maps" / f"{token}.png", blank.tobytes())
        self._add_map(token, f"maps/{token}.png", names, {"category": "semantic_prior"})

    def _add_map(self, token: str, file: str, names: list[str], fields: dict[str, Any]) -> None:
        logs = [token_of(each, "log") for each in names]
        self._tables.add("map", token, **{"log_tokens": logs, **fields, "filename": file})


def _but(row: Row, *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.fields.items() if name not in names}
