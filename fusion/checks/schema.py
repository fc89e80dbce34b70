"""What a project lets labels say."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Asked(BaseModel):
    """An attribute that has to be said.

    Attributes:
        of: of each box, or once of the track.
        classes: of which classes; of all where none is named.
        values: what may be said; anything where none is named.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    of: str = Field(default="track", pattern="^(track|box)$")
    classes: tuple[str, ...] = ()
    values: tuple[str | bool | float, ...] = ()


class LabelSchema(BaseModel):
    """Classes and attributes of a project.

    Attributes:
        classes: their names; all are allowed where none is named.
        attributes: by name.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    classes: tuple[str, ...] = ()
    attributes: dict[str, Asked] = Field(default_factory=dict)
