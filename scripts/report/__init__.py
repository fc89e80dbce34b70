"""The page that all commands report on: one HTML file that needs nothing else."""

from scripts.report.page import html_of, write_report
from scripts.report.parts import (
    Bar,
    BarPlot,
    Event,
    Limit,
    LinePlot,
    Link,
    Pair,
    Paragraph,
    Part,
    Picture,
    Report,
    Section,
    Series,
    Table,
    Verdict,
)

__all__ = [
    "Bar",
    "BarPlot",
    "Event",
    "Limit",
    "LinePlot",
    "Link",
    "Pair",
    "Paragraph",
    "Part",
    "Picture",
    "Report",
    "Section",
    "Series",
    "Table",
    "Verdict",
    "html_of",
    "write_report",
]
