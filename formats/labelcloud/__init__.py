"""labelCloud (Sager, Zschech, Kühl, 2021): labels of point clouds, one JSON a cloud, read and written.

    <log>/pointclouds/<cloud>.pcd    <log>/labels/<cloud>.json    <log>/labels/_classes.json

Boxes are in the frame of the cloud: a centroid, dimensions, and either turns about x, y and z (radians from
-pi to pi, or degrees from 0 to 360, as `_classes.json` tells) or the eight corners. The program knows neither
tracks nor time: a cloud belongs to the frame of a log whose sweep's file has its name. What it has no place
for stands in the key `crosslabel` of an object and in `<log>/crosslabel.json`.
"""

from formats.format import Format
from formats.labelcloud.folder import log_ids, recognises
from formats.labelcloud.read import read_labels
from formats.labelcloud.write import write, write_labels

LABELCLOUD = Format(
    name="labelcloud",
    title="labelCloud",
    recognises=recognises,
    log_ids=log_ids,
    read_labels=read_labels,
    write=write,
    write_labels=write_labels,
    loses=(
        "All of a log but the points of its main LiDAR: labels alone are read.",
        "What labelCloud itself saves again loses ids of tracks, authors, scores, locks and attributes.",
    ),
    options={"boxes": "centroid_rel (default), centroid_abs, or vertices: how labelCloud is to be set"},
)

__all__ = ["LABELCLOUD"]
