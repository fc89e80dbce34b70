"""Which pixel truly shows a place of the simulated world, by solving for the instant with brute force."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from calib.rig import Camera
from calib.types import F64
from fusion.trajectory import Trajectory

SAMPLES = 65


@dataclass(frozen=True, eq=False, slots=True)
class Sighting:
    """A place on an image.

    Attributes:
        uv_px: (2,) pixel.
        timestamp_ns: when its row is exposed.
    """

    uv_px: F64
    timestamp_ns: int


def sightings(
    camera: Camera, trajectory: Trajectory, image_ns: int, place_world: Callable[[int], F64]
) -> list[Sighting]:
    """Everywhere that an image shows a place, in order of time: once, unless it overtakes the readout.

    Nothing of `calib.shutter` is used here: the poses are those of the trajectory at each instant, and the
    instants are the roots of row time minus instant, found by Brent's method between close samples.

    Args:
        camera: how it sees, where it sits, how it is read out.
        trajectory: of the car.
        image_ns: timestamp of the image.
        place_world: (3,) where the place is at an instant.
    """
    from scipy.optimize import brentq

    def project(offset_ns: float) -> tuple[F64, bool, float]:
        instant_ns = image_ns + round(offset_ns)
        cam_from_world = (trajectory.at(instant_ns) @ camera.ego_from_sensor).inverse()
        seen = camera.model.project((cam_from_world @ place_world(instant_ns))[None])
        late_ns = float(camera.row_offset_ns(seen.uv_px)[0]) - offset_ns
        return seen.uv_px[0], bool(seen.visible[0]), late_ns

    reach_ns = camera.readout_ns * 0.6
    if camera.readout_ns == 0:
        uv_px, visible, _ = project(0.0)
        return [Sighting(uv_px, image_ns)] if visible else []
    instants_ns = np.linspace(-reach_ns, reach_ns, SAMPLES)
    late_ns = np.array([project(t)[2] for t in instants_ns])
    found = []
    for k in np.flatnonzero(late_ns[:-1] * late_ns[1:] <= 0):
        root_ns = float(brentq(lambda t: project(t)[2], instants_ns[k], instants_ns[k + 1], xtol=0.5))
        uv_px, visible, _ = project(root_ns)
        if visible:
            found.append(Sighting(uv_px, image_ns + round(root_ns)))
    return found
