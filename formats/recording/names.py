"""Names of sensors out of names of topics, and which topics belong together."""

from __future__ import annotations

import re
from collections.abc import Iterable

TRANSPORTS = ("compressed", "compresseddepth", "theora", "ffmpeg", "h264", "h265")
PLAIN = frozenset(
    (
        *(
            "sensing",
            "sensor",
            "sensors",
            "driver",
            "data",
            "lidar",
            "lidars",
            "points",
            "points_raw",
            "cloud",
        ),
        *(
            "pointcloud",
            "pointcloud2",
            "pointcloud_raw",
            "point_cloud",
            "raw",
            "camera",
            "cameras",
            "cam",
            "cloud",
        ),
        *("image", "images", "image_raw", "image_color", "image_rect", "image_rect_color", "image_mono"),
        *("color", "rgb", "video", *TRANSPORTS),
    )
)
# Of several images of one camera, the first of these is taken: pixels as they were measured, in colour.
PREFERRED = ("image_color", "image_raw", "image", "image_rect_color", "image_rect", "image_mono")
UNSEEN = re.compile(r"depth|disparity|mask|segmentation|confidence|debug|annotated|overlay|heatmap")


def sensor_names(topics: Iterable[str], kind: str) -> dict[str, str]:
    """A name for each topic: its words that are not said of every sensor.

    Args:
        topics: in order.
        kind: the name of what has none, such as "lidar".
    """
    listed = list(topics)
    short = {topic: "_".join(w for w in _words(topic) if w.lower() not in PLAIN) or kind for topic in listed}
    counts = [*short.values()]
    return {
        topic: _clean(name if counts.count(name) == 1 else "_".join(_words(topic)) or kind)
        for topic, name in short.items()
    }


def _words(topic: str) -> list[str]:
    return [word for word in topic.split("/") if word]


def _clean(name: str) -> str:
    return re.sub(r"[^\w.-]", "_", name).lstrip(".") or "sensor"


def base_of(topic: str) -> str:
    """The topic of the images without how they are sent."""
    words = topic.split("/")
    return "/".join(words[:-1]) if words[-1].lower() in TRANSPORTS else topic


def camera_of(topic: str) -> str:
    """The name space of a camera: all its topics begin with it."""
    return base_of(topic).rpartition("/")[0]


def chosen_images(topics: Iterable[str], counts: dict[str, int]) -> list[str]:
    """One topic of images a camera, of those that show what a camera sees."""
    chosen: dict[str, str] = {}
    for topic in sorted((t for t in topics if not UNSEEN.search(t.lower())), key=lambda t: _rank(t, counts)):
        known = base_of(topic).rpartition("/")[2] in PREFERRED
        chosen.setdefault(camera_of(topic) if known else base_of(topic), topic)
    return sorted(chosen.values())


def _rank(topic: str, counts: dict[str, int]) -> tuple[int, int, str]:
    last = base_of(topic).rpartition("/")[2]
    return (PREFERRED.index(last) if last in PREFERRED else len(PREFERRED), -counts[topic], topic)


def is_rectified(topic: str) -> bool:
    """Whether a topic says that its images are rectified."""
    return "rect" in base_of(topic).rpartition("/")[2].split("_")
