"""Going from object to object, and what is done to the selected one as a whole."""

from __future__ import annotations

from collections.abc import Callable

from fusion.edits import Edit, MergeTracks, SplitTrack
from fusion.labels import Track
from viewer.actions.action import Action
from viewer.desk import Desk
from viewer.tracks import edits as tracks


def _let_go(desk: Desk) -> None:
    """Ends a drag, or else a proposal, or else the selection."""
    if desk.busy:
        desk.cancel()
    elif desk.proposals.ghost is not None:
        desk.proposals.refuse()
    else:
        desk.session.select(None)


def _edit(make: Callable[[Desk, Track], Edit | None]) -> Callable[[Desk], None]:
    """Makes an edit of the selected track, where it has a box in the frame that is shown."""

    def run(desk: Desk) -> None:
        track = desk.session.track
        if track is None or desk.session.annotation is None:
            return
        edit = make(desk, track)
        if edit is not None:
            desk.session.apply(edit)

    return run


def _copy(desk: Desk) -> None:
    if desk.session.annotation is not None:
        desk.copied_ns = desk.session.time_ns


def _paste(desk: Desk) -> None:
    track = desk.session.track
    if track is None or desk.copied_ns is None:
        return
    edit = tracks.pasted(desk.session.log, track, desk.copied_ns, desk.session.time_ns)
    if edit is not None:
        desk.session.apply(edit)


def _split(desk: Desk) -> None:
    track = desk.session.track
    if track is not None and min(track.annotations) < desk.session.time_ns <= max(track.annotations):
        desk.session.apply(SplitTrack(track.id, desk.session.time_ns, desk.session.free_id()))


def _merge(desk: Desk) -> None:
    """Joins the track under the pointer to the selected one."""
    selected, other = desk.session.selected, desk.hovered
    if selected is not None and other is not None and other != selected:
        desk.session.apply(MergeTracks(selected, other))


def _confirm(desk: Desk) -> None:
    """Accepts the finding that one has gone to, or else confirms the box."""
    if not desk.reviewing.accept():
        desk.session.confirm()


def _confirm_strip(desk: Desk) -> None:
    edit = desk.strip.confirmed()
    if edit is not None:
        desk.session.apply(edit)


def _classify(number: int) -> Callable[[Desk], None]:
    def run(desk: Desk) -> None:
        if number < len(desk.schema.categories):
            desk.classify(desk.schema.categories[number].name)

    return run


ACTIONS = (
    Action("object.next", "Next object", "Object", ("2", "Tab"), lambda d: d.session.next_track(1)),
    Action(
        "object.previous", "Previous object", "Object", ("1", "Shift+Tab"), lambda d: d.session.next_track(-1)
    ),
    Action("object.none", "Let go", "Object", ("Esc",), _let_go),
    Action("object.look", "Look at it", "Object", ("C",), lambda d: d.look_at_selected()),
    Action(
        "object.confirm",
        "Confirm the box, or that the finding is right as it is",
        "Object",
        ("Return",),
        _confirm,
    ),
    Action("strip.confirm", "Confirm all boxes in the strip", "Object", ("Shift+Return",), _confirm_strip),
    Action("strip.show", "Strip from another side", "Object", ("V",), lambda d: d.strip.next_show()),
    Action("object.copy", "Copy the box", "Object", ("Ctrl+C",), _copy),
    Action("object.paste", "Paste the box here", "Object", ("Ctrl+V",), _paste),
    Action(
        "object.remove_box",
        "Remove the box",
        "Object",
        ("Delete", "Backspace"),
        lambda d: d.session.remove_box(),
    ),
    Action(
        "object.remove", "Remove the object", "Object", ("Ctrl+Delete",), lambda d: d.session.remove_track()
    ),
    Action(
        "track.refit",
        "Solve the track again, then take it over",
        "Track",
        ("R",),
        lambda d: d.proposals.ask(),
    ),
    Action(
        "track.live",
        "Solve automatic tracks again after edits, or not",
        "Track",
        ("Shift+R",),
        lambda d: d.proposals.switch(),
    ),
    Action(
        "track.still",
        "Stands still",
        "Track",
        ("T",),
        _edit(lambda d, t: tracks.standing(d.session.log, t, d.session.time_ns)),
    ),
    Action(
        "track.size",
        "One size for the track",
        "Track",
        ("Y",),
        _edit(lambda d, t: tracks.sized_like(t, d.session.time_ns)),
    ),
    Action(
        "track.fill",
        "Fill between key frames",
        "Track",
        ("F",),
        _edit(lambda d, t: tracks.filled(d.session.log, t)),
    ),
    Action(
        "track.unkey",
        "Remove the key frame",
        "Track",
        ("Shift+Delete",),
        _edit(lambda d, t: tracks.without_key(d.session.log, t, d.session.time_ns)),
    ),
    Action(
        "track.begin",
        "Begins here",
        "Track",
        ("[",),
        _edit(lambda d, t: tracks.cut_off(t, d.session.time_ns, before=True)),
    ),
    Action(
        "track.end",
        "Ends here",
        "Track",
        ("]",),
        _edit(lambda d, t: tracks.cut_off(t, d.session.time_ns, before=False)),
    ),
    Action("track.split", "Another object from here on", "Track", ("Ctrl+T",), _split),
    Action("track.merge", "Join with the one under the mouse", "Track", ("Ctrl+M",), _merge),
    *(
        Action(f"class.{k + 1}", f"Class {k + 1}", "Class", (f"Ctrl+{k + 1}",), _classify(k))
        for k in range(9)
    ),
)
