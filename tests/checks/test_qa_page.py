"""docs/qa.md tells all rules, and its example of a project's file is one."""

import re
from pathlib import Path

from formats.files import read_settings
from fusion.checks.config import CheckConfig
from fusion.checks.rules import RULES
from tests.conftest import REPOSITORY

PAGE = (REPOSITORY / "docs" / "qa.md").read_text(encoding="utf-8")


def test_every_rule_is_told() -> None:
    told = re.findall(r"^\| ([IPTCK]\d+) \| (.+?) \((.+?)\) \|", PAGE, re.MULTILINE)
    assert sorted(told) == sorted((rule.id, rule.title, rule.severity.value) for rule in RULES)


def test_the_example_of_a_projects_file_is_one(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.+?)```", PAGE, re.DOTALL)
    (tmp_path / "rules.yaml").write_text(example, encoding="utf-8")
    config = read_settings(tmp_path / "rules.yaml", CheckConfig)
    assert config.rules["T13"].skip
    assert config.labels.attributes["moving"].of == "box"
