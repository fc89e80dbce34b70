"""What may be wrong with labels: rules find it, name whose fault it is, and rank what is worth a look."""

from fusion.checks.finding import Finding, Severity

__all__ = ["Finding", "Severity"]
