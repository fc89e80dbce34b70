"""A camera in one shot, to be used wherever a camera model projects points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from calib.cameras import Projection
from calib.rig import Camera
from calib.shutter.motion import CameraMotion
from calib.shutter.project import expose
from calib.types import Floats


@dataclass(frozen=True, eq=False, slots=True)
class ShotLens:
    """How a camera sees in one shot, moving and read out row by row.

    Attributes:
        camera: how it sees and is read out.
        motion: through its own frame at the timestamp of the image.
    """

    camera: Camera
    motion: CameraMotion

    def project(self, points_cam: Floats, velocity_mps: ArrayLike | None = None) -> Projection:
        """Where (N, 3) points fall that are here at the timestamp of the image, in the camera's frame then.

        Args:
            points_cam: (N, 3).
            velocity_mps: (3,) or (N, 3) their own velocity over the ground, in the same axes; None at rest.
        """
        own_mps = np.zeros(3) if velocity_mps is None else velocity_mps
        return expose(points_cam, self.camera, self.motion, own_mps)
