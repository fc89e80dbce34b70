"""docs/formats.md tells of every format and of every rule of `validate`."""

import re
from pathlib import Path

from formats.registry import FORMATS
from formats.release.verify import Problem
from formats.validate import RULES

PAGE = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")


def test_every_format_stands_with_what_it_can() -> None:
    told = {
        name: (reads, writes)
        for name, reads, writes in re.findall(r"^\| .+? \| `(\w+)` \| (.*?) \| (.*?) \|", PAGE, re.MULTILINE)
    }
    expected = {}
    for each in FORMATS:
        reads = "data set" if each.open_log else "labels" if each.read_labels else ""
        both = [what for what, there in (("data set", each.write), ("labels", each.write_labels)) if there]
        expected[each.name] = (reads, ", ".join(both))
    assert told == expected


def test_every_rule_stands_with_its_severity() -> None:
    told = re.findall(r"^\| (\w+\d\d) \| (\w+) \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE)
    assert told == [(rule.id, str(rule.severity), rule.title, rule.why) for rule in RULES]


def test_every_problem_of_a_release_is_told() -> None:
    ids = set(re.findall(r"REL\d", Problem.__doc__ or ""))
    assert ids and ids == set(re.findall(r"REL\d", PAGE))
