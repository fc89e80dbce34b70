"""Assignment, compiled: small and dense, once a frame."""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def assign(gains, column_of):
    """The pairs of rows and columns with the largest sum of gains; -1 for a row without one.

    Shortest augmenting paths (Kuhn, 1955; Jonker and Volgenant, 1987). A gain of 0 is no pair.
    """
    rows, columns = gains.shape
    column_of[:] = -1
    taken = np.full(columns, -1)
    clear = True
    for i in range(rows):
        for j in range(columns):
            if gains[i, j] > 0:
                if column_of[i] >= 0 or taken[j] >= 0:
                    clear = False
                else:
                    column_of[i], taken[j] = j, i
    if clear:
        return
    if rows <= columns:
        solve(gains, column_of)
    else:
        row_of = np.empty(columns, np.int64)
        solve(np.ascontiguousarray(gains.T), row_of)
        column_of[:] = -1
        for j in range(columns):
            if row_of[j] >= 0:
                column_of[row_of[j]] = j
    for i in range(rows):
        if column_of[i] >= 0 and gains[i, column_of[i]] <= 0:
            column_of[i] = -1


@njit(cache=True, nogil=True)
def solve(gains, column_of):
    """A column for every row; there are at least as many columns."""
    rows, columns = gains.shape
    potential, price = np.zeros(rows + 1), np.zeros(columns + 1)
    match, way = np.zeros(columns + 1, np.int64), np.zeros(columns + 1, np.int64)
    for i in range(1, rows + 1):
        match[0] = i
        j0 = 0
        least = np.full(columns + 1, np.inf)
        used = np.zeros(columns + 1, np.bool_)
        while True:
            used[j0] = True
            i0, delta, j1 = match[j0], np.inf, 0
            for j in range(1, columns + 1):
                if not used[j]:
                    cost = -gains[i0 - 1, j - 1] - potential[i0] - price[j]
                    if cost < least[j]:
                        least[j], way[j] = cost, j0
                    if least[j] < delta:
                        delta, j1 = least[j], j
            for j in range(columns + 1):
                if used[j]:
                    potential[match[j]] += delta
                    price[j] -= delta
                else:
                    least[j] -= delta
            j0 = j1
            if match[j0] == 0:
                break
        while j0 != 0:
            match[j0] = match[way[j0]]
            j0 = way[j0]
    for j in range(1, columns + 1):
        if match[j] > 0:
            column_of[match[j] - 1] = j - 1
