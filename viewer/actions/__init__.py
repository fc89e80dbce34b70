"""Everything one can do by key or menu, in one table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from viewer.actions import boxes, images, look, objects, overview, review
from viewer.actions.action import Action

__all__ = ["ACTIONS", "Action", "by_id", "conflicts", "with_keys"]

ACTIONS: tuple[Action, ...] = (
    *look.ACTIONS,
    *overview.ACTIONS,
    *objects.ACTIONS,
    *images.ACTIONS,
    *boxes.ACTIONS,
    *review.ACTIONS,
)


def by_id(actions: tuple[Action, ...] = ACTIONS) -> dict[str, Action]:
    """The table by name."""
    return {action.id: action for action in actions}


def with_keys(actions: tuple[Action, ...], keys: Mapping[str, tuple[str, ...]]) -> tuple[Action, ...]:
    """The same actions, some of them under other keys."""
    return tuple(replace(action, keys=keys.get(action.id, action.keys)) for action in actions)


def conflicts(actions: tuple[Action, ...]) -> dict[str, list[str]]:
    """Keys that more than one action has, with their ids."""
    users: dict[str, list[str]] = {}
    for action in actions:
        for key in action.keys:
            users.setdefault(key.casefold(), []).append(action.id)
    return {key: ids for key, ids in users.items() if len(ids) > 1}
