"""Many logs, on one machine or many: each is worked on until it ends, whatever becomes of the others."""

from autolabel.batch.ended import Ended, Unit
from autolabel.batch.here import Here
from autolabel.batch.ledger import Ledger, read_ledger
from autolabel.batch.standing import Standing, State

__all__ = ["Ended", "Here", "Ledger", "Standing", "State", "Unit", "read_ledger"]
