"""A study's report as one HTML page that needs nothing else: no script, no font, no network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from mmclf.plots.words import capital, counted, margin_words, plain, points
from mmclf.storage.tracking.pages import LOCAL_UI, TRAINING
from mmclf.studies.report.errors.error_result import ErrorResult
from mmclf.studies.report.page import tables
from mmclf.studies.report.page.comparisons import COMPARISONS
from mmclf.studies.report.page.errors import METHOD, cost_words, errors_words, pairs_page_table
from mmclf.studies.report.page.main_arms import MAIN_ARMS
from mmclf.studies.report.page.method import base_settings, conditions, data_words
from mmclf.studies.report.page.plot import ARMS, EFFECTS, Plot
from mmclf.studies.report.result.details import Details
from mmclf.studies.report.result.read_labels import LabelResult
from mmclf.studies.report.result.study_result import ArmResult, StudyResult
from mmclf.studies.report.tables.study_tables import arms_table
from mmclf.studies.report.words.answer import answer, choice_words
from mmclf.studies.report.words.method_words import method_paragraph
from mmclf.studies.statistics.label_tests import FEWEST_POSITIVES

# Nothing is loaded and nothing runs, whatever a name in it may hold.
POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'"
)


def study_plots(result: StudyResult, details: Details | None) -> list[Plot]:
    """The plots of a study; `details` None leaves out those that are of them."""
    plots = [make_plot(result) for make_plot in COMPARISONS]
    if details is not None:
        plots += [make_plot(result, details) for make_plot in MAIN_ARMS]
    return [plot for plot in plots if plot is not None]


def page(
    result: StudyResult,
    details: Details | None,
    plots: Sequence[Plot],
    labels: LabelResult | None = None,
    errors: ErrorResult | None = None,
) -> str:
    """The report of a study as an HTML document."""
    runs_url = "" if details is None else details.runs_url
    linked = runs_url.startswith(("http://", "https://"))
    others = [plot for plot in plots if plot.section not in (ARMS, EFFECTS)]
    runs = sum(len(arm.runs) + len(arm.failed) for arm in result.arms)
    of_arms = arms_table(result)
    return _template().render(
        policy=POLICY,
        result=result,
        definition=result.definition,
        started=datetime.fromtimestamp(result.parent.started_ms / 1000, tz=UTC),
        facts=[
            counted(len(result.arms), "arm"),
            ("" if result.looks is None else "at most ")
            + counted(len(result.definition.seeds), "seed"),
            counted(sum(len(arm.runs) for arm in result.arms), "finished run"),
        ],
        answer=answer(result),
        notes=[_sentence(note) for note in result.notes],
        arms={arm.name: arm for arm in result.arms},
        marks=lambda arm: _marks(result, arm),
        run_counts=tables.run_counts,
        seed_of=tables.seed_of,
        arms_table=tables.arms_page_table(result, of_arms),
        beside_table=tables.beside_page_table(result, of_arms),
        effects_table=tables.effects_page_table(result),
        labels_table=None if labels is None else tables.labels_page_table(labels),
        fewest_positives=FEWEST_POSITIVES,
        errors=errors,
        errors_words=None if errors is None else errors_words(errors),
        cost_words=cost_words,
        odd_method=METHOD,
        pairs_table=None if errors is None else pairs_page_table(errors),
        runs_table=tables.runs_page_table(result),
        runs_words=f"All {counted(runs, 'run')}" if runs else "",
        overrides_table=tables.overrides_page_table(result),
        arm_plots=[plot for plot in plots if plot.section == ARMS],
        effect_plots=[plot for plot in plots if plot.section == EFFECTS],
        sections=[(section, list(of)) for section, of in groupby(others, lambda p: p.section)],
        runs_url=runs_url if linked else None,
        training=TRAINING,
        links_are_local=linked and runs_url.startswith(f"{LOCAL_UI}/"),
        data_words=data_words({} if details is None else details.sizes),
        base=base_settings(result),
        conditions=conditions(result),
        margin=margin_words(result.definition.margin),
        method=method_paragraph(result),
    )


def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("mmclf.studies.report.page", "."),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_holdable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.jinja")


def _holdable(value: object) -> object:
    """A text without what a page cannot hold; HTML that a template has made stays as it is."""
    return plain(value) if type(value) is str else value


def _sentence(note: str) -> str:
    whole = capital(note)
    return whole if whole.endswith((".", "!", "?")) else f"{whole}."


def _marks(result: StudyResult, arm: ArmResult) -> str:
    """What an arm is among the others, if that is something."""
    marks = ["baseline"] if arm is result.baseline else []
    if arm is result.best and len(result.arms) > 1:
        marks.append("best mean")
        left = result.after_choice(arm)
        if not math.isnan(left):
            marks.append(f"{points(left)} {choice_words(result)}")
    return " · ".join(marks)
