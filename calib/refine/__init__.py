"""Camera mounts from ordinary driving: depth edges of scans against edges of images."""

from calib.refine.edges import Edges, scan_edges
from calib.refine.estimate import refine
from calib.refine.field import image_edges
from calib.refine.options import BoxPairs, Clicks, RefineOptions
from calib.refine.result import Evidence, Refinement
from calib.refine.rings import rings_of
from calib.refine.view import View, alignment, alignments, perturbation_share, view_of

__all__ = [
    "BoxPairs",
    "Clicks",
    "Edges",
    "Evidence",
    "RefineOptions",
    "Refinement",
    "View",
    "alignment",
    "alignments",
    "image_edges",
    "perturbation_share",
    "refine",
    "rings_of",
    "scan_edges",
    "view_of",
]
