"""rosbag2 databases (SQLite, `.db3`)."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from formats.errors import FormatError
from formats.recording.channels import MOST_MESSAGES, Coding, Contents, Wanted
from formats.recording.chunks import reading
from formats.recording.places import RowPlace, opened


def contents(path: Path, wanted: Wanted, compression: str = "") -> Contents:
    """Topics of a database, and where messages of the wanted types lie.

    Args:
        path: of the file.
        wanted: which types are.
        compression: of each message, as the recording's metadata.yaml has it.

    Raises:
        FormatError: it is no such database, or damaged.
    """
    if not path.is_file():
        raise FormatError(path, "", "no such file")
    found = Contents(path, "rosbag2 database")
    with reading(path), closing(opened(path)) as database:
        tables = dict(database.execute("SELECT name, type FROM sqlite_master WHERE type <> 'index'"))
        if (tables.get("topics"), tables.get("messages")) != ("table", "table"):
            raise FormatError(path, "", "a database, but not one of rosbag2: without topics and messages")
        rows = database.execute("SELECT id, name, type, serialization_format FROM topics").fetchall()
        counts = dict(database.execute("SELECT topic_id, count(*) FROM messages GROUP BY topic_id"))
        if sum(counts.values()) > MOST_MESSAGES:
            raise FormatError(path, "", f"more than {MOST_MESSAGES} messages")
        first_ns, last_ns = database.execute("SELECT min(timestamp), max(timestamp) FROM messages").fetchone()
        found.start_ns, found.end_ns = int(first_ns or 0), int(last_ns or 0)
        for number, name, kind, encoding in rows:
            topic = found.topic(str(name), Coding(str(kind), str(encoding)))
            if topic is None:
                continue
            topic.count += counts.get(number, 0)
            if wanted(str(kind)):
                query = "SELECT id, timestamp FROM messages WHERE topic_id = ? ORDER BY id"
                topic.messages += [
                    (int(logged_ns), RowPlace(path, int(row), compression))
                    for row, logged_ns in database.execute(query, (number,))
                ]
    return found
