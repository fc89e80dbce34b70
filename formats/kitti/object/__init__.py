"""The object benchmark: frames, each with its own calibration and none connected to another."""
