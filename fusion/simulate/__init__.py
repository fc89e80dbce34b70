"""A drive with exact truth: a street, its traffic, a LiDAR and cameras."""

from fusion.simulate.config import SimulationConfig
from fusion.simulate.drive import Drive, simulate
from fusion.simulate.render import Picture
from fusion.simulate.scan import Scan
from fusion.simulate.visible import visible_only

__all__ = ["Drive", "Picture", "Scan", "SimulationConfig", "simulate", "visible_only"]
