"""Label sets and edits of every kind, drawn by hypothesis from a small world so that they meet."""

import numpy as np
from hypothesis import strategies as st

from calib import SE3
from fusion import Annotation, Box3D, ImageBox, LabelSet, Review, Source, Track
from fusion.edits import (
    Edit,
    Group,
    LockAnnotations,
    MergeTracks,
    PutAnnotations,
    PutImageBoxes,
    PutReview,
    PutTrack,
    RemoveAnnotations,
    RemoveImageBoxes,
    RemoveReview,
    RemoveTrack,
    RenameTrack,
    SetTrack,
    SplitTrack,
)

TRACK_IDS = st.sampled_from(["a", "b", "c", "träck\n'\0", ""])
INSTANTS = st.sampled_from([-(2**63), 0, 1, 1_532_402_927_647_951_000, 2**63 - 1])
CAMERAS = st.sampled_from(["CAM_FRONT", "前"])
REVIEW_IDS = st.sampled_from(["r", "s"])
NUMBERS = st.floats(-1e6, 1e6)
SCORES = st.none() | st.floats(0, 1)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
attributes = st.just({}) | st.dictionaries(st.text(max_size=5), json_values, max_size=3)
sizes = st.floats(1e-3, 1e3)


@st.composite
def boxes(draw: st.DrawFn) -> Box3D:
    quaternion = draw(st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda q: np.linalg.norm(q) > 0.1))
    center = draw(st.tuples(NUMBERS, NUMBERS, NUMBERS))
    size = draw(st.tuples(sizes, sizes, sizes))
    return Box3D(SE3.from_quaternion_wxyz(quaternion, center), *size)


# A few are drawn once: most of what is tested turns on which boxes meet, not on their numbers.
BOXES = st.sampled_from(
    [
        Box3D.upright((1, 2, 3), (4, 2, 1.5), 0.3),
        Box3D.upright((-0.0, 0.1 + 0.2, 1e-300), (1e-3, 1e3, 1 / 3), np.pi),
        Box3D(SE3.from_yaw(0.0).inverse(), 1.0, 1.0, 1.0),
    ]
)
annotations = st.builds(
    Annotation, INSTANTS, BOXES, st.sampled_from(Source), SCORES, st.booleans(), attributes
) | st.builds(Annotation, INSTANTS, BOXES | boxes(), st.just(Source.AUTO), SCORES, st.booleans())
image_boxes = st.builds(
    ImageBox, NUMBERS, NUMBERS, NUMBERS, NUMBERS, st.sampled_from(Source), SCORES, attributes
)
image_keys = st.tuples(CAMERAS, INSTANTS)
reviews = st.builds(
    Review,
    REVIEW_IDS,
    st.text(max_size=50),
    st.text(max_size=5),
    st.sampled_from(["open", "fixed"]),
    st.none() | TRACK_IDS,
    st.none() | INSTANTS,
)


@st.composite
def tracks(draw: st.DrawFn) -> Track:
    inside = {a.timestamp_ns: a for a in draw(st.lists(annotations, max_size=4))}
    seen = draw(st.dictionaries(image_keys, image_boxes, max_size=2))
    return Track(draw(TRACK_IDS), draw(st.sampled_from(["car", "人"])), inside, seen, draw(attributes))


@st.composite
def label_sets(draw: st.DrawFn) -> LabelSet:
    drawn = draw(st.lists(tracks(), max_size=3))
    said = draw(st.lists(reviews, max_size=2))
    return LabelSet(
        {track.id: track for track in drawn}, {review.id: review for review in said}, draw(attributes)
    )


instants = st.lists(INSTANTS, max_size=3, unique=True).map(tuple)
single_edits: st.SearchStrategy[Edit] = st.one_of(
    st.builds(PutTrack, tracks()),
    st.builds(RemoveTrack, TRACK_IDS),
    st.builds(SetTrack, TRACK_IDS, st.none() | st.just("bus"), st.none() | attributes),
    st.builds(RenameTrack, TRACK_IDS, TRACK_IDS),
    st.builds(MergeTracks, TRACK_IDS, TRACK_IDS),
    st.builds(SplitTrack, TRACK_IDS, INSTANTS, TRACK_IDS),
    st.builds(PutAnnotations, TRACK_IDS, st.lists(annotations, max_size=3).map(tuple)),
    st.builds(RemoveAnnotations, TRACK_IDS, instants),
    st.builds(LockAnnotations, TRACK_IDS, instants, st.booleans()),
    st.builds(PutImageBoxes, TRACK_IDS, st.dictionaries(image_keys, image_boxes, max_size=2)),
    st.builds(RemoveImageBoxes, TRACK_IDS, st.lists(image_keys, max_size=2, unique=True).map(tuple)),
    st.builds(PutReview, reviews),
    st.builds(RemoveReview, REVIEW_IDS),
)
edits: st.SearchStrategy[Edit] = single_edits | st.builds(
    Group, st.lists(single_edits, max_size=3).map(tuple), st.text(max_size=8)
)
