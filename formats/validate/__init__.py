"""Whether a data set is what its format says: rules with stable ids, faults that are counted and placed."""

from formats.validate.fault import Fault, Faults, Rule, Severity
from formats.validate.run import RULES, validate

__all__ = ["RULES", "Fault", "Faults", "Rule", "Severity", "validate"]
