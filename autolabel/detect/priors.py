"""How large things are that are seen from one side only."""

from __future__ import annotations

from dataclasses import dataclass

from fusion.categories import Kind


@dataclass(frozen=True, slots=True)
class Prior:
    """The usual size of a kind.

    Attributes:
        category: what a box of this kind is called.
        size_lwh_m: a usual one of it.
        shortest_m: less than this of its length is never all of it.
        narrowest_m: nor less than this of its width.
        lowest_m: nor less than this of its height.
        longest_m: nothing longer is of this kind.
        broadest_m: nor anything broader.
    """

    kind: Kind
    category: str
    size_lwh_m: tuple[float, float, float]
    shortest_m: float
    narrowest_m: float
    lowest_m: float
    longest_m: float
    broadest_m: float


PRIORS: tuple[Prior, ...] = (
    Prior(Kind.CAR, "car", (4.6, 1.94, 1.62), 3.4, 1.7, 1.38, 6.8, 2.8),
    Prior(Kind.TRUCK, "truck", (8.0, 2.6, 3.2), 4.8, 1.9, 1.9, 15.0, 3.6),
    Prior(Kind.BUS, "bus", (11.4, 2.6, 3.2), 9.5, 2.3, 2.6, 15.0, 3.6),
    Prior(Kind.PEDESTRIAN, "pedestrian", (0.75, 0.6, 1.72), 0.3, 0.3, 1.0, 1.6, 1.3),
    Prior(Kind.BICYCLE, "cyclist", (1.75, 0.62, 1.8), 1.4, 0.45, 1.4, 2.8, 1.5),
)
