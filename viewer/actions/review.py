"""Reviewing: findings, comments, and how far tracks and frames are."""

from __future__ import annotations

from collections.abc import Callable

from viewer.actions.action import Action
from viewer.desk import Desk
from viewer.review.reviews import State


def _put(state: State) -> Callable[[Desk], None]:
    return lambda desk: desk.reviewing.put_state(state)


ACTIONS = (
    Action("review.next", "Next finding", "Review", ("N",), lambda d: d.reviewing.next()),
    Action("review.previous", "Previous finding", "Review", ("Shift+N",), lambda d: d.reviewing.next(-1)),
    Action(
        "review.check",
        "Check the log: labels, sweeps, images",
        "Review",
        ("Ctrl+E",),
        lambda d: d.reviewing.checking.check(),
    ),
    Action(
        "review.fix",
        "Repair the finding, go to the next",
        "Review",
        ("Ctrl+Return",),
        lambda d: d.reviewing.fix(),
    ),
    Action("review.comment", "Comment", "Review", ("Ctrl+K",), lambda d: d.reviewing.comment()),
    Action("review.labelled", "Labelled", "Review", ("Ctrl+L",), _put(State.LABELLED)),
    Action("review.reviewed", "Reviewed", "Review", ("Ctrl+R",), _put(State.REVIEWED)),
    Action("review.rejected", "Rejected", "Review", ("Ctrl+Shift+R",), _put(State.REJECTED)),
    Action("review.todo", "To do", "Review", ("Ctrl+Shift+L",), _put(State.TO_DO)),
)
