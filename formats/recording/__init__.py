"""Drive logs as they are recorded: ROS 1 bags, rosbag2 folders and MCAP files, without ROS.

What a recording does not say is guessed from its topics; a short YAML file beside it says better
(`formats.recording.settings`). Messages are read one by one, where the index of the file says they lie.
"""

from pathlib import Path

from formats.format import Format
from formats.recording.channels import Contents
from formats.recording.chunks import reading
from formats.recording.folder import contents_of, log_ids, recognises, recording_at
from fusion.log import DriveLog


def open_log(path: Path, log_id: str) -> DriveLog:
    """Opens a recording (`formats.recording.open`, which only those load that open one).

    A file with Protobuf brings its own schema, in which damage can rename or retype any field: whatever that
    breaks, far from where messages are decoded, is one line too.
    """
    from formats.recording.open import open_log

    with reading(path):
        return open_log(path, log_id)


def propose(path: Path, log_id: str) -> str:
    """The settings of a recording as YAML, with everything that was guessed.

    Raises:
        FormatError: as of opening it.
    """
    from formats.recording.open import propose

    with reading(path):
        return propose(path, log_id)


def topics_of(path: Path, log_id: str) -> Contents:
    """Every topic of a recording with its type and count.

    Raises:
        FormatError: damaged, or there is no such recording.
    """
    return contents_of(recording_at(path, log_id)[0])


RECORDING = Format(
    name="recording",
    title="ROS bag or MCAP recording",
    recognises=recognises,
    log_ids=log_ids,
    open_log=open_log,
)

__all__ = ["RECORDING", "propose", "topics_of"]
