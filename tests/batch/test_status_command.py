"""`crosslabel status`, the page over all logs, and the order in which to review them."""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from autolabel.batch import Ended, Ledger, read_ledger
from autolabel.runs import Outcome
from scripts import cli
from scripts.autolabel_unit import LogUnit
from scripts.batch_page import QUEUE, review_queue, write_overview
from scripts.batch_table import duration, in_words
from viewer.queue import Queue


def status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *said: object
) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["crosslabel", "status", *map(str, said)])
    capsys.readouterr()
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    printed = capsys.readouterr()
    return int(stopped.value.code or 0), printed.out, printed.err


def looks(saved_s: float, places: int = 3) -> dict[str, object]:
    checks = {
        "saved_s": saved_s,
        "objects_to_look_at": places,
        "findings": {"warning": 2},
        "by_rule": {"P1": 2},
    }
    return {"path": "/data", "format": "folder", "checks": checks, "counts": {"frames": 10, "boxes": 7}}


def test_it_tells_how_a_batch_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Ledger(tmp_path, 4, "2 processes") as ledger:
        ledger.note(Ended("a", Outcome.DONE, told=looks(60.0)))
        ledger.note(Ended("b", Outcome.FAILED, "b: no [bold]such[/bold] file"))
        code, printed, _ = status(monkeypatch, capsys, tmp_path)
        assert code == 0 and "running" in printed and "no [bold]such[/bold] file" in printed
        code, printed, _ = status(monkeypatch, capsys, tmp_path, "--json")
        told = json.loads(printed)
        assert (told["total"], told["done"], told["left"]) == (4, 1, 2)
        assert told["failed"] == {"b": "b: no [bold]such[/bold] file"} and told["logs_an_hour"] > 0
    code, printed, _ = status(monkeypatch, capsys, tmp_path, "--watch")
    assert code == 1 and "finished" in printed


def test_a_folder_without_a_batch_is_said_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, said = status(monkeypatch, capsys, tmp_path)
    assert code == 2 and said.startswith("crosslabel: ") and len(said.splitlines()) == 1


def test_the_worst_logs_come_first_and_names_are_escaped(tmp_path: Path) -> None:
    with Ledger(tmp_path, 5, "x") as ledger:
        for name, saved_s, places in (
            ("low", 5.0, 1),
            ("high", 500.0, 9),
            ("clean", 0.0, 0),
            ("<b>", 50.0, 2),
        ):
            ledger.note(Ended(name, Outcome.DONE, told=looks(saved_s, places)))
        ledger.note(Ended("bad", Outcome.FAILED, "<script>alert(1)</script>"))
    (tmp_path / "high").mkdir()
    (tmp_path / "high" / "check.html").touch()
    standing = read_ledger(tmp_path)
    assert standing is not None
    write_overview(tmp_path, standing)
    page = (tmp_path / "index.html").read_text()
    assert page.index(">high<") < page.index("&lt;b&gt;") < page.index(">low<")
    assert 'href="high/check.html"' in page and 'href="low' not in page
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page
    assert [one["log"] for one in review_queue(standing)] == ["high", "<b>", "low"]
    assert [one.name for one in Queue(tmp_path / QUEUE).logs] == ["high", "<b>", "low"]


def test_a_real_batch_leaves_pages_that_lead_to_each_log(
    units: Callable[..., list[LogUnit]], run: Callable[..., int], tmp_path: Path
) -> None:
    assert run(units(names=[0, 1], pictures=3), workers=1) == 0
    out = tmp_path / "out"
    page = (out / "index.html").read_text()
    links = set(re.findall(r'href="([^"]+)"', page))
    assert links == {"drive0/check.html", "drive1/check.html"}
    for link in links:
        assert (out / link).read_text().startswith("<!doctype html>") or "<html" in (out / link).read_text()
    for queued in Queue(out / QUEUE).logs:
        assert queued.labels.is_file() and queued.path.is_dir()


def test_words_of_numbers() -> None:
    assert [duration(s) for s in (0, 59.6, 245, 3723)] == ["0:00", "1:00", "4:05", "1:02:03"]


def test_the_line_names_what_there_is(tmp_path: Path) -> None:
    with Ledger(tmp_path, 2, "x") as ledger:
        ledger.note(Ended("a", Outcome.UP_TO_DATE))
    standing = read_ledger(tmp_path)
    assert standing is not None
    assert in_words(standing).startswith("finished: 0 of 2 logs done, 1 were up to date, 1 left")
