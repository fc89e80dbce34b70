"""What is looked for in the tables of nuScenes; most of it nuscenes-devkit takes without a word."""

from __future__ import annotations

from formats.validate.fault import Rule, Severity

ERROR, WARNING, INFO = Severity

TABLE = Rule("NUS01", ERROR, "a table is missing", "nuscenes-devkit opens nothing")
FIELD = Rule("NUS02", ERROR, "a table, row or field is malformed", "programs stop where they come to it")
TOKEN = Rule("NUS03", ERROR, "two rows have one token", "the later row hides the earlier")
FOREIGN = Rule("NUS04", ERROR, "a token that is in no row of the table it is for", "a KeyError, or worse")
CHAIN = Rule("NUS05", ERROR, "prev and next do not fit together", "a scene or an object ends too early")
ORDER = Rule("NUS06", ERROR, "a chain that runs back in time, or into another scene", "speeds turn negative")
ENDS = Rule("NUS07", ERROR, "first, last or number differ from what there is", "loops end early or never")
FILE = Rule("NUS08", ERROR, "a file is missing", "the frame cannot be read")
SIZE = Rule("NUS09", ERROR, "a file of another size than its row says", "points or pixels shift")
OUTSIDE = Rule("NUS10", ERROR, "a file name that leads out of the data set", "another file would be read")
POSED = Rule("NUS11", ERROR, "an ego pose of another instant", "boxes and points shift by metres at speed")
KEYS = Rule("NUS12", WARNING, "a sample without a key frame of a sensor that others have", "a KeyError")
APART = Rule("NUS13", WARNING, "a key frame far from the instant of its sample", "labels and sensors differ")
TURN = Rule("NUS14", ERROR, "a quaternion whose length is not 1", "sizes and places are scaled")
BOX = Rule("NUS15", ERROR, "a box without extent", "overlaps cannot be computed")
STATE = Rule("NUS16", ERROR, "more than one attribute at a box", "the evaluation of detections stops")
UNFIT = Rule("NUS17", WARNING, "an attribute of another kind of object", "it counts as an error of attribute")
LENS = Rule("NUS18", ERROR, "intrinsics that do not fit the kind of sensor", "nothing can be projected")
MAP = Rule("NUS19", ERROR, "a log in no map, or a map without its file", "nuscenes-devkit does not open it")
TOP = Rule("NUS20", WARNING, "no LIDAR_TOP", "the devkit cannot evaluate it or draw its clouds")
STRANGE = Rule("NUS21", INFO, "a category that is none of nuScenes'", "the devkit has no colour for it")
COUNTED = Rule("NUS22", WARNING, "another number of points in a box than its row says", "filters go wrong")
SPLIT = Rule("NUS23", WARNING, "a split that names scenes that are not there", "the evaluation stops")
LIDARSEG = Rule("NUS24", ERROR, "lidarseg that does not fit its sweeps", "classes are read off other points")
NUSCENES_RULES = (
    *(TABLE, FIELD, TOKEN, FOREIGN, CHAIN, ORDER, ENDS, FILE, SIZE, OUTSIDE, POSED, KEYS, APART, TURN, BOX),
    *(STATE, UNFIT, LENS, MAP, TOP, STRANGE, COUNTED, SPLIT, LIDARSEG),
)

# What each field must be: "text", "whole", "flag", a count of numbers, "tokens:" or "token:" and a table;
# "token?:" may be empty. prev, next, first and last are looked at as chains.
FIELDS: dict[str, dict[str, str | int]] = {
    "category": {"name": "text"},
    "attribute": {"name": "text"},
    "visibility": {"level": "text"},
    "sensor": {"channel": "text", "modality": "text"},
    "calibrated_sensor": {"sensor_token": "token:sensor", "translation": 3, "rotation": 4},
    "ego_pose": {"timestamp": "whole", "translation": 3, "rotation": 4},
    "log": {"logfile": "text"},
    "map": {"filename": "text", "log_tokens": "tokens:log"},
    "scene": {
        "name": "text",
        "log_token": "token:log",
        "nbr_samples": "whole",
        "first_sample_token": "text",
        "last_sample_token": "text",
    },
    "sample": {"timestamp": "whole", "scene_token": "token:scene", "prev": "text", "next": "text"},
    "sample_data": {
        "sample_token": "token:sample",
        "ego_pose_token": "token:ego_pose",
        "calibrated_sensor_token": "token:calibrated_sensor",
        "filename": "text",
        "fileformat": "text",
        "is_key_frame": "flag",
        "timestamp": "whole",
        "prev": "text",
        "next": "text",
    },
    "instance": {
        "category_token": "token:category",
        "nbr_annotations": "whole",
        "first_annotation_token": "text",
        "last_annotation_token": "text",
    },
    "sample_annotation": {
        "sample_token": "token:sample",
        "instance_token": "token:instance",
        "visibility_token": "token?:visibility",
        "attribute_tokens": "tokens:attribute",
        "translation": 3,
        "rotation": 4,
        "size": 3,
        "num_lidar_pts": "whole",
        "num_radar_pts": "whole",
        "prev": "text",
        "next": "text",
    },
}
