"""Calibration files of all kinds read into a `Rig`, and our own `rig.json`, read and written."""

from formats.rigs.find import KINDS, find_kind, find_rig
from formats.rigs.kind import RigKind
from formats.rigs.rig_json import Provenance, RigFile, read_rig, write_rig

__all__ = ["KINDS", "Provenance", "RigFile", "RigKind", "find_kind", "find_rig", "read_rig", "write_rig"]
