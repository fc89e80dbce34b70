"""What kind of thing a class name means, whatever data set it comes from."""

from enum import StrEnum
from functools import lru_cache


class Kind(StrEnum):
    """The kinds that move, weigh and look differently enough to be treated differently."""

    CAR = "car"
    TRUCK = "truck"
    BUS = "bus"
    TRAILER = "trailer"
    CONSTRUCTION = "construction vehicle"
    MOTORCYCLE = "motorcycle"
    BICYCLE = "bicycle"
    PEDESTRIAN = "pedestrian"
    ANIMAL = "animal"
    CONE = "traffic cone"
    BARRIER = "barrier"
    OTHER = "other"

    @property
    def is_vehicle(self) -> bool:
        """Whether it moves along its own length, as things on wheels do."""
        return self in _VEHICLES


_VEHICLES = frozenset(
    {Kind.CAR, Kind.TRUCK, Kind.BUS, Kind.TRAILER, Kind.CONSTRUCTION, Kind.MOTORCYCLE, Kind.BICYCLE}
)

# Looked for in this order in the lower-case name: the first that occurs decides.
_WORDS: tuple[tuple[str, Kind], ...] = (
    ("personal_mobility", Kind.OTHER),
    ("personal mobility", Kind.OTHER),
    ("pushable_pullable", Kind.OTHER),
    ("debris", Kind.OTHER),
    ("bicycle_rack", Kind.OTHER),
    ("cone", Kind.CONE),
    ("pylon", Kind.CONE),
    ("barrel", Kind.CONE),
    ("barrier", Kind.BARRIER),
    ("construction sign", Kind.BARRIER),
    ("construction_worker", Kind.PEDESTRIAN),
    ("pedestrian", Kind.PEDESTRIAN),
    ("person", Kind.PEDESTRIAN),
    ("human", Kind.PEDESTRIAN),
    ("construction", Kind.CONSTRUCTION),
    ("animal", Kind.ANIMAL),
    ("dog", Kind.ANIMAL),
    ("motorcycl", Kind.MOTORCYCLE),
    ("motorbike", Kind.MOTORCYCLE),
    ("scooter", Kind.MOTORCYCLE),
    ("bicycl", Kind.BICYCLE),
    ("cyclist", Kind.BICYCLE),
    ("bike", Kind.BICYCLE),
    ("trailer", Kind.TRAILER),
    ("towed", Kind.TRAILER),
    ("school_bus", Kind.BUS),
    ("bus", Kind.BUS),
    ("tram", Kind.BUS),
    ("pickup", Kind.CAR),
    ("truck", Kind.TRUCK),
    ("semi", Kind.TRUCK),
    ("van", Kind.CAR),
    ("car", Kind.CAR),
    ("emergency", Kind.CAR),
    ("vehicle", Kind.CAR),
)


@lru_cache(maxsize=1024)
def kind_of(category: str) -> Kind:
    """The kind behind a class name of nuScenes, KITTI, PandaSet, Argoverse 2 or a project of one's own.

    A name that says nothing known is `Kind.OTHER`.
    """
    name = category.lower()
    for word, kind in _WORDS:
        if word in name:
            return kind
    return Kind.OTHER
