"""Boxes against the points of their sweeps."""
