"""What a person should know about the frame that is shown, in words."""

from __future__ import annotations

from viewer.desk import Desk

FIRST_BOX = "nothing is labelled yet: Ctrl and a drag through a thing, tail to front, makes the first box"


def notices(desk: Desk) -> list[str]:
    """One line each, what matters most first; none where all is as it should be."""
    frame = desk.frame
    found = [] if frame is None else list(frame.problems)
    if not desk.session.labels.tracks:
        found.append(FIRST_BOX)
    words = desk.reviewing.words()
    return found if words is None else [words, *found]
