"""Calibration from things that a person clicked in an image and in the cloud."""

from calib.clicks.solve import Click, solve_clicks, stacked

__all__ = ["Click", "solve_clicks", "stacked"]
