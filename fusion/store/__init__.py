"""Labels that last: one SQLite file a log and annotator.

It holds the current state and an append-only journal of every edit: crash journal, undo history, audit
trail and unit of merge. At rest it is one plain file; while it is open for writing, `-wal`, `-shm` and
`-lock` files lie beside it. WAL needs a local disk: keep no store open over a network share.
"""

from fusion.store.database import is_ours, read_log_name
from fusion.store.journal import Entry
from fusion.store.label_store import LabelStore

__all__ = ["Entry", "LabelStore", "is_ours", "read_log_name"]
