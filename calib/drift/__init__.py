"""The drift alarm: has a camera moved on the car since the drive began, about which axis, which way?"""

from calib.drift.monitor import DriftMonitor, detect_drift
from calib.drift.report import Alarm, DriftPlot, DriftReference, DriftReport, DriftVerdict, DriftWindow

__all__ = [
    "Alarm",
    "DriftMonitor",
    "DriftPlot",
    "DriftReference",
    "DriftReport",
    "DriftVerdict",
    "DriftWindow",
    "detect_drift",
]
