"""Two label sets of one log: how well they agree, what differs, and both in one."""

from fusion.agreement.agree import Agreement, agree
from fusion.agreement.conflict import Conflict, Prefer
from fusion.agreement.diff import Diff, diff
from fusion.agreement.difference import Aspect, Deed, Difference, Tolerance, What
from fusion.agreement.match import Matching, match
from fusion.agreement.measures import cohen_kappa, krippendorff_alpha
from fusion.agreement.merge import Merged, merge
from fusion.agreement.output import write_merged
from fusion.agreement.record import Given, recorded
from fusion.agreement.same import SameTracks, same_tracks

__all__ = [
    "Agreement",
    "Aspect",
    "Conflict",
    "Deed",
    "Diff",
    "Difference",
    "Given",
    "Matching",
    "Merged",
    "Prefer",
    "SameTracks",
    "Tolerance",
    "What",
    "agree",
    "cohen_kappa",
    "diff",
    "krippendorff_alpha",
    "match",
    "merge",
    "recorded",
    "same_tracks",
    "write_merged",
]
