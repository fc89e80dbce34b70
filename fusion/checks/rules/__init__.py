"""All rules, in the order of their ids."""

from fusion.checks.rule import Rule
from fusion.checks.rules.images.beside import beside
from fusion.checks.rules.images.size import other_size
from fusion.checks.rules.images.truncation import said_wrong as truncation_said_wrong
from fusion.checks.rules.images.unseen import not_in_images, other_class
from fusion.checks.rules.images.visibility import said_too_visible
from fusion.checks.rules.integrity.names import left_out, not_said, unknown_class
from fusion.checks.rules.integrity.numbers import empty_track, no_frame, swapped_sides, unusable
from fusion.checks.rules.integrity.unsure import unsure
from fusion.checks.rules.points.cut_object import cut_object
from fusion.checks.rules.points.empty_box import empty_box
from fusion.checks.rules.points.few_points import few_points
from fusion.checks.rules.points.ground_only import ground_only
from fusion.checks.rules.points.impossible_size import impossible_size
from fusion.checks.rules.points.loose_face import loose_face
from fusion.checks.rules.points.missing_object import missing_object
from fusion.checks.rules.points.off_the_ground import off_the_ground
from fusion.checks.rules.points.overlap import duplicate, overlap
from fusion.checks.rules.points.region import outside
from fusion.checks.rules.points.sparse import sparse
from fusion.checks.rules.points.throughout import cut_throughout, loose_throughout
from fusion.checks.rules.points.tilted import tilted
from fusion.checks.rules.points.unseen import unseen
from fusion.checks.rules.points.unusual_size import unusual_size
from fusion.checks.rules.sensors.camera import camera_off
from fusion.checks.rules.sensors.examined import mistaken, moves
from fusion.checks.rules.sensors.pose_leaps import pose_leaps
from fusion.checks.rules.sensors.times import apart, shared_times
from fusion.checks.rules.time.cut_track import cut_track
from fusion.checks.rules.time.gap import gap
from fusion.checks.rules.time.heading import heading
from fusion.checks.rules.time.interpolated import interpolated
from fusion.checks.rules.time.leap import leap, swapped
from fusion.checks.rules.time.restless import said_wrong, wanders
from fusion.checks.rules.time.short_track import short_track
from fusion.checks.rules.time.side_slip import side_slip
from fusion.checks.rules.time.size_changes import size_changes
from fusion.checks.rules.time.speed import speed
from fusion.checks.rules.time.step import step_aside, turn_aside
from fusion.checks.rules.time.yaw_jump import yaw_jump

RULES: tuple[Rule, ...] = (
    unknown_class,
    not_said,
    unusable,
    no_frame,
    empty_track,
    swapped_sides,
    left_out,
    unsure,
    empty_box,
    few_points,
    sparse,
    loose_face,
    cut_object,
    off_the_ground,
    tilted,
    impossible_size,
    unusual_size,
    overlap,
    duplicate,
    outside,
    ground_only,
    missing_object,
    unseen,
    loose_throughout,
    cut_throughout,
    size_changes,
    yaw_jump,
    heading,
    speed,
    side_slip,
    wanders,
    said_wrong,
    gap,
    cut_track,
    leap,
    interpolated,
    short_track,
    swapped,
    step_aside,
    turn_aside,
    beside,
    not_in_images,
    other_class,
    other_size,
    said_too_visible,
    truncation_said_wrong,
    moves,
    camera_off,
    shared_times,
    apart,
    mistaken,
    pose_leaps,
)

__all__ = ["RULES"]
