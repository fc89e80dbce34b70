"""What `crosslabel similar` finds, says and draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autolabel.similar import Answer, Pool, Query
    from calib.types import I64
    from scripts.similar_pool import Objects


@dataclass(frozen=True, eq=False, slots=True)
class Found:
    """An answer with what was asked.

    Attributes:
        pool: all objects.
        query: the examples.
        answer: a score for each object.
        rows: those that are named, the most alike first.
    """

    pool: Pool
    query: Query
    answer: Answer
    rows: I64


def find(
    objects: Objects,
    like: Sequence[str],
    unlike: Sequence[str],
    by: Sequence[str],
    kind: str | None,
    top: int,
) -> Found:
    """Searches all logs.

    Raises:
        CrosslabelError: an example, a kind or an aspect is not known.
    """
    from autolabel.similar import Pool, Query, search

    pool = Pool.of([catalogue for catalogue, _, _ in objects.each()])
    query = Query([pool.row(name) for name in like], [pool.row(name) for name in unlike], by)
    among = pool.of_kind(kind)
    answer = search(pool, query, among)
    return Found(pool, query, answer, answer.first(among, top, query))


def print_found(found: Found, as_json: bool) -> None:
    """A table for people, or JSON."""
    import json

    told = as_dict(found)
    if as_json:
        print(json.dumps(told, indent=1))
        return
    width = max((len(one["category"]) for one in told["found"]), default=0)
    for place, one in enumerate(told["found"], start=1):
        seen = "" if one["points"] else "  (no points)"
        nearest = f"  like {one['nearest']}" if len(told["like"]) > 1 else ""
        print(f"{place:4} {one['score']:+.2f}  {one['category']:<{width}}  {one['object']}{nearest}{seen}")
    print(f"{len(found.pool)} objects; what counted: {shares_in_words(found.answer)}")


def as_dict(found: Found) -> dict[str, Any]:
    """All of it as JSON takes it."""
    pool, answer = found.pool, found.answer
    return {
        "like": [str(pool.ids[row]) for row in found.query.liked],
        "unlike": [str(pool.ids[row]) for row in found.query.unliked],
        "objects": len(pool),
        "counted": {name: round(share, 4) for name, share in by_aspect(answer).items()},
        "found": [
            {
                "object": str(pool.ids[row]),
                "log": pool.ids[row].log,
                "track": pool.ids[row].track,
                "category": pool.categories[row],
                "score": round(float(answer.scores[row]), 4),
                "nearest": str(pool.ids[int(answer.nearest[row])]),
                "points": int(pool.points[row]),
            }
            for row in found.rows.tolist()
        ],
    }


def by_aspect(answer: Answer) -> dict[str, float]:
    """How much each aspect counted, the most first."""
    from autolabel.similar import ASPECTS

    shares = {aspect: sum(answer.shares.get(b, 0.0) for b in blocks) for aspect, blocks in ASPECTS.items()}
    return dict(sorted(((a, s) for a, s in shares.items() if s > 0), key=lambda pair: -pair[1]))


def shares_in_words(answer: Answer) -> str:
    """Such as `size 40 %, shape 20 %`."""
    return ", ".join(f"{name} {share:.0%}".replace("%", " %") for name, share in by_aspect(answer).items())


def write_page(path: Path, objects: Objects, found: Found) -> None:
    """A page with pictures of the examples and of what was found.

    Raises:
        FormatError: it cannot be written.
    """
    from scripts.console import note
    from scripts.report import Paragraph, Report, Section, Table, write_report
    from scripts.similar_pictures import Caption, pictures_of

    pool, told = found.pool, as_dict(found)
    examples = [Caption(pool.ids[row], f"like: {pool.categories[row]}") for row in found.query.liked]
    examples += [Caption(pool.ids[row], f"unlike: {pool.categories[row]}") for row in found.query.unliked]
    captions = [
        Caption(pool.ids[row], f"{place}. {found.answer.scores[row]:+.2f}: {pool.categories[row]}")
        for place, row in enumerate(found.rows.tolist(), start=1)
    ]
    made = pictures_of(objects, [*examples, *captions])
    rows = [
        (
            place,
            round(one["score"], 2),
            one["log"],
            one["track"],
            one["category"],
            one["nearest"],
            one["points"],
        )
        for place, one in enumerate(told["found"], start=1)
    ]
    header = ("", "score", "log", "track", "class", "most like", "points")
    summary = f"{len(rows)} of {len(pool)} objects. What counted: {shares_in_words(found.answer)}."
    sections = [
        Section("Examples", made[: len(examples)]),
        Section("Found, the most alike first", [Table(header, rows), *made[len(examples) :]]),
    ]
    if not rows:
        sections[1] = Section("Found", [Paragraph("There is no other object to look through.")])
    write_report(path, Report(f"Like {', '.join(told['like'])}", summary, sections))
    note(f"written: {path}")
