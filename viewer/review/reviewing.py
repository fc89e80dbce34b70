"""The reviewer's part of the desk: going through findings, saying how far things are, and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from fusion.checks import Finding
from fusion.edits import Edit
from fusion.labels import LabelSet, Review
from viewer.review import reviews
from viewer.review.findings import Findings
from viewer.review.reviews import Place, State
from viewer.schema import Schema
from viewer.session import Changed, Session

# Asks for one line of text: a title, what is offered, and what comes of it; None where nothing was said.
Ask = Callable[[str, Sequence[str]], str | None]


@dataclass(eq=False)
class Reviewing:
    """What is left to look at, and what is said of it.

    Attributes:
        session: the labels.
        schema: what has to be said of objects.
        look: brings the selected box into view.
        ask: asks the person for words.
        current: the finding that one has gone to, for as long as its object stays selected.
    """

    session: Session
    schema: Schema
    look: Callable[[], None] = lambda: None
    ask: Ask = lambda title, offered: None
    current: Finding | None = None
    _rules: Findings = field(init=False, repr=False)
    _open: tuple[LabelSet, list[Finding]] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self._rules = Findings(self.schema)
        self.session.subscribe(self._on_session)

    def findings(self) -> list[Finding]:
        """What nobody has accepted yet; the same list as long as nothing changes."""
        labels = self.session.store.labels
        if self._open is None or self._open[0] is not labels:
            found = [one for one in self._rules.of(labels) if not reviews.is_accepted(labels, one)]
            self._open = (labels, found)
        return self._open[1]

    def go_to(self, finding: Finding) -> None:
        """Shows what a finding is about."""
        self.current = None
        self.show(Place(finding.track_id), finding.timestamps_ns)
        self.current = finding
        self.look()

    def show(self, place: Place, times_ns: Sequence[int] = ()) -> None:
        """Selects the track of a place, in the nearest of some frames where it is."""
        session = self.session
        track = session.store.labels.tracks.get(place.track_id or "")
        wanted = list(times_ns or ([place.timestamp_ns] if place.timestamp_ns is not None else []))
        if track is not None and not wanted and session.time_ns not in track.annotations:
            wanted = list(track.annotations)
        frames = [frame for t in wanted if (frame := session.frame_at(t)) is not None]
        if frames and session.frame not in frames:
            session.go_to(min(frames, key=lambda frame: abs(frame - session.frame)))
        if track is not None:
            session.select(track.id)

    def next(self, step: int = 1) -> None:
        """Goes to the next finding."""
        there = self.findings()
        if there:
            ids = [one.id for one in there]
            known = None if self.current is None else self.current.id
            at = ids.index(known) + step if known in ids else 0 if step > 0 else -1
            self.go_to(there[at % len(there)])

    def accept(self) -> bool:
        """Says that all is right with the finding that is looked at, and goes on; whether there was one."""
        finding = self.current
        if finding is None or not self._here(finding):
            return False
        self._done(finding, reviews.accepted(self.session.store.labels, finding, self._author))
        return True

    def fix(self) -> bool:
        """Repairs what the finding that is looked at is about, if the rule knows how, and goes on."""
        finding = self.current
        if finding is None or finding.fix is None:
            return False
        self._done(finding, finding.fix)
        return True

    def _here(self, finding: Finding) -> bool:
        """Whether the frame that is shown is one that a finding is about."""
        return not finding.timestamps_ns or self.session.time_ns in finding.timestamps_ns

    def words(self) -> str | None:
        """The finding that is looked at, and what can be done with it."""
        if self.current is None or not self._here(self.current):
            return None
        fix = ", Ctrl+Return repairs it" if self.current.fix is not None else ""
        return f"{self.current.words} - Return: right as it is{fix}, N: the next one"

    @property
    def place(self) -> Place:
        """What states are said of: the selected track, or else the frame."""
        selected = self.session.selected
        return Place(None, self.session.time_ns) if selected is None else Place(selected)

    def state(self, place: Place) -> State:
        """How far a place is."""
        return reviews.state_of(self.session.store.labels, place)

    def put_state(self, state: State, place: Place | None = None) -> None:
        """Says how far a place is; of what is rejected, why."""
        place = place or self.place
        reason: str | None = ""
        if state is State.REJECTED:
            reason = self.ask("Why is it rejected?", reviews.REASONS)
        if reason is not None:
            self._apply(reviews.with_state(self.session.store.labels, place, state, reason, self._author))

    def comment(self) -> None:
        """Asks for a comment, and pins it to the selected box or track, or to the frame."""
        session = self.session
        box = session.annotation is not None
        place = Place(session.selected, session.time_ns) if box else self.place
        kind = "box" if box else "frame" if place.track_id is None else "track"
        text = self.ask(f"A comment on the {kind}", reviews.REASONS)
        if text:
            self._apply(reviews.comment(place, text, self._author))

    def comments(self) -> list[Review]:
        """All of them, open ones first, those of the shown frame or selected track before others."""
        here, selected = self.session.time_ns, self.session.selected

        def order(review: Review) -> tuple[bool, bool]:
            near = review.timestamp_ns == here or (selected is not None and review.track_id == selected)
            return review.state != reviews.OPEN, not near

        return sorted(reviews.comments(self.session.store.labels), key=order)

    def resolve(self, review: Review) -> None:
        """A comment is resolved, or open again."""
        self._apply(reviews.toggled(review))

    @property
    def _author(self) -> str:
        return self.session.store.author

    def _apply(self, edit: Edit | None) -> None:
        if edit is not None:
            self.session.apply(edit)

    def _done(self, finding: Finding, edit: Edit) -> None:
        """Makes an edit that settles a finding, and goes to the one that comes after it."""
        ids = [one.id for one in self.findings()]
        at = ids.index(finding.id) if finding.id in ids else 0
        self.session.apply(edit)
        self.current = None
        left = self.findings()
        if left:
            self.go_to(left[min(at, len(left) - 1)])

    def _on_session(self, changed: Changed) -> None:
        known = None if self.current is None else self.current.track_id
        if Changed.SELECTION in changed and self.session.selected != known:
            self.current = None
