"""All objects of many logs, ready to be compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from autolabel.similar.catalogue import Catalogue
from autolabel.similar.features import Features
from autolabel.similar.scale import Vectors
from calib.errors import CrosslabelError
from calib.types import F32, I64
from fusion.categories import Kind, kind_of


@dataclass(frozen=True, order=True, slots=True)
class ObjectId:
    """A track of a log, written `LOG/TRACK`."""

    log: str
    track: str

    def __str__(self) -> str:
        return f"{self.log}/{self.track}"


@dataclass(frozen=True, eq=False, slots=True)
class Pool:
    """Objects in the order of their ids, whatever order their logs came in.

    Attributes:
        ids: N of them.
        categories: N class names.
        points: (N,) thinned points behind each.
        vectors: N of them.
    """

    ids: tuple[ObjectId, ...]
    categories: tuple[str, ...]
    points: F32
    vectors: Vectors
    _rows: dict[ObjectId, int] = field(repr=False)

    @classmethod
    def of(cls, catalogues: Sequence[Catalogue]) -> Pool:
        """From the catalogues of logs.

        Raises:
            CrosslabelError: two logs have one name, or embeddings of several networks.
        """
        ordered = sorted(catalogues, key=lambda one: one.log)
        for first, second in pairwise(ordered):
            if first.log == second.log:
                raise CrosslabelError(f"two logs are named {first.log!r}")
        if len({one.features.embeddings.shape[1] for one in ordered if len(one.features)}) > 1:
            raise CrosslabelError("the logs were described by several embedding networks")
        ids = tuple(ObjectId(one.log, track) for one in ordered for track in one.tracks)
        filled = [one.features for one in ordered if len(one.features)] or [Features.none()]
        features = Features.joined(filled)
        categories = tuple(category for one in ordered for category in one.categories)
        rows = {id: row for row, id in enumerate(ids)}
        return cls(ids, categories, features.points, Vectors.of(features), rows)

    def __len__(self) -> int:
        return len(self.ids)

    def row(self, name: str) -> int:
        """The object that is named `LOG/TRACK`, or `TRACK` where only one log has such a track.

        Raises:
            CrosslabelError: there is none, or several.
        """
        found = [row for id, row in self._rows.items() if name in (str(id), id.track)]
        exact = [row for row in found if str(self.ids[row]) == name]
        if len(exact or found) == 1:
            return (exact or found)[0]
        if not found:
            some = ", ".join(str(id) for id in self.ids[:5]) + (", ..." if len(self) > 5 else "")
            raise CrosslabelError(f"there is no object {name!r}; there are {some or 'none'}")
        some = ", ".join(str(self.ids[row]) for row in found[:5])
        raise CrosslabelError(f"{len(found)} objects are named {name!r}, say which: {some}")

    def of_kind(self, name: str | None) -> I64:
        """Rows of a category, or of a kind such as `car` or `pedestrian`; all where nothing is named.

        Raises:
            CrosslabelError: there are none.
        """
        if name is None:
            return np.arange(len(self))
        wanted = name.lower()
        rows = [k for k, c in enumerate(self.categories) if wanted in (c.lower(), kind_of(c).value)]
        if not rows:
            counts = Counter(self.categories).most_common(12)
            raise CrosslabelError(f"no object is a {name!r}; there are {', '.join(c for c, _ in counts)}")
        return np.array(rows, dtype=np.int64)


def class_of(category: str) -> str:
    """What counts as one class in different data sets: the kind, or the name where no kind is known."""
    kind = kind_of(category)
    return category.lower() if kind is Kind.OTHER else kind.value
