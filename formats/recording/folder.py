"""Which files make a recording, and what is in them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from formats.errors import FormatError
from formats.fields import Field, read_yaml_fields
from formats.files import inside, read_settings
from formats.recording import bag, database, mcap
from formats.recording.channels import Contents, Wanted
from formats.recording.decode import is_wanted

if TYPE_CHECKING:
    from formats.recording.settings import RecordingSettings

BAG, DATABASE, MCAP = ".bag", ".db3", ".mcap"
ENDINGS = (BAG, DATABASE, MCAP)
BESIDE, INSIDE = ".recording.yaml", "recording.yaml"
METADATA, ROOT = "metadata.yaml", "rosbag2_bagfile_information"
HEAD_BYTES = 4096


def recognises(path: Path) -> bool:
    """Whether a path is a recording, settings that name one, or a folder of recordings; never raises."""
    try:
        return _names_recording(path) or bool(_recordings(path))
    except OSError:
        return False


def log_ids(path: Path) -> list[str]:
    """Names of the recordings at or under a path, in order.

    Raises:
        FormatError: two share a name, or settings are malformed.
    """
    return list(_by_name(path))


def recording_at(path: Path, log_id: str) -> tuple[Path, RecordingSettings, Path]:
    """A recording, what is said of it, and the file that says so.

    Raises:
        FormatError: there is no such recording, or its settings are malformed.
    """
    from formats.recording.settings import RecordingSettings, recording_named_in

    by_name = _by_name(path)
    if log_id not in by_name:
        raise FormatError(path, "", f"holds no recording {log_id!r}")
    if _names_recording(path):
        named, settings = recording_named_in(path)
        return named, settings, path
    recording = by_name[log_id]
    file = settings_file(recording)
    if file is None:
        return recording, RecordingSettings(), recording
    return recording, read_settings(file, RecordingSettings), file


def settings_file(path: Path) -> Path | None:
    """Where the settings of a recording are; None where there are none."""
    inner = path / INSIDE if path.is_dir() else path.with_name(path.name + BESIDE)
    beside = path.with_name(path.stem + BESIDE)
    return next((file for file in (inner, beside) if file.is_file()), None)


def _by_name(path: Path) -> dict[str, Path]:
    recordings = _recordings(path)
    if _names_recording(path):
        from formats.recording.settings import recording_named_in

        recordings = [recording_named_in(path)[0]]
    found: dict[str, Path] = {}
    for recording in recordings:
        name = recording.resolve().name if recording.is_dir() else recording.stem
        if name in found:
            raise FormatError(path, "", f"two recordings are called {name!r}")
        found[name] = recording
    return found


def _names_recording(path: Path) -> bool:
    """Whether a file is settings of a recording: by its name, or as YAML with the key `file`."""
    if path.suffix not in (".yaml", ".yml") or path.name == METADATA or not path.is_file():
        return False
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    named = path.name.endswith(BESIDE) or path.name == INSIDE
    return b"\nfile:" in b"\n" + head and (named or any(ending.encode() in head for ending in ENDINGS))


def _recordings(path: Path) -> list[Path]:
    if _is_recording(path):
        return [path]
    if not path.is_dir():
        return []
    return sorted(child for child in path.iterdir() if _is_recording(child) and child.name[0] != ".")


def _is_recording(path: Path) -> bool:
    if path.is_dir():
        return _is_rosbag2(path)
    return path.suffix.lower() in ENDINGS and path.is_file()


def _is_rosbag2(folder: Path) -> bool:
    file = folder / METADATA
    if not file.is_file():
        return False
    with file.open("rb") as stream:
        return ROOT.encode() in stream.read(HEAD_BYTES)


def contents_of(path: Path, wanted: Wanted = is_wanted) -> Contents:
    """Topics of a recording; of those whose types are wanted, where every message lies.

    Raises:
        FormatError: a file of it is missing, damaged, or none that is known.
    """
    if not path.is_dir():
        return _of_file(path, "", wanted)
    metadata = read_yaml_fields(path / METADATA)[ROOT]
    compression = _compression(metadata)
    found = Contents(path, "rosbag2 folder")
    for name in metadata["relative_file_paths"].entries():
        file = inside(path, Path(name.text()).name, name.path, name.where)
        found.add(_of_file(file, compression, wanted))
    return found


def _compression(metadata: Field) -> str:
    mode, kind = (metadata.get(f"compression_{key}") for key in ("mode", "format"))
    if mode is None or mode.text().lower() in ("", "none"):
        return ""
    if mode.text().lower() == "file":
        raise mode.error("files that are packed as a whole are not read: unpack them (zstd -d) first")
    if kind is None or kind.text() != "zstd":
        raise (kind or mode).error("messages that are not packed with zstd are not read")
    return "zstd"


def _of_file(path: Path, compression: str, wanted: Wanted) -> Contents:
    ending = path.suffix.lower()
    if not path.is_file():
        raise FormatError(path, "", "no such file")
    if ending == BAG:
        return bag.contents(path, wanted)
    if ending == DATABASE:
        return database.contents(path, wanted, compression)
    if ending == MCAP and not compression:
        return mcap.contents(path, wanted)
    raise FormatError(path, "", f"a recording ends in {', '.join(ENDINGS)}")
