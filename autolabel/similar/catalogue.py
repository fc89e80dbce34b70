"""What was measured of the objects of one log, as a file that is read with suspicion."""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from autolabel.pipeline import Given
from autolabel.records import fingerprint
from autolabel.similar.features import VERSION, WIDTH, Features
from calib.errors import CrosslabelError
from fusion.labels import LabelSet
from fusion.log import DriveLog

MARK = "crosslabel objects"
MOST_BYTES = 2 << 30
TEXTS = ("mark", "fingerprint", "log", "tracks", "categories")
NUMBERS = ("values", "points", "sides_px", "embeddings")


@dataclass(frozen=True, eq=False, slots=True)
class Catalogue:
    """The objects of one log.

    Attributes:
        log: its name.
        fingerprint: of the log, its labels, the network, and the way of measuring.
        tracks: N ids, in order.
        categories: N class names.
        features: of each.
    """

    log: str
    fingerprint: str
    tracks: tuple[str, ...]
    categories: tuple[str, ...]
    features: Features

    def to_bytes(self) -> bytes:
        """As an .npz file; the same objects give the same bytes."""
        columns = {name: getattr(self.features, name) for name in NUMBERS}
        texts = {
            "mark": np.array(MARK),
            "fingerprint": np.array(self.fingerprint),
            "log": np.array(self.log),
            "tracks": np.array(self.tracks, dtype=np.str_),
            "categories": np.array(self.categories, dtype=np.str_),
        }
        content = io.BytesIO()
        np.savez(content, allow_pickle=False, **texts, **columns)
        return content.getvalue()

    @classmethod
    def read(cls, path: Path) -> Catalogue:
        """From a file; nothing in it is executed.

        Raises:
            CrosslabelError: it cannot be read, is no such file, or is damaged.
        """
        try:
            columns = _columns(path)
        except OSError as error:
            raise CrosslabelError(f"{path}: cannot be read: {error.strerror or error}") from None
        except (ValueError, KeyError, EOFError, zipfile.BadZipFile, zipfile.LargeZipFile) as error:
            raise _damaged(path, str(error)) from None
        except (NotImplementedError, RuntimeError, MemoryError, SyntaxError, OverflowError) as error:
            raise _damaged(path, str(error)) from None
        features = Features(*(columns[name].astype(np.float32) for name in NUMBERS))
        tracks, categories = columns["tracks"].tolist(), columns["categories"].tolist()
        log, print_ = str(columns["log"]), str(columns["fingerprint"])
        return cls(log, print_, tuple(tracks), tuple(categories), features)


def _columns(path: Path) -> dict[str, np.ndarray]:
    with zipfile.ZipFile(path) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > MOST_BYTES:
            raise ValueError(f"unpacks to more than {MOST_BYTES >> 30} GiB")
        if set(archive.namelist()) != {f"{name}.npy" for name in TEXTS + NUMBERS}:
            raise ValueError("other columns than those of objects")
    with np.load(path, allow_pickle=False) as content:
        columns = {name: content[name] for name in TEXTS + NUMBERS}
    if any(columns[name].dtype.kind != "U" for name in TEXTS) or str(columns["mark"]) != MARK:
        raise ValueError("not written by us")
    if any(columns[name].dtype.kind != "f" for name in NUMBERS):
        raise ValueError("numbers of another type")
    count = columns["tracks"].size
    shapes: dict[str, tuple[int, ...]] = {
        "tracks": (count,),
        "categories": (count,),
        "points": (count,),
        "sides_px": (count,),
    }
    shapes |= {"values": (count, WIDTH), "embeddings": (count, *(columns["embeddings"].shape[1:2] or (0,)))}
    for name, shape in shapes.items():
        if columns[name].shape != shape:
            raise ValueError(f"{name} of shape {columns[name].shape}, not {shape}")
    known = (columns[name] for name in ("points", "sides_px", "embeddings"))
    if not all(np.isfinite(column).all() for column in known) or np.isinf(columns["values"]).any():
        raise ValueError("values that are no numbers")
    return columns


def _damaged(path: Path, reason: str) -> CrosslabelError:
    return CrosslabelError(
        f"{path}: no index of objects that can be read ({reason}); delete it to make it anew"
    )


def print_of(log: DriveLog, labels: LabelSet, network: Path | None = None) -> str:
    """A hash of all that decides what is measured.

    Raises:
        CrosslabelError: the network cannot be read.
    """
    networks = {"features": str(VERSION)}
    if network is not None:
        try:
            networks["embedding"] = hashlib.sha256(network.read_bytes()).hexdigest()
        except OSError as error:
            raise CrosslabelError(f"{network}: {(error.strerror or 'cannot be read').lower()}") from None
    return fingerprint(log, Given(keyframes=labels), networks)
