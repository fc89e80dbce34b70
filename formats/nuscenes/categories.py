"""Class names and attributes, to the ones that nuScenes has."""

from __future__ import annotations

from fusion.categories import Kind, kind_of
from fusion.labels import Attributes

CATEGORIES = (
    "animal",
    "human.pedestrian.adult",
    "human.pedestrian.child",
    "human.pedestrian.construction_worker",
    "human.pedestrian.personal_mobility",
    "human.pedestrian.police_officer",
    "human.pedestrian.stroller",
    "human.pedestrian.wheelchair",
    "movable_object.barrier",
    "movable_object.debris",
    "movable_object.pushable_pullable",
    "movable_object.trafficcone",
    "static_object.bicycle_rack",
    "vehicle.bicycle",
    "vehicle.bus.bendy",
    "vehicle.bus.rigid",
    "vehicle.car",
    "vehicle.construction",
    "vehicle.emergency.ambulance",
    "vehicle.emergency.police",
    "vehicle.motorcycle",
    "vehicle.trailer",
    "vehicle.truck",
    "static.other",
)
ATTRIBUTES = (
    "vehicle.moving",
    "vehicle.stopped",
    "vehicle.parked",
    "cycle.with_rider",
    "cycle.without_rider",
    "pedestrian.moving",
    "pedestrian.standing",
    "pedestrian.sitting_lying_down",
)
VISIBILITIES = ("v0-40", "v40-60", "v60-80", "v80-100")

# Names whose kind alone would say too little; lower case, words apart by blanks.
_EXACT = {
    # Argoverse 2
    "articulated bus": "vehicle.bus.bendy",
    "bollard": "movable_object.barrier",
    "construction barrel": "movable_object.trafficcone",
    "construction cone": "movable_object.trafficcone",
    "mobile pedestrian crossing sign": "static.other",
    "official signaler": "human.pedestrian.adult",
    "stroller": "human.pedestrian.stroller",
    "wheelchair": "human.pedestrian.wheelchair",
    "wheeled device": "human.pedestrian.personal_mobility",
    "wheeled rider": "human.pedestrian.personal_mobility",
    # PandaSet
    "construction signs": "static.other",
    "motorized scooter": "human.pedestrian.personal_mobility",
    "other vehicle pedicab": "vehicle.bicycle",
    "personal mobility device": "human.pedestrian.personal_mobility",
    "pylons": "movable_object.trafficcone",
    "rolling containers": "movable_object.pushable_pullable",
    "train": "vehicle.bus.rigid",
    "trolley": "vehicle.bus.rigid",
    # names that are in use everywhere
    "ambulance": "vehicle.emergency.ambulance",
    "child": "human.pedestrian.child",
    "construction worker": "human.pedestrian.construction_worker",
    "police car": "vehicle.emergency.police",
    "police officer": "human.pedestrian.police_officer",
}
_BY_KIND = {
    Kind.CAR: "vehicle.car",
    Kind.TRUCK: "vehicle.truck",
    Kind.BUS: "vehicle.bus.rigid",
    Kind.TRAILER: "vehicle.trailer",
    Kind.CONSTRUCTION: "vehicle.construction",
    Kind.MOTORCYCLE: "vehicle.motorcycle",
    Kind.BICYCLE: "vehicle.bicycle",
    Kind.PEDESTRIAN: "human.pedestrian.adult",
    Kind.ANIMAL: "animal",
    Kind.CONE: "movable_object.trafficcone",
    Kind.BARRIER: "movable_object.barrier",
    Kind.OTHER: "static.other",
}
_MOTIONS = {"moving": "moving", "stopped": "stopped", "parked": "parked"}
_RIDERS = {"with rider": "with_rider", "without rider": "without_rider"}
_POSTURES = {
    "walking": "moving",
    "running": "moving",
    "moving": "moving",
    "standing": "standing",
    "stopped": "standing",
    "parked": "standing",
    "sitting": "sitting_lying_down",
    "lying": "sitting_lying_down",
}


def nuscenes_category(category: str) -> str:
    """The nuScenes category that a class name comes nearest to; "static.other" where it says nothing."""
    if category in CATEGORIES:
        return category
    return _EXACT.get(_plain(category)) or _BY_KIND[kind_of(category)]


def nuscenes_attribute(category: str, attributes: Attributes) -> str | None:
    """The one attribute of nuScenes, of the eight there are, that an object's attributes amount to.

    Understands nuScenes' own names (under "attribute"), PandaSet's object_motion, rider_status and
    pedestrian_behavior, and a plain `moving` that is true or false.
    """
    name = nuscenes_category(category)
    if name in ("vehicle.bicycle", "vehicle.motorcycle"):
        family, word = "cycle", _rider(category, attributes)
    elif name.startswith("vehicle."):
        family, word = "vehicle", _MOTIONS.get(_motion(attributes))
    elif name.startswith("human.pedestrian."):
        family, word = "pedestrian", _posture(category, attributes)
    else:
        return None
    given = attributes.get("attribute")
    if isinstance(given, str) and given in ATTRIBUTES and given.startswith(f"{family}."):
        return given
    return f"{family}.{word}" if word else None


def _motion(attributes: Attributes) -> str:
    moving = attributes.get("moving")
    if isinstance(moving, bool):
        return "moving" if moving else "parked"
    return _plain(attributes.get("object_motion"))


def _rider(category: str, attributes: Attributes) -> str | None:
    ridden = "with rider" if _plain(category).endswith("cyclist") else ""
    return _RIDERS.get(_plain(attributes.get("rider_status")) or ridden)


def _posture(category: str, attributes: Attributes) -> str | None:
    sitting = "sitting" if _plain(category) == "person sitting" else ""
    said = _plain(attributes.get("pedestrian_behavior")) or sitting or _motion(attributes)
    return _POSTURES.get(said)


def _plain(name: object) -> str:
    text = name if isinstance(name, str) else ""
    return " ".join("".join(c if c.isalnum() else " " for c in text.lower()).split())
