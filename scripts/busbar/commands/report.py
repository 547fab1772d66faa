"""`busbar report`: one page that shows what was measured and what is thought of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from busbar import fabrics
from busbar.errors import UsageError
from busbar.pairs.site_formats import load as load_sites
from busbar.report.files import read, write_page
from busbar.report.tuning_page import PAGE, write_page_to
from busbar.report.tuning_view import tuning_view
from busbar.terminal import console
from busbar.tune.measured import read_tuning

_EXAMPLES = """
[bold]Examples[/bold]

  busbar report run.json

  busbar report run.json --fabric emulated-4x400m --output acceptance.html

  busbar report infiniband.json ethernet.json --figures figures/

  busbar report tuned-20260101-120000

[bold]Exit code[/bold]: 0 written · 2 unreadable input. The verdict is on the page; to act on it
use busbar check.
"""


def report(
    records: Annotated[
        list[Path],
        typer.Argument(
            metavar="RECORD...",
            help="Run records (.json), or journals of runs (.journal.jsonl); several are overlaid. "
            "Or the folder of a tuning.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="The page to write. Default: report.html, of a tuning in its folder.",
        ),
    ] = None,
    fabric: Annotated[
        str | None,
        typer.Option(
            help="Fabric to judge against: name or .toml file. "
            "Default: for each record the one it was measured on."
        ),
    ] = None,
    figures: Annotated[
        Path | None, typer.Option(help="Also draw the figures into this folder, as PNG and SVG.")
    ] = None,
    sites: Annotated[
        Path | None,
        typer.Option(
            help="Where hosts hang, as for busbar check --sites. Default: the fabric's leaves."
        ),
    ] = None,
) -> None:
    """Write one HTML page that needs no network: verdict, curves with bounds, samples, system."""
    if any(path.is_dir() for path in records):
        _report_tuning(records, output, figures, fabric is not None or sites is not None)
        return
    output = output or Path(PAGE)
    judged, sources = read(
        records,
        None if fabric is None else fabrics.load(fabric),
        None if sites is None else load_sites(sites),
    )
    write_page(judged, sources, output)
    out = console()
    out.print(f"Report: {escape(str(output))}", soft_wrap=True)
    if figures is not None:
        # Matplotlib takes a second to load: only for those who ask for its figures.
        from busbar.report.static import draw

        written = draw(judged, figures)
        out.print(f"Figures: {len(written)} files in {escape(str(figures))}", soft_wrap=True)


def _report_tuning(
    records: list[Path], output: Path | None, figures: Path | None, judged: bool
) -> None:
    """The page of a tuning. Raises UsageError for what does not go with one."""
    folder = next(path for path in records if path.is_dir())
    if len(records) > 1:
        raise UsageError(f"{folder} is the folder of a tuning: accepted is one alone.")
    if judged:
        raise UsageError(
            f"--fabric and --sites judge run records; {folder} is the folder of a tuning."
        )
    tuning = read_tuning(folder)
    page = write_page_to(tuning.tuned, tuning.searched, folder, output or folder / PAGE)
    out = console()
    out.print(f"Report: {escape(str(page))}", soft_wrap=True)
    if figures is not None:
        from busbar.report.static_tuning import draw_tuning

        written = draw_tuning(tuning_view(tuning.tuned, tuning.searched), figures)
        out.print(f"Figures: {len(written)} files in {escape(str(figures))}", soft_wrap=True)


report.__doc__ = f"{report.__doc__}\n{_EXAMPLES}"
