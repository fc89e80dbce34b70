"""Which log is for training and which for testing: no street is driven in both within one go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import fsum

from calib.errors import CrosslabelError

# Drives that follow each other closer than this show the same street and the same objects.
GAP_NS = 60_000_000_000


@dataclass(frozen=True, slots=True)
class Span:
    """When a log was taken.

    Attributes:
        log: its name.
        start_ns: its first frame.
        end_ns: its last frame.
        frames: how many it has.
        vehicle: which car took it, if that is known; of different cars nothing is shared.
    """

    log: str
    start_ns: int
    end_ns: int
    frames: int
    vehicle: str = ""


def groups(spans: Sequence[Span]) -> dict[str, str]:
    """For each log the first of all that were cut from one drive, or follow it within a minute.

    Data sets without a clock of their own let every log begin at one instant; logs that begin at the same
    instant to the nanosecond are therefore not taken for one drive.
    """
    found: dict[str, str] = {}
    for vehicle in sorted({span.vehicle for span in spans}):
        ordered = sorted((s for s in spans if s.vehicle == vehicle), key=lambda s: (s.start_ns, s.log))
        starts = [span.start_ns for span in ordered]
        first, until_ns = "", -(2**63)
        for span in ordered:
            if starts.count(span.start_ns) > 1:
                found[span.log] = span.log
                continue
            if not first or span.start_ns > until_ns + GAP_NS:
                first = span.log
            until_ns = max(until_ns, span.end_ns)
            found[span.log] = first
    return found


def split(
    spans: Sequence[Span],
    shares: Mapping[str, float],
    seed: int = 0,
    known: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The split of each log; whole drives go into one, in shares of frames as near as they let.

    The order in which drives are dealt out depends on the seed and their names alone. What an earlier
    release says of a log stays.

    Args:
        spans: of all logs.
        shares: by name of the split; they need not add up to one.
        seed: another one deals differently.
        known: the splits of logs that are fixed.

    Raises:
        CrosslabelError: shares that are none, or a drive that is fixed in two splits.
    """
    whole = fsum(shares.values())
    if not shares or min(shares.values()) < 0 or not whole > 0:
        raise CrosslabelError("shares of splits must be positive numbers, such as train=80,val=10,test=10")
    of, frames = groups(spans), dict.fromkeys(shares, 0)
    fixed = _fixed(spans, of, known or {})
    total = sum(span.frames for span in spans)
    members: dict[str, list[Span]] = {}
    for span in spans:
        members.setdefault(of[span.log], []).append(span)
    chosen: dict[str, str] = {}
    for group in sorted(members, key=lambda name: (name not in fixed, _dealt(seed, name))):
        short = {name: share / whole * total - frames.get(name, 0) for name, share in shares.items()}
        name = fixed.get(group) or max(short, key=lambda each: short[each])
        frames[name] = frames.get(name, 0) + sum(span.frames for span in members[group])
        chosen |= {span.log: name for span in members[group]}
    return {span.log: chosen[span.log] for span in spans}


def _fixed(spans: Sequence[Span], of: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, tuple[str, str]] = {}
    for span in spans:
        if span.log in known:
            log, name = found.setdefault(of[span.log], (span.log, known[span.log]))
            if name != known[span.log]:
                both = f"{log} is in {name}, {span.log} in {known[span.log]}"
                raise CrosslabelError(f"one drive would be in two splits: {both}")
    return {group: name for group, (_, name) in found.items()}


def _dealt(seed: int, name: str) -> bytes:
    return sha256(f"{seed}\n{name}".encode()).digest()
