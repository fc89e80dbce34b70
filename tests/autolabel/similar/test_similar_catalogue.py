"""What is kept of the objects of a log, as a file."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from autolabel.similar import Catalogue
from autolabel.similar.catalogue import NUMBERS, TEXTS
from autolabel.similar.features import WIDTH, Features
from calib.errors import CrosslabelError


def catalogue(log: str, seed: int) -> Catalogue:
    """Thirty objects of nothing in particular."""
    values = np.random.default_rng(seed).normal(size=(30, WIDTH)).astype(np.float32)
    values[3, 5:9] = np.nan
    features = Features(
        values, np.full(30, 9, np.float32), np.zeros(30, np.float32), np.zeros((30, 0), np.float32)
    )
    return Catalogue(log, "print", tuple(f"t{k}" for k in range(30)), ("car",) * 30, features)


def test_a_catalogue_comes_back_as_it_was_and_the_same_bytes_twice(tmp_path: Path) -> None:
    one = catalogue("Straße", 4)
    path = tmp_path / "similar.npz"
    path.write_bytes(one.to_bytes())
    back = Catalogue.read(path)
    assert back.to_bytes() == one.to_bytes() and back.tracks == one.tracks and back.log == "Straße"
    empty = Catalogue("e", "", (), (), Features.none())
    path.write_bytes(empty.to_bytes())
    assert Catalogue.read(path).tracks == ()


def changed(one: Catalogue, **columns: np.ndarray) -> bytes:
    with np.load(io.BytesIO(one.to_bytes())) as content:
        kept = {name: content[name] for name in TEXTS + NUMBERS}
    made = io.BytesIO()
    np.savez(made, **{**kept, **columns})
    return made.getvalue()


@pytest.mark.parametrize(
    "columns",
    [
        {"mark": np.array("other")},
        {"values": np.zeros((30, WIDTH - 1), np.float32)},
        {"values": np.full((30, WIDTH), np.inf, np.float32)},
        {"points": np.full(30, np.nan, np.float32)},
        {"points": np.zeros((30, 2), np.float32)},
        {"embeddings": np.float32(3)},
        {"embeddings": np.zeros(30, np.float32)},
        {"tracks": np.array(["x"])},
        {"tracks": np.arange(30)},
        {"categories": np.array([{}] * 30, dtype=object)},
        {"more": np.zeros(3)},
    ],
)
def test_a_file_with_other_content_is_refused(tmp_path: Path, columns: dict[str, np.ndarray]) -> None:
    path = tmp_path / "similar.npz"
    path.write_bytes(changed(catalogue("a", 1), **columns))
    with pytest.raises(CrosslabelError, match=r"similar\.npz: no index of objects that can be read"):
        Catalogue.read(path)


def test_damaged_files_are_refused_whatever_is_damaged(tmp_path: Path) -> None:
    path, whole = tmp_path / "similar.npz", catalogue("a", 1).to_bytes()
    rng = np.random.default_rng(0)
    for trial in range(60):
        damaged = bytearray(whole[: rng.integers(0, len(whole))] if trial % 3 == 0 else whole)
        for place in rng.integers(0, max(len(damaged), 1), 6):
            if damaged:
                damaged[place] = rng.integers(0, 256)
        path.write_bytes(bytes(damaged))
        try:
            Catalogue.read(path)
        except CrosslabelError as error:
            assert str(path) in str(error)


def test_a_file_that_unpacks_to_too_much_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autolabel.similar.catalogue.MOST_BYTES", 1 << 20)
    path = tmp_path / "similar.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("values.npy", bytes(2 << 20))
    with pytest.raises(CrosslabelError, match="unpacks to more"):
        Catalogue.read(path)


def test_no_such_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(CrosslabelError, match=r"none\.npz: cannot be read"):
        Catalogue.read(tmp_path / "none.npz")
