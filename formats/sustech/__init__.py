"""SUSTechPOINTS (Li et al., 2020): scenes and labels, read.

Points, images and labels of one frame share a name. Nothing tells when a frame was taken or where the car
was: a name that is a number of a frame counts tenths of a second, one with a decimal point seconds, and the
car stands. Where an image falls within the revolution is not known either, so points get no times of their
own. The ego frame is laid by the cameras (`formats.rigs.sustech`).
"""

from formats.format import Format
from formats.sustech.labels import read_labels
from formats.sustech.scene import is_data_set, open_log, scenes

SUSTECHPOINTS = Format(
    name="sustechpoints",
    title="SUSTechPOINTS",
    recognises=is_data_set,
    log_ids=scenes,
    open_log=open_log,
    read_labels=read_labels,
)

__all__ = ["SUSTECHPOINTS"]
