"""The report page: one file, whole, safe, and readable without a screen, a script or a network."""

import base64
import re
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest

from formats.errors import FormatError
from scripts.report import (
    Bar,
    BarPlot,
    Event,
    Limit,
    LinePlot,
    Pair,
    Paragraph,
    Picture,
    Report,
    Section,
    Series,
    Table,
    Verdict,
    html_of,
    write_report,
)

RNG = np.random.default_rng(0)
VOID = {"meta", "img", "br", "link", "hr", "input"}
NASTY = """<script>alert(1)</script> & "quotes" 'single' {{ 7 * 7 }} $x_1$"""


class Page(HTMLParser):
    """Reads a page; every tag that opens has to close, in order."""

    def __init__(self, html):
        super().__init__()
        self.stack, self.tags, self.text = [], [], []
        self.feed(html)
        self.close()
        assert self.stack == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag

    def handle_data(self, data):
        if not self.stack or self.stack[-1] != "style":
            self.text.append(data)

    def all(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


def photo(height=40, width=60):
    return cv2.resize(RNG.integers(0, 256, (4, 6, 3), dtype=np.uint8), (width, height))


def full_report(text="plain"):
    lines = LinePlot(
        text,
        text,
        text,
        (Series(text, np.arange(50), np.sin(np.arange(50) / 5)), Series("b", np.arange(3), np.arange(3.0))),
        (Limit(text, 0.5),),
        (Event(text, 12.0),),
    )
    parts = (
        Paragraph(text),
        Table((text, "value"), ((text, 0.0123456), ("b", 12)), text),
        Picture(photo(), text),
        Picture(photo(), text, photograph=False),
        Pair(Picture(photo(), "before"), Picture(photo(), "after")),
        lines,
        BarPlot(text, text, (Bar(text, 1.0, 0.2), Bar("b", -2.0)), (Limit(text, 1.5),)),
        Verdict("bad", text),
    )
    return Report(text, Verdict("warning", text), (Section(text, parts),), text)


def pictures_of(page):
    for attrs in page.all("img"):
        kind, content = re.fullmatch(r"data:image/(jpeg|png);base64,(.+)", attrs["src"]).groups()
        raw = base64.b64decode(content, validate=True)
        yield (
            kind,
            cv2.cvtColor(cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB),
        )


def test_every_part_is_on_the_page():
    report = full_report("words of the report")
    page = Page(html_of(report))
    kinds = [kind for kind, _ in pictures_of(page)]
    assert kinds == ["jpeg", "png", "jpeg", "jpeg", "png", "png"]
    assert [attrs["class"] for attrs in page.all("div") if "verdict" in attrs.get("class", "")] == [
        "verdict warning",
        "verdict bad",
    ]
    shown = " ".join(page.text)
    for word in ("Check", "Bad", "before", "after", "0.01235", "12"):
        assert word in shown
    assert len(page.all("table")) == 1 and len(page.all("td")) == 4
    assert all(attrs["alt"] for attrs in page.all("img"))


def test_drawings_are_stored_without_loss_and_photographs_nearly_so():
    drawing, photograph = photo(), photo()
    parts = (Picture(drawing, "d", photograph=False), Picture(photograph, "p"))
    (_, first), (_, second) = pictures_of(Page(html_of(Report("t", "s", (Section("x", parts),)))))
    np.testing.assert_array_equal(first, drawing)
    assert np.abs(second.astype(int) - photograph).mean() < 6


def test_text_from_the_outside_stays_text():
    html = html_of(full_report(NASTY))
    page = Page(html)
    assert page.all("script") == []
    assert "49" not in "".join(page.text)
    assert NASTY in "".join(page.text)
    assert all(attrs["alt"] in (NASTY, "before", "after") for attrs in page.all("img"))


def test_nothing_is_loaded_from_anywhere():
    html = html_of(full_report())
    without_pictures = re.sub(r"base64,[A-Za-z0-9+/=]+", "", html)
    for outside in ("http:", "https:", "//", "url(", "@import", "<link", "<script"):
        assert outside not in without_pictures
    assert "prefers-color-scheme: dark" in html and "@media print" in html


def test_the_same_report_gives_the_same_bytes():
    report = full_report()
    assert html_of(report) == html_of(report)


def test_the_summary_may_be_a_sentence():
    page = Page(html_of(Report("Title", "Just looked.", ())))
    assert "Just looked." in page.text
    assert page.all("img") == []


def test_plots_take_gaps_constants_and_nothing():
    values = np.array([np.nan, 1.0, 1.0, np.nan])
    parts = (
        LinePlot("c", "x", "y", (Series("a", np.arange(4), values),)),
        LinePlot("c", "x", "y", ()),
        BarPlot("c", "y", tuple(Bar(f"bar number {k}", float(k)) for k in range(15))),
        BarPlot("c", "y", ()),
    )
    shown = [picture for _, picture in pictures_of(Page(html_of(Report("t", "s", (Section("x", parts),)))))]
    assert len(shown) == 4 and all(picture.std() > 0 for picture in shown)


def test_a_ragged_table_is_refused():
    with pytest.raises(ValueError, match="2 columns"):
        Table(("a", "b"), ((1,),))


def test_a_page_takes_the_place_of_the_old_one_whole(tmp_path):
    path = tmp_path / "new" / "report.html"
    write_report(path, full_report("first"))
    write_report(path, full_report("second"))
    assert "second" in path.read_text(encoding="utf-8") and "first" not in Page(path.read_text()).text
    assert [file.name for file in path.parent.iterdir()] == ["report.html"]


def test_a_page_that_cannot_be_written_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FormatError, match="file"):
        write_report(tmp_path / "file" / "report.html", full_report())
