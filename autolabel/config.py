"""Settings of auto-labelling; the same settings and input give the same labels."""

from __future__ import annotations

import hashlib
import json

from autolabel.confidence.config import ConfidenceConfig
from autolabel.detect.config import DetectConfig
from autolabel.ego.config import EgoConfig
from autolabel.points.config import PointsConfig
from autolabel.reconstruct.config import ReconstructConfig
from autolabel.settings import Settings
from autolabel.track.config import TrackConfig
from autolabel.trips.config import TripsConfig


class Config(Settings):
    """All settings; the defaults are those that were tuned and measured.

    Attributes:
        mend_poses: whether the car's trajectory is checked against the scans, and mended where it is wrong.
        use_points: whether objects are followed by their points, where there are scans.
        rectangles: whether every object gets its rectangle in every image.
        ego: when the car's poses are not believed.
        detect: from scans to boxes, where nothing is given.
        track: which detection is whose.
        points: what an object's own points say.
        reconstruct: from all that is known of an object to its boxes.
        confidence: when a box wants a look.
        trips: several drives through one place.
    """

    mend_poses: bool = True
    use_points: bool = True
    rectangles: bool = True
    ego: EgoConfig = EgoConfig()
    detect: DetectConfig = DetectConfig()
    track: TrackConfig = TrackConfig()
    points: PointsConfig = PointsConfig()
    reconstruct: ReconstructConfig = ReconstructConfig()
    confidence: ConfidenceConfig = ConfidenceConfig()
    trips: TripsConfig = TripsConfig()

    def hash(self) -> str:
        """Sixteen hexadecimal digits that change with any setting and with nothing else."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]
