"""Keys as people know them from other tools, and keys of one's own."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from calib.errors import CrosslabelError
from formats.files import write_json
from viewer.actions import ACTIONS, Action, by_id, conflicts, with_keys

Keys = Mapping[str, tuple[str, ...]]
# What the window itself does with keys, whatever the preset.
RESERVED = ("F1", "Space", "Ctrl+Shift+P", "Ctrl+O", "Ctrl+Q", "Ctrl+Shift+Return")

# What is not named keeps the key of Crosslabel, unless another action of the preset has taken it.
PRESETS: dict[str, Keys] = {
    "Crosslabel": {},
    "SUSTechPOINTS": {
        "box.flip": ("G",),
        "track.still": (),
        "object.remove_box": ("Ctrl+D", "Delete"),
        "object.look": (),
    },
    "labelCloud": {
        "frame.next": ("F", "Right"),
        "frame.previous": ("R", "Left"),
        "object.next": ("G", "Down"),
        "object.previous": ("T", "Up"),
        "box.turn_left": ("Z",),
        "box.turn_right": ("X",),
        "box.up": ("Q",),
        "box.down": ("E",),
        "box.longer": ("O",),
        "box.shorter": ("I",),
        "box.wider": ("L",),
        "box.narrower": ("K",),
        "box.fit": ("Shift+F",),
        "box.flip": ("Shift+G",),
        "box.ground": ("Shift+Z",),
        "track.fill": ("Ctrl+F",),
        "track.still": ("Shift+T",),
    },
    "CVAT": {
        "frame.next": ("F",),
        "frame.previous": ("D",),
        "frame.ahead": ("V",),
        "frame.back": ("C",),
        "object.next": ("Tab",),
        "object.previous": ("Shift+Tab",),
        "object.look": ("Shift+C",),
        "object.copy": ("Ctrl+C",),
        "object.paste": ("Ctrl+V",),
        "box.right": ("Shift+D",),
        "track.fill": ("Ctrl+F",),
    },
}


def preset(name: str, actions: tuple[Action, ...] = ACTIONS) -> tuple[Action, ...]:
    """All actions under the keys of a preset; no key means two things."""
    named = PRESETS[name]
    taken = {key.casefold() for keys in named.values() for key in keys}
    keys = {
        action.id: named.get(action.id, tuple(key for key in action.keys if key.casefold() not in taken))
        for action in actions
    }
    return with_keys(actions, keys)


def own_keys_file() -> Path:
    """Where a person's own keys are kept, whichever log is open."""
    if sys.platform == "win32":
        folder = Path(os.environ.get("APPDATA") or Path.home())
    elif sys.platform == "darwin":
        folder = Path.home() / "Library" / "Application Support"
    else:
        folder = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return folder / "Crosslabel" / "keys.json"


def keys_of(before: tuple[Action, ...], now: tuple[Action, ...]) -> dict[str, list[str]]:
    """The keys that are other than they were, as a file of keys says them."""
    was = by_id(before)
    return {action.id: list(action.keys) for action in now if action.keys != was[action.id].keys}


def write_keys(path: Path, keys: Mapping[str, list[str]]) -> None:
    """Writes keys into a file beside those that stand there already.

    Raises:
        CrosslabelError: it cannot be written.
    """
    known: object = {}
    with suppress(OSError, ValueError):
        known = json.loads(path.read_text(encoding="utf-8"))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, {**(known if isinstance(known, dict) else {}), **keys}, indent=1)


def read_keys(path: Path, actions: tuple[Action, ...]) -> tuple[Action, ...]:
    """The same actions with the keys that a file of one's own names: JSON, a list of keys an action.

    Raises:
        CrosslabelError: it cannot be read, names what there is not, or gives one key to two actions.
    """
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise CrosslabelError(f"{path}: cannot be read: {error}") from None
    if not isinstance(given, dict) or not all(
        isinstance(keys, list) and all(isinstance(key, str) for key in keys) for keys in given.values()
    ):
        raise CrosslabelError(f"{path}: wanted is an object that names a list of keys for each action")
    unknown = sorted(set(given) - {action.id for action in actions})
    if unknown:
        raise CrosslabelError(f"{path}: there is no action {unknown[0]!r}")
    changed = with_keys(actions, {id: tuple(keys) for id, keys in given.items()})
    for key, ids in conflicts(changed).items():
        raise CrosslabelError(f"{path}: {key!r} would mean {' and '.join(ids)}")
    return changed
