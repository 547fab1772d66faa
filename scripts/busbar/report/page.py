"""Puts the page together: one HTML document that needs nothing else, not even a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup
from plotly.offline import get_plotlyjs

from busbar.record.models import SCHEMA_VERSION
from busbar.report import scaling_words
from busbar.report.document import asset, busbar_version, embedded, environment
from busbar.report.evidence import first_calls, lateness, wire_lines
from busbar.report.fabric import fabric_views
from busbar.report.figures import (
    Figure,
    bandwidth_figure,
    marked,
    sizeless_figure,
    time_figure,
)
from busbar.report.gain_figures import study_figures
from busbar.report.gains import BURSTS, Study, studies
from busbar.report.headline import banners, headline, mark
from busbar.report.legend import legend, scaling_legends, study_legends
from busbar.report.pair_figures import pair_figures, pair_legends
from busbar.report.pair_view import curve_rows, pair_views
from busbar.report.panels import CurveNames, Panel, panels
from busbar.report.rows import Judged, common_settings, setting_text, varying_settings
from busbar.report.samples import distributions
from busbar.report.scaling import Scaling, scalings
from busbar.report.scaling_figures import scaling_figures
from busbar.report.scorecard import scorecard
from busbar.report.system import system_view


@dataclass(frozen=True)
class Source:
    """A file that a record was read from; the digest ties the page to it."""

    name: str
    file: str
    sha256: str


@dataclass(frozen=True)
class OpSection:
    """One operation: its panels, of which the page shows one at a time."""

    op: str
    panels: tuple[Panel, ...]


def render(judged: Sequence[Judged], sources: Sequence[Source]) -> str:
    """The whole page."""
    rows = [row for one in judged for row in one.rows]
    drawn = panels(curve_rows(judged))
    pairs = pair_views(judged)
    names = CurveNames(rows)
    varying = varying_settings(rows)
    studied = studies(judged, names)
    scaled = scalings(judged, names, studied)
    said = banners(judged)
    figures = _figures(drawn, studied, scaled) | pair_figures(pairs)
    template = environment().get_template("report.html.j2")
    return template.render(
        title=" · ".join(one.name for one in judged),
        banners=said,
        mark=mark(said),
        headlines=[headline(one) for one in judged],
        several=len(judged) > 1,
        sections=_sections(drawn),
        legends={panel.id: legend(panel) for panel in drawn},
        studies=studied,
        study_legends={k: v for study in studied for k, v in study_legends(study).items()},
        scalings=scaled,
        scaling_legends={k: v for one in scaled for k, v in scaling_legends(one).items()},
        scaling_words=scaling_words,
        in_scaling={study for one in scaled for study in one.studies},
        bursts=BURSTS,
        pairs=pairs,
        pair_legends=pair_legends(pairs),
        common=common_settings(rows),
        scorecard=scorecard(drawn),
        rows=rows,
        several_groups="group" in varying,
        curve_name=names.name,
        setting=lambda row: setting_text(row.key, varying),
        first_calls=first_calls(drawn),
        wire=wire_lines(drawn),
        lateness=[late for one in judged if (late := lateness(one, drawn))],
        systems=[system_view(one) for one in judged],
        fabrics=fabric_views(judged),
        source_facts=[(s.name, f"{s.file}, SHA-256 {s.sha256}") for s in sources],
        schema_version=SCHEMA_VERSION,
        busbar_version=busbar_version(),
        figures=embedded(marked(figures, mark(said))),
        distributions=embedded(distributions(drawn)),
        css=asset("report.css"),
        plotly=Markup(get_plotlyjs()),
        scripts=[asset(name) for name in ("charts.js", "distribution.js", "table.js")],
    )


def _sections(drawn: Sequence[Panel]) -> list[OpSection]:
    """Panels by operation; a panel without a single figure would be an empty chart."""
    by_op: dict[str, list[Panel]] = {}
    for panel in drawn:
        if panel.measured:
            by_op.setdefault(panel.op, []).append(panel)
    return [OpSection(op, tuple(members)) for op, members in by_op.items()]


def _figures(
    drawn: Sequence[Panel], studied: Sequence[Study], scaled: Sequence[Scaling]
) -> dict[str, Figure]:
    """By the ids the page gives them; gains that a study of scaling shows are not drawn twice."""
    figures = {k: v for one in scaled for k, v in scaling_figures(one).items()}
    in_scaling = {study for one in scaled for study in one.studies}
    for study in studied:
        figures |= study_figures(study, gains=study.id not in in_scaling)
    for panel in drawn:
        if not panel.measured:
            continue
        if panel.has_sizes:
            figures[f"{panel.id}-bandwidth"] = bandwidth_figure(panel)
            figures[f"{panel.id}-time"] = time_figure(panel)
        else:
            figures[f"{panel.id}-sizeless"] = sizeless_figure(panel)
    return figures
