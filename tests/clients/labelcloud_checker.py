"""Reads labels with labelCloud's own classes, prints what it finds as JSON, and saves them again.

Run in an environment of its own, in the folder that holds `pointclouds` and `labels`, where the program finds
its classes: `python labelcloud_checker.py`.
"""

import json
from pathlib import Path

from labelCloud.io.labels.centroid import CentroidFormat
from labelCloud.io.labels.config import LabelConfig
from labelCloud.io.labels.vertices import VerticesFormat

FORMATS = {
    "centroid_rel": lambda folder: CentroidFormat(folder, 10, relative_rotation=True),
    "centroid_abs": lambda folder: CentroidFormat(folder, 10),
    "vertices": lambda folder: VerticesFormat(folder, 10),
}


def main() -> None:
    known = LabelConfig()
    format = FORMATS[str(known.format)](Path("labels"))
    found = {}
    for cloud in sorted(Path("pointclouds").iterdir()):
        boxes = format.import_labels(cloud)
        found[cloud.stem] = [[box.get_classname(), box.get_vertices().tolist()] for box in boxes]
        if boxes:
            format.export_labels(boxes, cloud)
    print(json.dumps({"found": found, "classes": [each.name for each in known.classes]}))


if __name__ == "__main__":
    main()
