"""`crosslabel render`: pictures of labels in every camera and from above, as PNG and as a video."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from calib.types import U8
    from fusion.labels import LabelSet, Track
    from fusion.log import DriveLog, ImageRef
    from fusion.progress import Progress
    from fusion.sweep import Sweep

TILE_WIDTH_PX = 640
UNSEEN_SHADE = 52


def run(
    path: Annotated[Path, typer.Argument(help="The drive log or data set.")],
    labels: Annotated[Path, typer.Option(help="A labels.db, a folder of them, or any label format.")],
    out: Annotated[Path, typer.Option(help="Folder for the pictures.")],
    log: Annotated[list[str] | None, typer.Option(help="Only this log (may be repeated).")] = None,
    format: Annotated[str | None, typer.Option(help="Format of PATH, if it is not recognised.")] = None,
    every: Annotated[int, typer.Option(min=1, help="Only every n-th frame.")] = 1,
    rig: Annotated[Path | None, typer.Option(help="Calibration to use in place of the log's own.")] = None,
    points: Annotated[
        bool, typer.Option("--points", help="Draw the LiDAR's points that a camera sees on its images.")
    ] = False,
    coloured: Annotated[
        bool, typer.Option("--coloured", help="From above, give points their colours in the images.")
    ] = False,
    video: Annotated[bool, typer.Option("--video/--no-video", help="Also write a video.")] = True,
) -> None:
    """Draw labels on the cameras' images, each at its own instant, and from above.

    Writes OUT/<log>/<frame>_<camera>.png, OUT/<log>/<frame>_top.png and OUT/<log>/video.mp4.
    """
    from scripts.console import note, progress_bar
    from scripts.logs import labels_of, open_logs

    for _, drive in open_logs(path, format, log, rig=rig):
        label_set = labels_of(labels, drive)
        with progress_bar(drive.name) as progress:
            count = draw_log(drive, label_set, out / drive.name, every, points, video, progress, coloured)
        note(f"{drive.name}: {count} pictures: {out / drive.name}")


def draw_log(
    log: DriveLog,
    labels: LabelSet,
    folder: Path,
    every: int,
    with_points: bool,
    with_video: bool,
    progress: Progress,
    coloured: bool = False,
) -> int:
    """Draws every n-th frame of a log; returns the number of pictures written.

    Raises:
        FormatError: an image or a sweep cannot be read, or a picture cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    film = _Film(folder / "video.mp4", _frames_per_second(log) / every) if with_video else None
    count = 0
    frames = range(0, len(log), every)
    try:
        for done, frame in enumerate(frames):
            progress("frames", done, len(frames))
            pictures = dict(_frame_pictures(log, labels, frame, with_points, coloured))
            for name, picture in pictures.items():
                _save(folder / f"{frame:04d}_{name}.png", picture)
                count += 1
            if film is not None and pictures:
                film.add(_mosaic(pictures, [*log.rig.cameras, "top"]))
        progress("frames", len(frames), len(frames))
    finally:
        if film is not None:
            film.close()
    return count


def _frame_pictures(
    log: DriveLog, labels: LabelSet, frame: int, with_points: bool, coloured: bool
) -> Iterator[tuple[str, U8]]:
    """Name and picture of every camera that took an image of this frame, and of the view from above."""
    from fusion.align import read_deskewed
    from fusion.beam import image_of_frame

    timestamp_ns = int(log.timestamps_ns[frame])
    refs = [log.sweep_at(timestamp_ns, lidar) for lidar in log.rig.lidars]
    clouds = [read_deskewed(log, ref) for ref in refs if ref is not None]
    near = [image_of_frame(log, camera, timestamp_ns) for camera in log.rig.cameras]
    images = [image for image in near if image is not None and log.trajectory.covers(image.timestamp_ns)]
    for image in images:
        yield image.camera, _camera_picture(log, labels, image, clouds if with_points else [])
    yield "top", _top_picture(log, labels, timestamp_ns, clouds, images if coloured else [])


def _top_picture(
    log: DriveLog, labels: LabelSet, timestamp_ns: int, clouds: list[Sweep], images: list[ImageRef]
) -> U8:
    """From above; in the colours of the images where there are any, points that no camera sees dark."""
    import numpy as np

    from fusion.align import points_in_ego
    from fusion.pictures import Drawn, bird_eye
    from fusion.sight import colour_cloud

    things = [
        Drawn(annotation.box, track.category, track.id) for track, annotation in labels.at(timestamp_ns)
    ]
    points = [points_in_ego(log, sweep) for sweep in clouds]
    if not images or not clouds:
        return bird_eye(np.concatenate([*points, np.empty((0, 3), np.float32)]), things)
    colours = []
    for sweep in clouds:
        colour, image = colour_cloud(log, sweep, images)
        colours.append(np.where((image < 0)[:, None], np.uint8(UNSEEN_SHADE), colour))
    return bird_eye(np.concatenate(points), things, colours=np.concatenate(colours))


def _camera_picture(log: DriveLog, labels: LabelSet, image: ImageRef, clouds: list[Sweep]) -> U8:
    import numpy as np

    from fusion.align import box_at, cam_at_shot_from_ego, lens_of_shot, velocity_at
    from fusion.pictures import Drawn, dots, overlay
    from fusion.sight import cloud_seen_in_image

    picture = image.read()
    if clouds:
        seen = [cloud_seen_in_image(log, sweep, image) for sweep in clouds]
        picture = dots(
            picture, np.concatenate([s.uv_px for s in seen]), np.concatenate([s.depth_m for s in seen])
        )
    camera = log.rig.cameras[image.camera]
    rolling, things = camera.readout_ns > 0, []
    for track in labels.tracks.values():
        box = box_at(log, track, image.timestamp_ns)
        if box is not None:
            x, y, z = velocity_at(log, track, image.timestamp_ns).tolist() if rolling else (0.0, 0.0, 0.0)
            things.append(Drawn(box, track.category, _name(track), (x, y, z)))
    cam_from_ego = cam_at_shot_from_ego(log, image, image.timestamp_ns)
    return overlay(picture, lens_of_shot(log, image) if rolling else camera.model, cam_from_ego, things)


def _name(track: Track) -> str:
    """What is written beside a box: the class, and enough of the id to tell two of a class apart."""
    return track.id if track.id.startswith(track.category) else f"{track.category} {track.id[:6]}"


def _mosaic(pictures: dict[str, U8], order: list[str]) -> U8:
    """All pictures of a frame as tiles of one width, cameras first, missing ones dark."""
    import cv2
    import numpy as np

    shapes = [picture.shape for name, picture in pictures.items() if name != "top"]
    height, width = shapes[0][:2] if shapes else (1, 1)
    tile_height = round(TILE_WIDTH_PX * height / width / 2) * 2
    columns = min(3, len(order))
    rows = -(-len(order) // columns)
    canvas = np.zeros((rows * tile_height, columns * TILE_WIDTH_PX, 3), dtype=np.uint8)
    for number, name in enumerate(order):
        if name not in pictures:
            continue
        picture = pictures[name]
        scale = min(TILE_WIDTH_PX / picture.shape[1], tile_height / picture.shape[0])
        size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
        tile = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        top = (number // columns) * tile_height + (tile_height - size[1]) // 2
        left = (number % columns) * TILE_WIDTH_PX + (TILE_WIDTH_PX - size[0]) // 2
        canvas[top : top + size[1], left : left + size[0]] = tile
    return canvas


def _frames_per_second(log: DriveLog) -> float:
    import numpy as np

    gaps_ns = np.diff(log.timestamps_ns)
    return 1e9 / float(np.median(gaps_ns)) if len(gaps_ns) else 10.0


def _save(path: Path, picture: U8) -> None:
    import cv2

    from formats.errors import FormatError

    if not cv2.imwrite(str(path), picture[:, :, ::-1]):
        raise FormatError(path, "", "cannot be written")


class _Film:
    """A video file that begins with its first picture."""

    def __init__(self, path: Path, frames_per_second: float) -> None:
        self.path, self.frames_per_second = path, frames_per_second
        self._writer: object | None = None

    def add(self, picture: U8) -> None:
        import cv2

        from formats.errors import FormatError

        if self._writer is None:
            size = (picture.shape[1], picture.shape[0])
            code = cv2.VideoWriter.fourcc(*"mp4v")
            self._writer = cv2.VideoWriter(str(self.path), code, self.frames_per_second, size)
            if not self._writer.isOpened():
                raise FormatError(self.path, "", "cannot be written")
        self._writer.write(picture[:, :, ::-1])  # type: ignore[attr-defined]

    def close(self) -> None:
        if self._writer is not None:
            self._writer.release()  # type: ignore[attr-defined]
