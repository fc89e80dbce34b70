"""One image of a frame as a panel shows it: what of it, and what the mouse does in it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from calib.types import U8
from fusion.edits import Edit
from fusion.labels import ImageBox, Track
from fusion.log import ImageRef
from viewer.desk import Desk
from viewer.frames.frame import Frame
from viewer.hold import Drag, Hold
from viewer.images.image_boxes import correction, edge_at, stretched
from viewer.images.outlines import Outline, Outlines
from viewer.images.pixels import track_at
from viewer.images.sightline import cast
from viewer.images.sights import Sight, best, sight
from viewer.images.zoom import Zoom
from viewer.pointer import Button, Deed, Pointer
from viewer.scene.handles import Handle
from viewer.scene.shown import Shown
from viewer.scene.views import Size

REACH_PX = 6.0
ROOM, LEAST_ROOM, MOST_ROOM = 0.35, 0.05, 6.0

Source = tuple[ImageRef, U8]
Grip = tuple[Track, ImageBox, Handle]


@dataclass(eq=False)
class ImageView:
    """The image of one camera.

    Attributes:
        desk: whose frame is shown.
        shown: the points of the frame.
        camera: which one.
        size: of the panel.
        zoom: which part is shown; None for all of it.
        seen: the boxes that are seen in it, the nearest last.
    """

    desk: Desk
    shown: Shown
    camera: str
    size: Size = field(default_factory=lambda: Size(1, 1))
    zoom: Zoom | None = None
    seen: list[Outline] = field(default_factory=list)
    _hold: Hold = field(default_factory=Hold, repr=False)

    def __post_init__(self) -> None:
        self.desk.holders.append(self)

    @property
    def outlines(self) -> Outlines:
        """The boxes of the log in its images."""
        return self.desk.image_boxes.outlines

    def source(self) -> Source | None:
        """The image; None where there is none, or while it is being read."""
        frame = self.desk.frame
        return None if frame is None else frame.images.get(self.camera)

    def window(self, pixels: U8) -> Zoom:
        """Which part of the image is shown."""
        return self.zoom or self._whole(pixels)

    def look(self, ref: ImageRef) -> list[Outline]:
        """The boxes that an image shows, the nearest last."""
        there = [track for track, _ in self.desk.session.present()]
        self.seen = sorted(self.outlines.of(ref, there), key=lambda one: -one.away_m)
        return self.seen

    def rectangles(self, ref: ImageRef) -> dict[str, ImageBox]:
        """The 2D boxes that are shown, by track."""
        if not self.desk.display.rectangles:
            return {}
        selected, others = self.desk.session.selected, self.desk.display.others
        there = [track for track, _ in self.desk.session.present() if others or track.id == selected]
        return self.desk.image_boxes.of(ref, there)

    def on_pointer(self, event: Pointer) -> None:
        """Something was done with the mouse in the panel."""
        there = self.source()
        if there is None:
            return
        if self._hold.take(event):
            return
        if event.deed is Deed.WHEEL:
            self._wheel(event, there[1])
        elif event.deed is Deed.PRESS and event.button in (Button.LEFT, Button.MIDDLE, Button.RIGHT):
            self._hold.begin(self._held(event, there))
        elif event.deed is Deed.MOVE:
            self.desk.hover(track_at(self.seen, self.at(event, there[1])))
        elif event.deed is Deed.LEAVE:
            self.desk.hover(None)

    @property
    def busy(self) -> bool:
        """Whether something is being dragged."""
        return self._hold.busy

    def cancel(self) -> None:
        """Lets go of it."""
        self._hold.cancel()

    def at(self, event: Pointer, pixels: U8) -> tuple[float, float]:
        """The pixel of the image under the pointer."""
        return self.window(pixels).to_image(event.uv_px, self.size)

    def pan(self, dx_px: float, dy_px: float, pixels: U8) -> None:
        """Moves the image along."""
        self.zoom = self.window(pixels).shifted(dx_px, dy_px)
        self.desk.changed()

    def _wheel(self, event: Pointer, pixels: U8) -> None:
        """Nearer, to what is under the pointer, or farther, up to the whole image."""
        whole = self._whole(pixels)
        zoom = self.window(pixels).zoomed(event.steps, event.uv_px, self.size)
        self.zoom = zoom if zoom.scale > whole.scale else None
        self.desk.changed()

    def _whole(self, pixels: U8) -> Zoom:
        return Zoom.fitting(Size(pixels.shape[1], pixels.shape[0]), self.size)

    def _held(self, press: Pointer, there: Source) -> Drag:
        """A drag of an edge corrects a 2D box, any other moves the image; a click points at something."""
        (ref, pixels), session = there, self.desk.session
        grip, last, moved = self._grip(press, ref, pixels), press, False
        while (event := (yield)).deed is not Deed.RELEASE:
            moved = moved or event.is_off(press)
            if moved and grip is not None:
                session.show(self._corrected(grip, event, ref, pixels))
            elif moved:
                self.pan(event.uv_px[0] - last.uv_px[0], event.uv_px[1] - last.uv_px[1], pixels)
            last = event
        if moved and grip is not None:
            session.apply(self._corrected(grip, last, ref, pixels))
        elif not moved and press.button is Button.LEFT:
            self._click(press, ref, pixels)

    def _grip(self, press: Pointer, ref: ImageRef, pixels: U8) -> Grip | None:
        """What of the 2D box of the selected track lies under the pointer."""
        track = self.desk.session.track
        box = None if track is None else self.rectangles(ref).get(track.id)
        if track is None or box is None or press.button is not Button.LEFT:
            return None
        edge = edge_at(box, self.at(press, pixels), REACH_PX / self.window(pixels).scale)
        return None if edge is None else (track, box, edge)

    def _corrected(self, grip: Grip, event: Pointer, ref: ImageRef, pixels: U8) -> Edit:
        track, box, edge = grip
        height, width = pixels.shape[:2]
        return correction(track, ref, stretched(box, edge, self.at(event, pixels), width, height))

    def _click(self, press: Pointer, ref: ImageRef, pixels: U8) -> None:
        """Selects the box under the pointer; beside all of them, shows in 3D what is seen there."""
        session, uv_px = self.desk.session, self.at(press, pixels)
        found = track_at(self.seen, uv_px)
        session.select(found)
        if found is None and self.desk.frame is not None:
            cloud, seen = self.desk.cloud, self.shown.points_in(ref)
            self.desk.point_at(cast(session.log, session.frame, ref, uv_px, cloud, seen))


@dataclass(eq=False)
class BestView(ImageView):
    """The image that shows the selected object best, close up.

    Attributes:
        room: around the object, a share of its size.
    """

    room: float = ROOM
    _about: tuple[object, ...] | None = field(default=None, repr=False)
    _found: tuple[Frame, Track, Sight | None] | None = field(default=None, repr=False)

    def sight(self) -> Sight | None:
        """How the object is seen best."""
        frame, track = self.desk.frame, self.desk.session.track
        if frame is None or track is None or self.desk.session.annotation is None:
            return None
        if self._found is None or self._found[0] is not frame or self._found[1] is not track:
            self._found = (frame, track, self._best(frame, track))
        return self._found[2]

    def _best(self, frame: Frame, track: Track) -> Sight | None:
        """The camera that was chosen stays as long as one works on the same box."""
        log, course, before = self.desk.session.log, self.outlines.course(track), self._found
        if before is not None and before[0] is frame and before[1].id == track.id and before[2] is not None:
            again = sight(log, course, before[2].image)
            if again is not None:
                return again
        return best(sight(log, course, ref) for ref, _ in frame.images.values())

    def source(self) -> Source | None:
        """The image; None where no camera sees the object."""
        found, frame = self.sight(), self.desk.frame
        if found is None or frame is None:
            return None
        self.camera = found.image.camera
        return frame.images.get(self.camera)

    def window(self, pixels: U8) -> Zoom:
        """The object and what is around it; the picture rests as long as the object stays about there."""
        found, session = self.sight(), self.desk.session
        if found is None:
            return self._whole(pixels)
        wanted = Zoom.onto(found.ltrb_px, self.size, self.room)
        about = (session.selected, session.frame, found.image.camera, self.size, self.room)
        if self._about != about or self.zoom is None or not self.zoom.is_near(wanted, self.size):
            self._about, self.zoom = about, wanted
        return self.zoom

    def pan(self, dx_px: float, dy_px: float, pixels: U8) -> None:
        """The object stays in the middle."""

    def _wheel(self, event: Pointer, pixels: U8) -> None:
        self.room = float(np.clip(self.room * 1.3**-event.steps, LEAST_ROOM, MOST_ROOM))
        self.desk.changed()
