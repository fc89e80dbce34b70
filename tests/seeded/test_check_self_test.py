"""What the self-test prints, writes and draws."""

import json

import pytest

from fusion.checks import Finding, Severity
from fusion.labels import LabelSet
from fusion.log import DriveLog
from fusion.seeded import LEVELS, ErrorKind, Power, SeedConfig, self_test
from scripts.check_self_test import power_as_dict, power_section, print_power, print_rules
from scripts.report import LinePlot, Report, Table, html_of

Drive = tuple[DriveLog, LabelSet]


@pytest.fixture(scope="module")
def power(drive: Drive) -> Power:
    """Of a check that finds only boxes which have moved, and one thing that is none."""
    before = drive[1]
    alone = next(iter(before.tracks))

    def check(log: DriveLog, labels: LabelSet) -> list[Finding]:
        said = [Finding("P4", Severity.WARNING, "", 5.0, alone, (int(log.timestamps_ns[0]),))]
        for id, track in labels.tracks.items():
            old = before.tracks[id].annotations if id in before.tracks else {}
            moved = tuple(t for t, a in track.annotations.items() if t in old and old[t].box != a.box)
            if moved:
                said.append(Finding("P5", Severity.WARNING, "", 5.0, id, moved))
        return said

    shifts = tuple(level for level in LEVELS if level.kind in (ErrorKind.SHIFT_ONE, ErrorKind.CUT))
    return self_test(*drive, check, SeedConfig(count=2, levels=shifts), range(2))


def test_the_table_tells_every_kind_and_amount(power: Power, capsys: pytest.CaptureFixture[str]) -> None:
    print_power("a drive", power, exact=True, missed=1)
    said = capsys.readouterr().out
    lines = {line.split("│")[1].strip(): line for line in said.splitlines() if line.startswith("│")}
    assert list(lines)[:6] == ["shift, one box", "0.2 m", "0.3 m", "0.5 m", "1 m", "2 m"]
    assert "100%" in lines["shift, one box"] and " 0%" in lines["track cut"]
    assert "gross errors" in lines and "all errors" in lines
    assert "about a seeded error" in said and "are not caught, however much is opened" in said
    assert said.count("missed: seed ") == 1
    print_rules(power)
    said = capsys.readouterr().out
    assert "shift, one box" in next(line for line in said.splitlines() if "P5" in line)


def test_json_holds_the_curve_and_every_row(power: Power) -> None:
    told = json.loads(json.dumps(power_as_dict(power), allow_nan=False))
    assert told["seeds"] == 2 and told["errors"] == power.errors
    assert len(told["opened"]) == len(told["recall_by_opened"]) == 201
    assert told["recall_by_opened"][-1] == pytest.approx(told["all"]["recall"]["share"], abs=1e-4)
    assert [row["name"] for row in told["kinds"]] == ["shift, one box", "track cut"]
    assert len(told["levels"]["shift, one box"]) == 5 and told["wrong_before"] == {"P4": 2}
    assert told["rules"]["P5"]["precision"]["share"] == 1
    json.dumps(power_as_dict(Power.together([])), allow_nan=False)


def test_the_report_draws_the_curves(power: Power) -> None:
    section = power_section("a drive", power)
    plots = [part for part in section.parts if isinstance(part, LinePlot)]
    assert [plot.x_label for plot in plots] == ["opened, % of object-frames", "m"]
    assert plots[1].series[0].x.tolist() == [0.2, 0.3, 0.5, 1.0, 2.0]
    assert any(isinstance(part, Table) for part in section.parts)
    page = html_of(Report("Self-test", "how it went", [section]))
    assert page.count("data:image/png") == 2 and "shift, one box" in page
