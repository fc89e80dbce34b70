"""The boxes that were made of one drive in one way, with their evidence and what is right of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from calib.types import F64, I64, Bools

DISTURBED = "one box, disturbed"


@dataclass(frozen=True, eq=False)
class Case:
    """The boxes that were made of one drive in one way, and what is right of them.

    Attributes:
        name: of the drive.
        mode: from what they were made.
        tuned: whether tables are fitted to them, and the threshold chosen on them.
        columns: evidence of N boxes, and of their tracks, by name.
        whole: names of what is told of tracks.
        owners: (N,) whose they are.
        sources: (N,) see `source_of`.
        groups: (N,) what they are called.
        right: (N, 5) the kind, the size, the heading, the centre, and all of it: no edit is needed.
        there: (N,) whether there is a true object.
    """

    name: str
    mode: str
    tuned: bool
    columns: dict[str, F64]
    whole: tuple[str, ...]
    owners: I64
    sources: np.ndarray
    groups: np.ndarray
    right: Bools
    there: Bools

    def take(self, rows: np.ndarray) -> "Case":
        """Some of the boxes."""
        columns = {name: values[rows] for name, values in self.columns.items()}
        parts = (self.owners, self.sources, self.groups, self.right, self.there)
        return replace(
            self, columns=columns, **dict(zip(PER_BOX, (part[rows] for part in parts), strict=True))
        )

    def save(self, path: Path) -> None:
        """To a file."""
        columns = {f"column {name}": values for name, values in self.columns.items()}
        about = np.array([self.name, self.mode, str(self.tuned)])
        np.savez(
            path,
            about=about,
            whole=np.array(self.whole),
            **columns,
            **{name: getattr(self, name) for name in PER_BOX},
        )

    @classmethod
    def load(cls, path: Path) -> "Case":
        """From a file."""
        with np.load(path) as found:
            columns = {name[7:]: found[name] for name in found.files if name.startswith("column ")}
            name, mode, tuned = found["about"].tolist()
            whole = tuple(found["whole"].tolist())
            return cls(name, mode, tuned == "True", columns, whole, *(found[part] for part in PER_BOX))


PER_BOX = ("owners", "sources", "groups", "right", "there")


def joined(cases: Sequence[Case]) -> Case:
    """All boxes of several, no track of one mixed up with that of another."""
    offsets = np.cumsum([0, *(case.owners.max(initial=-1) + 1 for case in cases[:-1])])
    columns = {name: np.concatenate([case.columns[name] for case in cases]) for name in cases[0].columns}
    owners = np.concatenate([case.owners + offset for case, offset in zip(cases, offsets, strict=True)])
    rest = (np.concatenate([getattr(case, name) for case in cases]) for name in PER_BOX[1:])
    tuned = all(case.tuned for case in cases)
    return Case("all", "all", tuned, columns, cases[0].whole, owners, *rest)
