"""The reviewer's part of the desk: going through findings, saying how far things are, and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from fusion.boxes import Box3D
from fusion.checks import Finding
from fusion.checks.config import CheckConfig
from fusion.edits import Edit, PutTrack
from fusion.labels import LabelSet, Review
from viewer.review import reviews
from viewer.review.checking import Checking
from viewer.review.findings import Standing, open_findings
from viewer.review.reviews import Place, State
from viewer.same import same
from viewer.schema import Schema
from viewer.session import Changed, Session

# Asks for one line of text: a title, what is offered, and what comes of it; None where nothing was said.
Ask = Callable[[str, Sequence[str]], str | None]
Place3D = tuple[float, float, float]


@dataclass(eq=False)
class Reviewing:
    """What is left to look at, and what is said of it.

    Attributes:
        session: the labels.
        schema: what has to be said of objects.
        look: brings the selected box, or else a place in the ego frame, into view.
        ask: asks the person for words.
        checking: what the rules say.
    """

    session: Session
    schema: Schema
    look: Callable[[Place3D | None], None] = lambda place: None
    ask: Ask = lambda title, offered: None
    checking: Checking = field(init=False)
    _at: tuple[str, int] | None = field(default=None, repr=False)
    _open: tuple[LabelSet, Standing, dict[str, Finding], list[Finding]] | None = field(
        default=None, repr=False
    )

    def __post_init__(self) -> None:
        config = CheckConfig(labels=self.schema.asked)
        self.checking = Checking(
            self.session.log, config, lambda: self.session.store.labels, lambda run: run()
        )
        self.session.subscribe(self._on_session)

    def findings(self) -> list[Finding]:
        """What still holds and nobody has accepted; the same list as long as nothing changes."""
        labels, standing = self.session.store.labels, self.checking.standing
        if self._open is None or self._open[0] is not labels or self._open[1] is not standing:
            found = open_findings(standing, labels, reviews.settled(labels))
            listed = list(found.values())
            known = [] if self._open is None else self._open[3]
            self._open = (labels, standing, found, known if same(known, listed) else listed)
        return self._open[3]

    @property
    def current(self) -> Finding | None:
        """The finding that one has gone to, for as long as it holds and its object stays selected."""
        self.findings()
        return None if self._at is None or self._open is None else self._open[2].get(self._at[0])

    def go_to(self, finding: Finding) -> None:
        """Shows what a finding is about."""
        session, there = self.session, self.findings()
        if finding.track_id is None:
            session.select(None)
        self.show(Place(finding.track_id), finding.timestamps_ns)
        self._at = (finding.id, _place_of(finding, there))
        proposed = self.proposed()
        self.look(finding.place if proposed is None else _middle(proposed))

    def proposed(self) -> Box3D | None:
        """The box that the finding one has gone to would add to the frame that is shown."""
        fix = None if self.current is None else self.current.fix
        if not isinstance(fix, PutTrack):
            return None
        there = fix.track.annotations.get(self.session.time_ns)
        return None if there is None else there.box

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
        there, now = self.findings(), self.current
        if not there:
            return
        if self._at is None:
            at = 0 if step > 0 else -1
        elif now is None:  # it holds no longer, and what came after it stands in its place
            at = self._at[1] + min(step, 0)
        else:
            at = _place_of(now, there) + step
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
        before = self.findings()
        at = _place_of(finding, before)
        self.session.apply(edit)
        self._at = None
        left = {id(one) for one in self.findings() if one is not finding}
        goal = next((one for one in (*before[at + 1 :], *before[:at]) if id(one) in left), None)
        if goal is not None:
            self.go_to(goal)

    def _on_session(self, changed: Changed) -> None:
        if Changed.LABELS in changed:
            self.checking.noticed()
        now = self.current
        if Changed.SELECTION in changed and (now is None or self.session.selected != now.track_id):
            self._at = None


def _place_of(finding: Finding, listed: list[Finding]) -> int:
    return next((k for k, one in enumerate(listed) if one is finding), 0)


def _middle(box: Box3D) -> Place3D:
    x, y, z = box.center.tolist()
    return x, y, z
