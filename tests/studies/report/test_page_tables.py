"""The cells of a study's page against the runs that they tell of."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import pytest
from html_reader import Node, read
from made_up import CHANGES, URL, difference, result, run_of

from mmclf.studies.report.page.method import GROUPS
from mmclf.studies.report.page.tables import arms_table, effects_table, runs_table
from mmclf.studies.report.results import StudyResult


def arms(study: StudyResult) -> list[Node]:
    """The rows of the table of arms."""
    return read(arms_table(study, None)).all("tbody")[0].all("tr")


def effects(study: StudyResult) -> list[list[str]]:
    """The cells of the table of effects."""
    rows = read(effects_table(study)).all("tbody")[0].all("tr")
    return [[cell.whole_text() for cell in row.children] for row in rows]


def test_every_cell_of_a_run_is_its_tracked_metric() -> None:
    study = result(failed={("focal", 1): "RuntimeError: out of memory"})
    root = read(runs_table(study, URL))
    runs = {run.id: run for arm in study.arms for run in (*arm.runs, *arm.failed)}
    cells = [node for node in root.walk() if "data-run" in node.attributes]
    assert len(cells) == 24 * 5
    for cell in cells:
        metric = cell.attributes["data-metric"]
        tracked = runs[cell.attributes["data-run"]].metrics[metric]
        assert float(cell.attributes["data-value"]) == tracked
        assert cell.text == (f"{tracked:.1f}" if metric.startswith("time/") else f"{tracked:.4f}")
    assert {cell.attributes["data-run"] for cell in cells} == {
        id_ for id_, run in runs.items() if run.status == "FINISHED"
    }


def test_every_mean_is_that_of_the_tracked_metrics() -> None:
    study = result(missing=[("focal", 0)])
    root = read(arms_table(study, None))
    by_name = {arm.name: arm for arm in study.arms}
    cells = [node for node in root.walk() if {"data-arm", "data-metric"} <= node.attributes.keys()]
    assert len(cells) == 5 * len(study.arms)
    for cell in cells:
        arm, metric = by_name[cell.attributes["data-arm"]], cell.attributes["data-metric"]
        mean = fmean(run.metrics[metric] for run in arm.runs)
        assert float(cell.attributes["data-value"]) == mean
        assert cell.text == (f"{mean:.1f}" if metric.startswith("time/") else f"{mean:.4f}")


def test_differences_stand_with_interval_and_p() -> None:
    study = result()
    rows = arms(study)
    for row, arm in zip(rows, study.arms, strict=True):
        mean, reach, p = (cell.whole_text() for cell in row.children[5:8])
        if arm.difference is None:
            assert (mean, reach, p) == ("—", "—", "—")
            continue
        found = arm.difference.estimate
        assert mean == f"{100 * found.value:+.2f}".replace("-", "\N{MINUS SIGN}")
        assert reach == f"{100 * found.low:+.2f} to {100 * found.high:+.2f}".replace(
            "-", "\N{MINUS SIGN}"
        )
        assert p == f"{arm.difference.p:.3f}"
        assert bool(row.children[5].all("strong")) == arm.difference.is_shown


@pytest.mark.parametrize(
    ("metric", "others"),
    [
        ("test/f1_samples", ["test/f1_samples_at_0.5", "test/f1_samples_fitted", "test/map"]),
        ("test/f1_macro_fitted", ["test/f1_macro", "test/f1_macro_at_0.5", "test/map"]),
    ],
)
def test_the_deciding_metric_has_its_family_beside_it(metric: str, others: list[str]) -> None:
    row = arms(result(metric=metric))[0]
    shown = [n.attributes["data-metric"] for n in row.walk() if "data-metric" in n.attributes]
    assert shown == [metric, *others, "time/cold_s"]


def test_the_status_says_what_became_of_every_seed() -> None:
    study = result(
        failed={("focal", 1): "RuntimeError: " + "x" * 300, ("bce", 0): "E: <b>"},
        missing=[("focal", 3), ("focal", 4), *[("weighted_bce raw", seed) for seed in range(5)]],
    )
    rows = arms(study)
    told = {row.children[0].text.strip(): row.children[-1].text for row in rows}
    assert told["weighted_bce log"] == "5 runs"
    assert told["weighted_bce raw"] == "not run"
    assert told["bce"] == "4 runs, 1 failed: E: <b>"
    assert re.fullmatch(
        r"2 runs, 1 failed: RuntimeError: x+…x+, seeds 3 and 4 not run", told["focal"]
    )
    assert len(told["focal"]) < 200


def test_runs_that_are_under_way_or_were_interrupted_are_no_failures() -> None:
    study = result(seeds=2)
    odd = tuple(
        replace(run_of("bce", seed), status=status, metrics={})
        for seed, status in enumerate(("RUNNING", "KILLED"))
    )
    changed = (replace(study.arms[0], runs=(), failed=odd, score=None), *study.arms[1:])
    row = arms(replace(study, arms=changed))[0]
    assert row.children[-1].text == "1 running, 1 interrupted"


def test_a_run_is_linked_only_to_an_address_of_the_web() -> None:
    study = result(seeds=1)
    links = read(runs_table(study, URL)).all("a")
    ids = [run.id for arm in study.arms for run in arm.runs]
    assert [link.attributes["href"] for link in links] == [URL + id_ for id_ in ids]
    assert not read(runs_table(study, "javascript:alert(1)//")).all("a")
    assert not read(runs_table(study, None)).all("a")


def test_each_seed_of_an_arm_is_linked_to_its_run() -> None:
    study = result(
        failed={("focal", 1): "E: <b>"}, missing=[("focal", 3), *[("bce", s) for s in range(1, 5)]]
    )
    cells = [
        row.children[-1]
        for row in read(arms_table(study, URL)).all("tbody")[0].all("tr")
        if row.children[0].text.strip() in ("bce", "focal")
    ]
    for cell, arm in zip(cells, (study.arms[0], study.arms[-1]), strict=True):
        runs = (*arm.runs, *arm.failed)
        links = cell.all("a")
        assert [link.attributes["href"] for link in links] == [URL + run.id for run in runs]
        assert [link.text for link in links] == [run.tags["mmclf.seed"] for run in runs]
    assert cells[0].text.startswith("1 run (seed ")
    assert cells[1].text.startswith("3 runs (seeds ")
    assert "1 failed (seed ): E: <b>, seed 3 not run" in cells[1].text
    assert not read(arms_table(study, "javascript:alert(1)//")).all("a")


def test_who_has_local_links_is_told_that_the_ui_must_run() -> None:
    study = result(seeds=1)
    words = "which must be running: “make ui” starts it"
    assert words in read(runs_table(study, URL)).whole_text()
    for other in ("https://mlflow.example.org/#/experiments/1/runs/", None):
        assert words not in read(runs_table(study, other)).whole_text()


def test_a_p_is_never_0() -> None:
    study = result()
    tiny = replace(study.arms[1], difference=difference(0.05, p=1e-9))
    rows = arms(replace(study, arms=(study.arms[0], tiny, *study.arms[2:])))
    assert rows[1].children[7].text == "< 0.001"


def test_metrics_that_are_not_tracked_are_dashes() -> None:
    study = result(seeds=1)
    arm = study.arms[0]
    run = replace(arm.runs[0], metrics={"test/f1_samples": 0.5}, tags={})
    changed = replace(study, arms=(replace(arm, runs=(run,)), *study.arms[1:]))
    row = read(runs_table(changed, URL)).all("tbody")[0].all("tr")[0]
    assert [cell.whole_text() for cell in row.children[1:8]] == [
        *("—", "finished", "0.5000"),
        *("—", "—", "—", "—"),
    ]


def test_effects_stand_with_their_share_of_a_gain_that_is_shown() -> None:
    study = result("ladder", {name: CHANGES[name] for name in ("vision", "text", "loss")})
    given = (difference(0.02, 0.005), difference(0.005, 0.01), difference(-0.005, 0.004))
    of = [replace(e, difference=d) for e, d in zip(study.effects, given, strict=True)]
    improved = replace(study.arms[-1], difference=difference(0.02, 0.005))
    shown = replace(study, effects=tuple(of), arms=(*study.arms[:-1], improved))
    minus = "\N{MINUS SIGN}"
    assert effects(shown) == [
        ["vision", "+2.00", "+1.50 to +2.50", "0.001", "100 %", "5"],
        ["text", "+0.50", f"{minus}0.50 to +1.50", "0.500", "25 %", "5"],
        ["loss", f"{minus}0.50", f"{minus}0.90 to {minus}0.10", "0.001", f"{minus}25 %", "5"],
    ]
    unsure = replace(study.arms[-1], difference=difference(0.02, 0.05))
    hidden = replace(shown, arms=(*study.arms[:-1], unsure))
    assert {row[4] for row in effects(hidden)} == {"—"}


def test_an_effect_that_is_not_known_is_a_dash() -> None:
    study = result("ladder", CHANGES, seeds=1, missing=[("+ text", 0)])
    assert effects(study)[1] == ["text", "—", "—", "—", "—", "—"]


def test_the_base_names_a_level_of_every_group() -> None:
    conf = Path(__file__).parents[3] / "conf"
    groups = {path.name for path in conf.iterdir() if path.is_dir()}
    assert set(GROUPS) == groups - {"hydra", "study", "tracking"}
