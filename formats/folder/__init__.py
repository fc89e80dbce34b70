"""The plain log that anyone can make by hand.

    rig.json                        the sensors (formats.rigs.rig_json)
    lidar/<name>/*.pcd|bin|ply|npz  or lidar/*.pcd where the rig has one LiDAR
    camera/<name>/*.jpg|png
    poses.csv                       timestamp_ns,qw,qx,qy,qz,x,y,z: world_from_ego; without it the car stands
    log.json                        settings, all of them optional (formats.folder.settings)
    labels.db                       labels, where there are some

The name of a file of twelve or more digits is its instant in ns. A shorter one is the number of a frame, ten
of which make a second unless log.json says otherwise; files of one number are of one instant.
"""

from formats.folder.labels import read_labels
from formats.folder.read import is_data_set, log_names, open_log
from formats.folder.write import write, write_folder_log
from formats.format import Format

FOLDER = Format(
    name="folder",
    title="plain folder",
    recognises=is_data_set,
    log_ids=log_names,
    open_log=open_log,
    read_labels=read_labels,
    write=write,
    loses=(
        "Frames of the main LiDAR without a sweep, and why anything is missing.",
        "A trajectory that ends within 0.2 s of the first or last frame is carried on that far.",
        "The metadata `format` and `poses`, which tell of the folder itself.",
    ),
    options={},
)

__all__ = ["FOLDER", "write_folder_log"]
