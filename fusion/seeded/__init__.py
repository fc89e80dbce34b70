"""Errors put into labels on purpose, and what a check found of them."""

from fusion.seeded.kinds import GROSS_LEVELS, LEVELS, ErrorKind, Level, amount_words
from fusion.seeded.power import GRID, Found, Power, Row, Rule
from fusion.seeded.score import score_findings
from fusion.seeded.seed import seed_errors
from fusion.seeded.seeded import SeedConfig, Seeded, SeededError
from fusion.seeded.self_test import self_test
from fusion.seeded.share import Share
from fusion.seeded.survey import Survey

__all__ = [
    "GRID",
    "GROSS_LEVELS",
    "LEVELS",
    "ErrorKind",
    "Found",
    "Level",
    "Power",
    "Row",
    "Rule",
    "SeedConfig",
    "Seeded",
    "SeededError",
    "Share",
    "Survey",
    "amount_words",
    "score_findings",
    "seed_errors",
    "self_test",
]
