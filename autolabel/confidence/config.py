"""Settings of how sure labels are."""

from __future__ import annotations

from autolabel.settings import Settings, Share


class ConfidenceConfig(Settings):
    """When a box that was made wants a look.

    Attributes:
        least: a box that is less likely right is flagged.
    """

    least: Share = 0.96
