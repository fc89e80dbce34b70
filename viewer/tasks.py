"""What goes on in the background, in words."""

from __future__ import annotations

from viewer.desk import Desk


def going_on(desk: Desk) -> list[str]:
    """What a person waits for."""
    found = []
    if desk.session.frame not in desk.cache:
        found.append(f"reading frame {desk.session.frame + 1}")
    if desk.proposals.busy:
        found.append("solving a track again")
    if desk.box_maker.busy:
        found.append("making the 2D boxes of all frames")
    words = desk.reviewing.checking.words
    return found if words is None else [*found, words]
