"""Class names, to the thirty that Argoverse 2 has."""

from __future__ import annotations

from fusion.categories import Kind, kind_of

CATEGORIES = (
    "ANIMAL",
    "ARTICULATED_BUS",
    "BICYCLE",
    "BICYCLIST",
    "BOLLARD",
    "BOX_TRUCK",
    "BUS",
    "CONSTRUCTION_BARREL",
    "CONSTRUCTION_CONE",
    "DOG",
    "LARGE_VEHICLE",
    "MESSAGE_BOARD_TRAILER",
    "MOBILE_PEDESTRIAN_CROSSING_SIGN",
    "MOTORCYCLE",
    "MOTORCYCLIST",
    "OFFICIAL_SIGNALER",
    "PEDESTRIAN",
    "RAILED_VEHICLE",
    "REGULAR_VEHICLE",
    "SCHOOL_BUS",
    "SIGN",
    "STOP_SIGN",
    "STROLLER",
    "TRAFFIC_LIGHT_TRAILER",
    "TRUCK",
    "TRUCK_CAB",
    "VEHICULAR_TRAILER",
    "WHEELCHAIR",
    "WHEELED_DEVICE",
    "WHEELED_RIDER",
)
BY_WORD = {
    "bendy": "ARTICULATED_BUS",
    "bicyclist": "BICYCLIST",
    "cyclist": "BICYCLIST",
    "dog": "DOG",
    "motorcyclist": "MOTORCYCLIST",
    "scooter": "WHEELED_DEVICE",
    "personal_mobility": "WHEELED_DEVICE",
    "signs": "SIGN",
    "signaler": "OFFICIAL_SIGNALER",
    "stroller": "STROLLER",
    "train": "RAILED_VEHICLE",
    "tram": "RAILED_VEHICLE",
    "wheelchair": "WHEELCHAIR",
}
BY_KIND = {
    Kind.CAR: "REGULAR_VEHICLE",
    Kind.TRUCK: "TRUCK",
    Kind.BUS: "BUS",
    Kind.TRAILER: "VEHICULAR_TRAILER",
    Kind.CONSTRUCTION: "LARGE_VEHICLE",
    Kind.MOTORCYCLE: "MOTORCYCLE",
    Kind.BICYCLE: "BICYCLE",
    Kind.PEDESTRIAN: "PEDESTRIAN",
    Kind.ANIMAL: "ANIMAL",
    Kind.CONE: "CONSTRUCTION_CONE",
    Kind.BARRIER: "BOLLARD",
}
OTHER = "SIGN"


def argoverse2_category(category: str) -> str:
    """The class of Argoverse 2 that a name comes nearest to; SIGN where it says nothing."""
    if category in CATEGORIES:
        return category
    words = "_".join("".join(c if c.isalnum() else " " for c in category.lower()).split())
    named = next((name for word, name in BY_WORD.items() if f"_{word}_" in f"_{words}_"), None)
    return named or BY_KIND.get(kind_of(category), OTHER)
