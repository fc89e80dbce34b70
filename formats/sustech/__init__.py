"""SUSTechPOINTS (Li et al., 2020): scenes and labels, read and written.

Points, images and labels of one frame share a name. Nothing tells when a frame was taken or where the car
was: a name that is a number of a frame counts tenths of a second, one with a decimal point seconds, and the
car stands. Where an image falls within the revolution is not known either, so points get no times of their
own. The ego frame is laid by the cameras (`formats.rigs.sustech`). What labels say beyond boxes stands in the
key `crosslabel` of an object and in the file `crosslabel.json` of a scene, which the program leaves alone.
"""

from formats.format import Format
from formats.sustech.labels import read_labels
from formats.sustech.scene import is_data_set, open_log, scenes
from formats.sustech.write import write
from formats.sustech.write_labels import write_labels

SUSTECHPOINTS = Format(
    name="sustechpoints",
    title="SUSTechPOINTS",
    recognises=is_data_set,
    log_ids=scenes,
    open_log=open_log,
    read_labels=read_labels,
    write=write,
    write_labels=write_labels,
    loses=(
        "The car's way: in a scene it stands.",
        "The instants of images (each becomes that of its frame) and of single points, which are deskewed.",
        "Cameras without images, LiDARs other than the main one, and lens distortion.",
        "What is missing and why, the metadata, and exposures.",
    ),
)

__all__ = ["SUSTECHPOINTS"]
