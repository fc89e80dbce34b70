"""The tables of docs/refinement.md, between its two marks."""

from pathlib import Path

BEGIN, END = "<!-- measured -->", "<!-- end of what is measured -->"


def write_tables(path: Path, figures: dict) -> None:
    text = path.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    path.write_text(f"{before}{BEGIN}\n\n{tables(figures)}\n{END}{after}", encoding="utf-8")


def tables(figures: dict) -> str:
    kitti, drives = figures["kitti"], figures["simulated"]
    repeated, covered = figures["kitti_repeatability"], figures["simulated_coverage"]
    blurred = figures["ringless_coverage"]
    lines = [
        "| | trials | accepted | median error | worst accepted | seconds |",
        "|---|---|---|---|---|---|",
        row(f"12 KITTI frames of {figures['kitti_places']} places, against the shipped calibration", kitti),
        row("simulated drives, seeds from 100 on, against the truth", drives),
        row("the same as if nothing told the rings", figures["ringless"]),
        "",
        f"Even and odd KITTI frames, from different starts, differ by {repeated['median_deg']:.2f}° and "
        f"{repeated['median_cm']:.1f} cm in the median. Mean error on KITTI, about and along the camera's "
        f"x, y, z: {numbers(kitti['mean_error'], 3)} (degrees, cm); on simulated drives: "
        f"{numbers(drives['mean_error'], 3)}.",
        "",
        f"Of the six numbers of {drives['trials']} simulated cameras, {covered['68%']['all']:.0%} lie within "
        f"their 68 % intervals and {covered['95%']['all']:.0%} within their 95 % intervals; without rings "
        f"{blurred['68%']['all']:.0%} and {blurred['95%']['all']:.0%}.",
        "",
        f"The one frame of calib_road: {figures['calib_road']['reason']}.",
        "",
        "| nasty | trials | accepted | worst accepted |",
        "|---|---|---|---|",
    ]
    return "\n".join([*lines, *(nasty_row(kind, found) for kind, found in figures["nasty"].items()), ""])


def row(name: str, found: dict) -> str:
    return (
        f"| {name} | {found['trials']} | {found['accepted']:.0%} | {found['median_deg']:.3f}° / "
        f"{found['median_cm']:.1f} cm | {found['worst_deg']:.3f}° / {found['worst_cm']:.1f} cm | "
        f"{found['seconds']:.1f} |"
    )


def nasty_row(kind: str, found: dict) -> str:
    worst = f"{found['worst_deg']:.3f}° / {found['worst_cm']:.1f} cm" if found["accepted"] else "-"
    return f"| {kind} | {found['trials']} | {found['accepted']:.0%} | {worst} |"


def numbers(values: list[float], digits: int) -> str:
    return ", ".join(f"{value:.{digits}f}" for value in values)
