"""Nearest objects, by faiss (Douze et al., 2024): exactly, or through a graph where there are very many.

The graph is hierarchical and navigable (Malkov and Yashunin, 2018).
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from calib.errors import CrosslabelError
from calib.types import F32, F64, I64

MOST_EXACT = 20_000
LINKS, EFFORT_BUILDING, EFFORT_SEARCHING = 32, 80, 128


def nearest(vectors: F32, count: int, most_exact: int = MOST_EXACT) -> tuple[F64, I64]:
    """(N, K) distances and (N, K) rows of the `count` nearest others of each of (N, D) vectors.

    K is less than `count` where there are fewer others. One thread, so that the answers stay the same.

    Raises:
        CrosslabelError: faiss is missing.
    """
    faiss = _faiss()
    count = min(count, len(vectors) - 1)
    if count < 1:
        return np.zeros((len(vectors), 0)), np.zeros((len(vectors), 0), dtype=np.int64)
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        index = _index(faiss, vectors.shape[1], len(vectors) <= most_exact)
        index.add(vectors)
        squares, rows = index.search(vectors, count + 1)
    finally:
        faiss.omp_set_num_threads(threads)
    return _without_self(squares, rows, count)


def _index(faiss: Any, width: int, exact: bool) -> Any:
    if exact:
        return faiss.IndexFlatL2(width)
    index = faiss.IndexHNSWFlat(width, LINKS)
    index.hnsw.efConstruction, index.hnsw.efSearch = EFFORT_BUILDING, EFFORT_SEARCHING
    return index


def _without_self(squares: F32, rows: I64, count: int) -> tuple[F64, I64]:
    """Each row without the object itself, or without the last where twins have pushed it out."""
    others = rows != np.arange(len(rows))[:, None]
    others[others.all(axis=1), -1] = False
    kept = rows[others].reshape(-1, count)
    distances = np.sqrt(np.maximum(squares[others].reshape(-1, count).astype(np.float64), 0.0))
    # A graph may reach fewer than it was asked for: those are as far away as can be.
    return np.where(kept >= 0, distances, np.inf), kept.astype(np.int64)


def _faiss() -> Any:
    try:
        return import_module("faiss")
    except ImportError:
        raise CrosslabelError("finding neighbours needs faiss: pip install 'crosslabel[search]'") from None
