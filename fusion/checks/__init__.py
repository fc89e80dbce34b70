"""What may be wrong with labels: findings, each with its place, what it is about, and perhaps its repair."""

from fusion.checks.finding import Finding, Severity

__all__ = ["Finding", "Severity"]
