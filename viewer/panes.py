"""From where each pane looks: one all around, and three flat ones that stay with the selected box."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from calib.types import Floats
from viewer.scene.views import Flat, Orbit, Side, Size, View
from viewer.session import Session

MAIN = "main"
CLOSE_M = 18.0


@dataclass(eq=False)
class Panes:
    """The views of all panes, and how large they are.

    Attributes:
        session: whose selected box the flat ones show.
        orbit: the view of the main pane.
        flats: the views of the other panes, where a box is selected.
        sizes: of the panes.
    """

    session: Session
    orbit: Orbit = field(default_factory=Orbit)
    flats: dict[Side, Flat] = field(default_factory=dict)
    sizes: dict[str, Size] = field(default_factory=dict)

    def view(self, pane: str) -> View | None:
        """The view of a pane; a flat one has none where no box is selected."""
        return self.orbit if pane == MAIN else self.flats.get(Side(pane))

    def put(self, pane: str, view: View) -> None:
        """A pane looks from elsewhere."""
        if isinstance(view, Orbit):
            self.orbit = view
        elif isinstance(view, Flat):
            self.flats[Side(pane)] = view

    def size(self, pane: str) -> Size:
        """Of a pane."""
        return self.sizes.get(pane, Size(800, 600))

    def resize(self, pane: str, size: Size) -> None:
        """A pane has another size."""
        if self.sizes.get(pane) != size:
            self.sizes[pane] = size
            if pane != MAIN and Side(pane) in self.flats:
                self._tie(Side(pane), afresh=True)

    def look_at_selected(self) -> None:
        """Brings the selected box into the middle of all panes."""
        annotation = self.session.annotation
        if annotation is not None:
            self.look_at(annotation.box.center)
            self.tie(afresh=True)

    def look_at(self, place: Floats) -> None:
        """Brings a place into the middle of the main pane, close up."""
        self.orbit = self.orbit.onto(place, min(self.orbit.distance_m, CLOSE_M))

    def tie(self, afresh: bool = False) -> None:
        """Ties the flat views to the selected box where it is now; `afresh`, as large as fits, too."""
        for side in Side:
            self._tie(side, afresh)

    def _tie(self, side: Side, afresh: bool) -> None:
        annotation = self.session.annotation
        if annotation is None:
            self.flats.pop(side, None)
            return
        before = self.flats.get(side)
        around = Flat.around(side, annotation.box, self.size(side))
        self.flats[side] = around if before is None or afresh else replace(around, m_per_px=before.m_per_px)
