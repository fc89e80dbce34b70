"""What `crosslabel similar` and `crosslabel rank` are both asked with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Logs = Annotated[list[Path], typer.Argument(metavar="PATH...", help="Drive logs, or data sets of several.")]
Labels = Annotated[
    Path | None, typer.Option(help="Their labels, such as OUT of autolabel; their own unless given.")
]
Kind = Annotated[str | None, typer.Option(help="Only objects of this class or kind, such as car.")]
Top = Annotated[int, typer.Option(min=1, help="How many to name.")]
OnlyLogs = Annotated[list[str] | None, typer.Option(help="Only this log (may be repeated).")]
FormatName = Annotated[str | None, typer.Option(help="Format of PATH, if it is not recognised.")]
Embedding = Annotated[Path | None, typer.Option(help="Network that turns a picture into a vector (.onnx).")]
Index = Annotated[
    Path | None, typer.Option(help="Folder to keep what is measured in; beside a labels.db unless given.")
]
Report = Annotated[Path | None, typer.Option(help="Write a page with pictures to this file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
