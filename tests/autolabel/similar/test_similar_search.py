"""Search by example, neighbours, and what is worth labelling next."""

import sys

import numpy as np
import pytest

from autolabel.similar import Catalogue, Doubt, ObjectId, Pool, Query, log_worths, search, worths
from autolabel.similar.features import BLOCKS, WIDTH, Features, columns_of
from autolabel.similar.neighbours import nearest
from autolabel.similar.query import likeness, unlikeness
from autolabel.similar.scale import ASPECTS, Vectors, built_in, share_of
from calib.errors import CrosslabelError
from fusion.boxes import Box3D
from fusion.labels import Annotation, Source, Track

SMALL, LARGE = (0.7, 0.7, 1.7), (4.5, 1.9, 1.6)


def features(seed: int, count: int, size: tuple[float, float, float] = LARGE, embedded: int = 0) -> Features:
    """Objects about the average, of a size, well seen."""
    rng = np.random.default_rng(seed)
    scale = built_in()
    values = scale.mean + 0.3 * scale.spread * rng.normal(size=(count, WIDTH))
    values[:, columns_of()["size"]] = np.sqrt(size) + rng.normal(0, 0.01, (count, 3))
    embeddings = rng.normal(size=(count, embedded))
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True) if embedded else 1.0
    columns = (values, np.full(count, 200.0), np.full(count, 80.0), embeddings)
    return Features(*(column.astype(np.float32) for column in columns))


def catalogue(log: str, seed: int, people: int = 10, cars: int = 20) -> Catalogue:
    both = Features.joined([features(seed, people, SMALL), features(seed + 50, cars, LARGE)])
    tracks = tuple(f"p{k}" for k in range(people)) + tuple(f"c{k}" for k in range(cars))
    categories = ("pedestrian",) * people + ("car",) * cars
    return Catalogue(log, "print", tracks, categories, both)


@pytest.fixture(scope="module")
def pool() -> Pool:
    return Pool.of([catalogue("b", 1), catalogue("a", 2)])


def test_aspects_share_a_distance_alike() -> None:
    for present in (BLOCKS, {*BLOCKS, "embedding"}, {"size", "motion"}):
        assert sum(share_of(name, present) for name in present) == pytest.approx(1.0)
    assert {name for names in ASPECTS.values() for name in names} == {*BLOCKS, "embedding"}
    assert share_of("size", BLOCKS) == pytest.approx(1 / 6)
    assert share_of("outline", BLOCKS) == pytest.approx(1 / 24)


def test_unlikeness_is_the_squared_distance_with_what_is_open_on_top() -> None:
    some = features(3, 12)
    some = Features(some.values, np.arange(12, dtype=np.float32), some.sides_px, some.embeddings)
    vectors = Vectors.of(some)
    for place, name in enumerate(vectors.columns):
        part = vectors.rows[:, vectors.columns[name]].astype(np.float64)
        found = unlikeness(vectors, name, [2, 7])
        for a in range(12):
            for column, b in enumerate((2, 7)):
                straight = ((part[a] - part[b]) ** 2).sum()
                doubt = 0.0 if a == b else vectors.doubts[a, place] + vectors.doubts[b, place]
                expected = 0.0 if a == b else straight + doubt
                assert found[a, column] == pytest.approx(expected, abs=1e-9)


def test_an_object_that_was_hardly_seen_is_less_surely_like_any_other() -> None:
    some = features(3, 3)
    seen = Vectors.of(some)
    unseen = Vectors.of(Features(some.values, np.array([200, 0, 200], np.float32), *_rest(some)))
    assert unseen.doubts[1].sum() > seen.doubts[1].sum()
    assert unlikeness(unseen, "outline", [0])[1, 0] > 0
    outline = unseen.rows[1, unseen.columns["outline"]]
    assert not outline.any()


def _rest(some: Features) -> tuple[np.ndarray, np.ndarray]:
    return some.sides_px, some.embeddings


def test_scores_stay_within_bounds_and_examples_are_the_ends(pool: Pool) -> None:
    query = Query([pool.row("a/p1"), pool.row("b/p2")], [pool.row("a/c1")])
    answer = search(pool, query)
    assert (np.abs(answer.scores) <= 1).all()
    assert answer.scores[list(query.liked)].tolist() == [1.0, 1.0]
    assert answer.scores[list(query.unliked)].tolist() == [-1.0]
    assert sum(answer.shares.values()) == pytest.approx(1.0)
    people = np.array([category == "pedestrian" for category in pool.categories])
    assert answer.scores[people].min() > answer.scores[~people].max()
    assert set(answer.first(np.arange(len(pool)), 18, query)) == set(np.flatnonzero(people)) - {*query.liked}


def test_the_order_of_logs_and_examples_changes_nothing() -> None:
    one, other = (
        Pool.of([catalogue("b", 1), catalogue("a", 2)]),
        Pool.of([catalogue("a", 2), catalogue("b", 1)]),
    )
    rows = [one.row("a/c3"), one.row("b/c4"), one.row("b/c9")]
    first, second = (
        search(one, Query(rows, [one.row("a/p0")])),
        search(other, Query(rows[::-1], [one.row("a/p0")])),
    )
    assert one.ids == other.ids and first.scores.tobytes() == second.scores.tobytes()


def test_an_unliked_object_pushes_down_what_is_like_it(pool: Pool) -> None:
    liked, twin = pool.row("a/c0"), pool.row("a/c1")
    before, after = search(pool, Query([liked])), search(pool, Query([liked], [twin]))
    others = np.setdiff1d(np.arange(len(pool)), [liked, twin])
    assert (after.scores[others] < before.scores[others]).all()
    squares = sum(unlikeness(pool.vectors, name, [twin])[:, 0] for name in pool.vectors.columns)
    fallen = before.scores[others] - after.scores[others]
    assert np.corrcoef(fallen, -np.asarray(squares)[others])[0, 1] > 0.5


def test_what_the_liked_have_in_common_counts_more() -> None:
    some = features(5, 40)
    values = some.values.copy()
    motion = columns_of()["motion"]
    values[:, motion] = built_in().mean[motion] + np.where(np.arange(40) < 8, 2.0, -1.0)[:, None]
    tracks = tuple(f"{k:02}" for k in range(40))
    alike = Features(values, some.points, *_rest(some))
    moved = Pool.of([Catalogue("log", "", tracks, ("car",) * 40, alike)])
    one, three = search(moved, Query([0])), search(moved, Query([0, 1, 2]))
    assert three.shares["motion"] > 2 * one.shares["motion"]
    assert set(three.first(np.arange(40), 5, Query([0, 1, 2]))) == {3, 4, 5, 6, 7}


def test_a_named_aspect_counts_alone(pool: Pool) -> None:
    answer = search(pool, Query([0], aspects=["shape"]))
    assert set(answer.shares) == set(ASPECTS["shape"])
    with pytest.raises(CrosslabelError, match="no aspect 'smell'; known are size"):
        Query([0], aspects=["smell"])


def test_likeness_goes_through_one_at_each_example() -> None:
    alike = np.array([[1.0, 0.1], [0.1, 1.0], [0.5, 0.5], [0.0, 0.0]])
    found = likeness(alike, [0, 1])
    assert found[:2] == pytest.approx([1, 1], abs=0.06) and found[3] == 0 and found[2] < 1
    assert likeness(alike[:, :0], []).tolist() == [0, 0, 0, 0]


def test_examples_that_cannot_be_are_refused(pool: Pool) -> None:
    with pytest.raises(CrosslabelError, match="both liked and unliked"):
        search(pool, Query([1, 2], [2]))
    with pytest.raises(CrosslabelError, match="needs an object"):
        Query([])
    with pytest.raises(CrosslabelError, match="there is no object 'x'; there are a/p0"):
        pool.row("x")
    with pytest.raises(CrosslabelError, match="2 objects are named 'p1', say which: a/p1, b/p1"):
        pool.row("p1")
    with pytest.raises(CrosslabelError, match="no object is a 'tram'; there are car, pedestrian"):
        pool.of_kind("tram")
    with pytest.raises(CrosslabelError, match="two logs are named 'a'"):
        Pool.of([catalogue("a", 1), catalogue("a", 2)])


def test_no_object_at_all_is_a_pool_too() -> None:
    nothing = Pool.of([Catalogue("a", "", (), (), Features.none())])
    assert len(nothing) == 0 and worths(nothing, {}) == []


def test_embeddings_of_several_networks_are_not_compared() -> None:
    parts = [
        Catalogue(n, "", ("x", "y"), ("car",) * 2, features(1, 2, embedded=w))
        for n, w in (("a", 4), ("b", 8))
    ]
    with pytest.raises(CrosslabelError, match="several embedding networks"):
        Pool.of(parts)
    assert "embedding" in Pool.of(parts[:1]).vectors.columns


def test_neighbours_are_those_that_are_nearest() -> None:
    pytest.importorskip("faiss")
    rows = np.random.default_rng(0).normal(size=(60, 12)).astype(np.float32)
    rows[7] = rows[3]
    distances, found = nearest(rows, 5)
    straight = np.linalg.norm(rows[:, None] - rows[None], axis=2).astype(np.float64)
    np.fill_diagonal(straight, np.inf)
    assert distances == pytest.approx(np.sort(straight, axis=1)[:, :5], abs=2e-3)
    assert not (found == np.arange(60)[:, None]).any() and found[7, 0] == 3
    graph = nearest(rows, 5, most_exact=10)[1]
    assert np.mean([len({*a} & {*b}) / 5 for a, b in zip(graph, found, strict=True)]) > 0.9
    assert nearest(rows[:1], 5)[1].shape == (1, 0) and nearest(rows[:3], 5)[1].shape == (3, 2)


def test_without_faiss_one_line_names_the_extra(monkeypatch: pytest.MonkeyPatch, pool: Pool) -> None:
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(CrosslabelError, match=r"needs faiss: pip install 'crosslabel\[search\]'"):
        worths(pool, {})


def boxed(*annotations: dict[str, object]) -> Track:
    box = Box3D.upright((5.0, 0.0, 0.0), LARGE, 0.0)
    return Track.of("t", "car", [Annotation(k, box, **one) for k, one in enumerate(annotations)])  # type: ignore[arg-type]


def test_doubt_is_what_labels_say_of_themselves() -> None:
    auto = Source.AUTO
    sure, unsure = {"confidence": 0.9}, {"confidence": 0.3, "look": "few points"}
    told = Doubt.of(boxed({"source": auto, "attributes": sure}, {"source": auto, "attributes": unsure}))
    assert told.unsure == pytest.approx(0.4) and told.looks == 0.5 and told.reason == "few points"
    assert Doubt.of(boxed({"source": auto, "score": 0.5}, {"source": auto, "score": 1.0})).unsure == 0.5
    assert Doubt.of(boxed({"source": Source.IMPORTED})).unsure is None
    assert Doubt.of(boxed({"source": auto, "attributes": unsure, "locked": True})).unsure == 0.0
    assert Doubt.of(Track("t", "car")) == Doubt(None, 0.0, 0, "")


def test_the_rare_the_odd_and_the_unsure_come_first(pool: Pool) -> None:
    pytest.importorskip("faiss")
    strange = Features.joined([features(9, 1, (9.0, 2.5, 3.2)), features(10, 1, LARGE)])
    mixed = Catalogue("c", "", ("bus", "odd"), ("bus", "pedestrian"), strange)
    whole = Pool.of([catalogue("a", 2), catalogue("b", 1), mixed])
    calm = Doubt(0.1, 0.0, 4, "")
    doubts = dict.fromkeys(whole.ids, calm) | {ObjectId("a", "c5"): Doubt(1.0, 1.0, 4, "few points")}
    ranked = worths(whole, doubts)
    place = {str(one.id): k for k, one in enumerate(ranked)}
    by_id = {str(one.id): one for one in ranked}
    assert place["c/bus"] == 0 and by_id["c/bus"].rare == 1.0
    assert by_id["c/odd"].odd == 1.0 and place["c/odd"] < 10 and place["a/c5"] < 10
    assert all(0 <= one.worth <= 1 for one in ranked)
    assert ranked == worths(Pool.of([mixed, catalogue("b", 1), catalogue("a", 2)]), doubts)
    logs = log_worths(ranked, {"a": 50, "b": 50, "c": 2})
    assert {one.log for one in logs} == {"a", "b", "c"} and sum(one.tracks for one in logs) == 62
    assert sum(one.finds for one in logs) == 6
    assert max(logs, key=lambda one: one.worth_per_frame).log == "c"
