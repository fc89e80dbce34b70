"""What concerns the whole drive."""

from __future__ import annotations

import numpy as np

from viewer.actions.action import Action
from viewer.desk import Desk
from viewer.panes import MAIN
from viewer.scene.views import FARTHEST_M

LEAST_M, MOST_OF_THEM = 20.0, 0.8


def _look_at_all(desk: Desk) -> None:
    """Brings the points of the frame into the middle of the main pane, wherever they lie."""
    points = desk.cloud.points
    if len(points) == 0:
        return
    middle = np.median(points, axis=0)
    reach_m = float(np.quantile(np.linalg.norm(points - middle, axis=1), MOST_OF_THEM))
    distance_m = float(np.clip(2 * reach_m, LEAST_M, FARTHEST_M))
    desk.look(MAIN, desk.panes.orbit.onto(middle, distance_m))


ACTIONS = (Action("view.all", "Look at everything", "View", ("Shift+C",), _look_at_all),)
