"""`crosslabel check` over several logs, its self-test, and the network that looks at images."""

import csv
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from formats.folder import FOLDER
from formats.labels_db import write_labels
from fusion.checks.config import CheckConfig
from fusion.labels import LabelSet
from fusion.seeded import Power
from scripts import cli
from scripts.check_runs import Checks
from scripts.check_self_test import power_as_dict
from scripts.check_sources import Sources
from tests.checks.made_pictures import STREET
from tests.checks.made_streets import RIGHT, changed, labels_of, log_of, sized

FRAMES = 6
ODD = "day 1 #50%?"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def crosslabel(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["crosslabel", "check", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        said = capsys.readouterr()
        return int(stopped.value.code or 0), said.out, said.err

    return run


def wrong_labels() -> LabelSet:
    return changed(labels_of(RIGHT, FRAMES), "bus", [2, 3], sized(length=1.2))


def write_drives(folder: Path, names: dict[str, LabelSet]) -> Path:
    """Logs that are the same but for their names and labels, in folders of numbers."""
    log = log_of(RIGHT, FRAMES)
    FOLDER.write(folder, [(replace(log, name=str(n)), labels) for n, labels in enumerate(names.values())])  # type: ignore[misc]
    for n, (name, labels) in enumerate(names.items()):
        settings = folder / str(n) / "log.json"
        settings.write_text(json.dumps({**json.loads(settings.read_text()), "name": name}))
        (folder / str(n) / "labels.db").unlink()
        write_labels(folder / str(n) / "labels.db", replace(log, name=name), labels)
    return folder


@pytest.fixture(scope="module")
def drives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("many") / "drives"
    return write_drives(folder, {"right": labels_of(RIGHT, FRAMES), ODD: wrong_labels()})


class Page(HTMLParser):
    """Where the links of a page lead, and all that can be read on it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.text = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.links += [value or "" for name, value in attributes if tag == "a" and name == "href"]

    def handle_data(self, data: str) -> None:
        self.text += data

    def led_to(self, page: Path) -> list[Path]:
        """The files that a browser would open."""
        parts = [urlsplit(link) for link in self.links]
        assert not any(part.scheme or part.netloc or part.path.startswith("/") for part in parts)
        return [page.parent / unquote(part.path) for part in parts]


def files_under(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_report_over_logs_is_an_overview_with_a_page_a_log(
    crosslabel: Run, drives: Path, tmp_path: Path
) -> None:
    page = tmp_path / "out" / "all.html"
    code, _, notes = crosslabel(drives, "--no-search", "--report", page, "--most", 1)
    assert code == 0 and f"overview: {page}" in notes
    kinds = ("html", "csv", "json")
    assert files_under(page.parent) == {
        "all.html",
        *(f"all/{name}.{kind}" for name in ("right", ODD) for kind in kinds),
    }
    overview = Page(page)
    # The log in which more can be repaired comes first, though it was checked last.
    assert overview.led_to(page) == [page.parent / "all" / f"{name}.html" for name in (ODD, "right")]
    assert all(path.is_file() for path in overview.led_to(page))
    assert "0 mandatory, 2 warning, 0 info in 72 boxes of 2 logs; 0 could not be checked." in overview.text
    assert "Could not be checked" not in overview.text and "size changes" in overview.text
    for name, count in (("right", 0), (ODD, 2)):
        own = page.parent / "all" / f"{name}.html"
        assert f"Labels of {name}" in Page(own).text
        told = json.loads(own.with_name(f"{name}.json").read_text())
        with own.with_name(f"{name}.csv").open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        assert told["log"] == name and sum(told["by_rule"].values()) == len(rows) == count


def test_a_log_that_cannot_be_checked_is_told_and_stops_no_other(
    crosslabel: Run, drives: Path, tmp_path: Path
) -> None:
    folder = write_drives(tmp_path / "drives", {"broken": wrong_labels(), "right": labels_of(RIGHT, FRAMES)})
    (folder / "0" / "labels.db").write_bytes(b"<b>no labels</b>" * 100)
    page = tmp_path / "all.html"
    code, said, notes = crosslabel(folder, "--no-search", "--report", page, "--json")
    assert code == 2
    (line,) = (line for line in notes.splitlines() if line.startswith("crosslabel: "))
    assert "labels.db" in line
    lines = [json.loads(line) for line in said.splitlines()]
    assert [(one["log"], "error" in one) for one in lines] == [("broken", True), ("right", False)]
    overview = Page(page)
    assert "36 boxes of 1 logs; 1 could not be checked." in overview.text
    assert f"broken: {line.removeprefix('crosslabel: ')}" in overview.text
    assert overview.led_to(page) == [tmp_path / "all" / "right.html"] and files_under(tmp_path / "all") == {
        "right.html",
        "right.csv",
        "right.json",
    }


def test_the_name_of_a_log_leads_no_page_out_of_its_folder(crosslabel: Run, tmp_path: Path) -> None:
    bad = ("../outside", "a/../../outside", "/outside", "C:\\outside", "..\\outside")
    right = labels_of(RIGHT[:1], FRAMES)
    folder = write_drives(tmp_path / "drives", dict.fromkeys((*bad, "monday/1", "<i>"), right))
    before = files_under(tmp_path)
    page = tmp_path / "deep" / "out" / "all.html"
    code, _, notes = crosslabel(folder, "--no-search", "--only", "I6", "--report", page)
    assert code == 2 and notes.count("leads out of") == len(bad)
    new = files_under(tmp_path) - before
    good = ("<i>", "monday/1")
    pages = {f"deep/out/all/{name}.{kind}" for name in good for kind in ("html", "csv", "json")}
    assert new == {"deep/out/all.html", *pages}
    overview = Page(page)
    assert sorted(overview.led_to(page)) == [page.parent / "all" / f"{name}.html" for name in good]
    assert "<i>" in overview.text and "<i>" not in page.read_text(encoding="utf-8")
    assert all(f"names the path '{name}.html'" in overview.text for name in bad[:3])


@pytest.mark.parametrize(
    ("given", "page"),
    [("out", "out.html"), ("out.v2", "out.v2.html"), ("a.csv", "a.csv.html"), ("a.HTM", "a.HTM")],
)
def test_a_page_without_its_ending_gets_it(given: str, page: str) -> None:
    """Else the page and the folder of the pages, or the table beside it, would have one name."""
    sources = Sources(None, CheckConfig(), None, None, False, None, False)
    assert Checks(sources, Path("there") / given, 0, False, False, False).report == Path("there") / page


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A drive of a second and a half along parked cars."""
    log, labels = log_of(STREET, 15), labels_of(STREET, 15)
    folder = tmp_path_factory.mktemp("simulated") / "drive"
    FOLDER.write(folder, [(replace(log, name="tiny"), labels)])  # type: ignore[misc]
    return folder / "tiny"


def test_the_self_test_says_what_is_found_of_seeded_errors(crosslabel: Run, simulated: Path) -> None:
    code, said, _ = crosslabel(simulated, "--no-search", "--self-test", "--seeds", 1, "--json")
    (line,) = said.splitlines()
    told = json.loads(line)
    assert code == 0 and told["log"] == "tiny" and told["seeds"] == 1
    assert set(told) == {"log", *power_as_dict(Power.together([]))}
    assert told["errors"] >= 2 and told["all"]["recall"]["whole"] == told["errors"]
    assert 0 < told["all"]["recall"]["share"] <= 1 and told["rules"]
    assert len(told["opened"]) == len(told["recall_by_opened"])


def test_what_is_no_network_is_one_line(
    crosslabel: Run, drives: Path, car_network: Path, tmp_path: Path
) -> None:
    (tmp_path / "text.onnx").write_text("no network\nat all\n")
    for network, reason in (
        (tmp_path / "text.onnx", "not a network that onnxruntime reads"),
        (tmp_path / "nowhere.onnx", "no such file"),
        (car_network, "no YOLOX network"),
    ):
        code, said, notes = crosslabel(drives, "--log", "right", "--no-search", "--camera-detector", network)
        (line,) = notes.splitlines()
        assert code == 2 and said == ""
        assert line.startswith(f"crosslabel: {network}: ") and reason in line


def test_a_real_network_lets_rules_about_images_be_asked(crosslabel: Run, shared_data: Path) -> None:
    network = shared_data / "models" / "yolox_nano.onnx"
    code, said, _ = crosslabel(
        shared_data / "pandaset", "--no-search", "--camera-detector", network, "--json"
    )
    told = json.loads(said)
    assert code in (0, 1) and not {"C1", "C2", "C3", "C4", "K2"} & set(told["skipped"])
    assert "K2" not in told["by_rule"], "its cameras are right"
    of_images = [name for name in told["by_rule"] if name.startswith("C")]
    found = sum(told["by_rule"][name] for name in of_images)
    assert found < 0.1 * told["tracks"]
