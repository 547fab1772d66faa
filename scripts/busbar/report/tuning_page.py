"""The page of a tuning: what was found, what it gains, for what it was made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup
from plotly.offline import get_plotlyjs

from busbar.errors import UsageError
from busbar.report import tuning_words
from busbar.report.document import asset, busbar_version, embedded, environment
from busbar.report.figures import marked
from busbar.report.headline import mark
from busbar.report.tuning_figures import tuning_figures, tuning_legends
from busbar.report.tuning_view import TuningView, tuning_view
from busbar.tune.searched import Searched
from busbar.tune.tuned import Tuned

PAGE = "report.html"
PURPOSES = {
    "tuned.json": "What was proven: the files below are made out of it.",
    "tuned.sh": "To be sourced before a program starts: it then runs with everything below.",
    "nccl-tuner.csv": "NCCL's algorithm, protocol and channels by size, for a tuner plugin.",
    "nccl.conf": "NCCL's settings of processes, for /etc/nccl.conf or NCCL_CONF_FILE.",
    "ompi-rules.conf": "Open MPI's algorithms by size: coll_tuned_dynamic_rules_filename.",
    "mca-params.conf": "Open MPI's parameters, for mpirun --tune or $HOME/.openmpi.",
    "search.jsonl": "Every answer of the search: busbar tune --resume goes on from it.",
    "proof.json": "The proof's run record: busbar report, check and compare read it.",
    PAGE: "This page.",
}
"""What each file of a tuning's folder is for."""


def write_page(tuned: Tuned, searched: Searched, folder: Path) -> Path:
    """Write `report.html` into the folder of a tuning; the file.

    It names the files that are in the folder by then. Raises UsageError if it cannot be written.
    """
    return write_page_to(tuned, searched, folder, folder / PAGE)


def write_page_to(tuned: Tuned, searched: Searched, folder: Path, output: Path) -> Path:
    """The same into another file."""
    page = render(tuning_view(tuned, searched), _files(folder))
    try:
        output.write_text(page, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{output} cannot be written: {error.strerror}.") from None
    return output


def render(view: TuningView, files: Sequence[tuple[str, str]]) -> str:
    """The page; `files` are names and what each is for."""
    template = environment().get_template("tuning.html.j2")
    return template.render(
        view=view,
        files=files,
        legends=tuning_legends(view),
        words=tuning_words,
        busbar_version=busbar_version(),
        figures=embedded(marked(tuning_figures(view), mark(view.banners))),
        mark=mark(view.banners),
        css=asset("report.css"),
        plotly=Markup(get_plotlyjs()),
        script=asset("charts.js"),
    )


def _files(folder: Path) -> list[tuple[str, str]]:
    """Those of the folder that a tuning writes."""
    return [(n, why) for n, why in PURPOSES.items() if n == PAGE or (folder / n).exists()]
