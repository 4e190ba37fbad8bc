"""The cells of a study's page against the runs that they tell of."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from statistics import fmean

from html_reader import Node, part, read
from made_up import CHANGES, URL, details, difference, result, run_of

from mmclf.storage.tracking.pages import TRAINING
from mmclf.studies.report.page.document import page
from mmclf.studies.report.page.method import GROUPS
from mmclf.studies.report.result.study_result import StudyResult
from mmclf.studies.report.tables.study_tables import beside_metrics

DASH, MINUS = "\N{EM DASH}", "\N{MINUS SIGN}"


def rows(study: StudyResult, key: str, runs_url: str | None = None) -> list[Node]:
    """The rows of a table of the page; without its plots, which take the most time."""
    shown = None if runs_url is None else replace(details(study), runs_url=runs_url)
    root = part(read(page(study, shown, [])), key)
    return root.all("tbody")[0].all("tr")


def arms(study: StudyResult, runs_url: str | None = None) -> list[Node]:
    return rows(study, "arms-table", runs_url)


def effects(study: StudyResult) -> list[list[str]]:
    """The cells of the table of effects."""
    table_rows = rows(study, "effects-table")
    return [[cell.whole_text().strip() for cell in row.children] for row in table_rows]


def numbers(row: Node) -> dict[str, Node]:
    """The cells of a row that hold a number, by their column."""
    return {
        cell.attributes["data-column"]: cell
        for cell in row.children
        if "data-value" in cell.attributes
    }


def test_every_cell_of_a_run_is_its_tracked_metric() -> None:
    study = result(failed={("focal", 1): "RuntimeError: out of memory"})
    runs = {run.id: run for arm in study.arms for run in (*arm.runs, *arm.failed)}
    actual = rows(study, "runs-table", URL)
    assert [row.attributes["data-row"] for row in actual] == list(runs)
    for row in actual:
        run = runs[row.attributes["data-row"]]
        cells = numbers(row)
        assert len(cells) == (5 if run.status == "FINISHED" else 0)
        for metric, cell in cells.items():
            tracked = run.metrics[metric]
            assert float(cell.attributes["data-value"]) == tracked
            is_time = metric.startswith("time/")
            shown = f"{tracked:.1f}" if is_time else f"{100 * tracked:.2f}"
            assert cell.whole_text() == shown


def test_every_mean_is_that_of_the_tracked_metrics() -> None:
    study = result(missing=[("focal", 0)])
    metric = study.definition.metric
    beside = beside_metrics(study.definition)
    assert list(beside.values()) == [f"{metric}_at_0.5", f"{metric}_fitted", "test/map"]
    of_arms = {metric: metric, "Running time (s)": "time/cold_s"}
    for table, columns in (("arms-table", of_arms), ("beside-table", beside)):
        for row, arm in zip(rows(study, table), study.arms, strict=True):
            assert row.attributes["data-row"] == arm.name
            cells = numbers(row)
            for column, key in columns.items():
                mean = fmean(run.metrics[key] for run in arm.runs)
                assert float(cells[column].attributes["data-value"]) == mean
                shown = f"{mean:.1f}" if key.startswith("time/") else f"{100 * mean:.2f}"
                assert cells[column].whole_text() == shown
    for row, arm in zip(arms(study), study.arms, strict=True):
        cells = numbers(row)
        assert float(cells["SD"].attributes["data-value"]) == arm.deviation(metric)
        assert cells["n"].whole_text() == str(len(arm.runs))


def test_differences_stand_with_verdict_intervals_and_p() -> None:
    study = result()
    seen = set()
    for row, arm in zip(arms(study), study.arms, strict=True):
        verdict, mean, reach, equal, p = (cell.whole_text() for cell in row.children[1:6])
        actual = arm.difference
        if actual is None:
            assert (verdict, mean, reach, equal, p) == ("baseline", *[DASH] * 4)
            continue
        value, inner = actual.estimate.value, actual.equal_reach
        assert verdict == actual.verdict
        assert mean == f"{100 * value:+.2f}".replace("-", MINUS)
        for text, low, high in (
            (reach, actual.low, actual.high),
            (equal, value - inner, value + inner),
        ):
            assert text == f"{100 * low:+.2f} to {100 * high:+.2f}".replace("-", MINUS)
        assert p == ("< 0.001" if actual.p < 0.001 else f"{actual.p:.3f}")
        assert [bool(row.children[place].all("strong")) for place in (1, 2)] == (
            [actual.is_shown] * 2
        )
        assert float(numbers(row)["Difference"].attributes["data-value"]) == value
        seen.add(actual.is_shown)
    assert seen == {True, False}


def test_other_metrics_and_times_have_their_intervals() -> None:
    study = result()
    first, second, *_ = rows(study, "beside-table")
    cells = {cell.attributes.get("data-column", ""): cell.whole_text() for cell in second.children}
    of = study.arms[1].beside["test/f1_samples_fitted"]
    assert cells["F1 fitted diff."] == f"{100 * of.estimate.value:+.2f}".replace("-", MINUS)
    assert cells["F1 fitted diff. 95 %"] == (
        f"{100 * of.low:+.2f} to {100 * of.high:+.2f}".replace("-", MINUS)
    )
    assert (cells["Time ratio"], cells["Time ratio 95 %"]) == ("1.50", "1.20 to 1.90")
    assert "mAP diff." not in cells
    assert first.children[-1].whole_text() == DASH


def test_the_status_says_what_became_of_every_seed() -> None:
    study = result(
        failed={("focal", 1): "RuntimeError: " + "x" * 300, ("bce", 0): "E: <b>"},
        missing=[("focal", 3), ("focal", 4), *[("weighted_bce raw", seed) for seed in range(5)]],
    )
    last_cells = {row.attributes["data-row"]: row.children[-1].text.strip() for row in arms(study)}
    assert last_cells["weighted_bce log"] == "5 runs"
    assert last_cells["weighted_bce raw"] == "not run"
    assert last_cells["bce"] == "4 runs, 1 failed: E: <b>"
    assert re.fullmatch(
        r"2 runs, 1 failed: RuntimeError: x+…x+, seeds 3 and 4 not run", last_cells["focal"]
    )
    assert len(last_cells["focal"]) < 200


def test_runs_that_are_under_way_or_were_interrupted_are_no_failures() -> None:
    study = result(seeds=2)
    odd = tuple(
        replace(run_of("bce", seed), status=status, metrics={})
        for seed, status in enumerate(("RUNNING", "KILLED"))
    )
    changed = (replace(study.arms[0], runs=(), failed=odd, score=None), *study.arms[1:])
    row = arms(replace(study, arms=changed))[0]
    assert row.children[-1].text.strip() == "1 running, 1 interrupted"


def test_a_run_is_linked_only_to_an_address_of_the_web() -> None:
    study = result(seeds=1)
    ids = [run.id for arm in study.arms for run in arm.runs]
    links = [link for row in rows(study, "runs-table", URL) for link in row.all("a")]
    assert [link.attributes["href"] for link in links] == [f"{URL}{id_}?{TRAINING}" for id_ in ids]
    for address in ("javascript:alert(1)//", None):
        for key in ("runs-table", "arms-table"):
            assert not [link for row in rows(study, key, address) for link in row.all("a")]


def test_each_seed_of_an_arm_is_linked_to_its_run() -> None:
    study = result(
        failed={("focal", 1): "E: <b>"}, missing=[("focal", 3), *[("bce", s) for s in range(1, 5)]]
    )
    actual = arms(study, URL)
    for row, arm in ((actual[0], study.arms[0]), (actual[-1], study.arms[-1])):
        runs = (*arm.runs, *arm.failed)
        links = row.children[-1].all("a")
        assert [link.attributes["href"] for link in links] == [
            f"{URL}{run.id}?{TRAINING}" for run in runs
        ]
        assert [link.text for link in links] == [run.tags["mmclf.seed"] for run in runs]
    assert actual[0].children[-1].text.strip().startswith("1 run (seed ")
    last = actual[-1].children[-1].text.strip()
    assert last.startswith("3 runs (seeds ")
    assert "1 failed (seed ): E: <b>, seed 3 not run" in last


def test_who_has_local_links_is_told_that_the_ui_must_run() -> None:
    study = result(seeds=1)

    def said(address: str | None) -> bool:
        shown = None if address is None else replace(details(study), runs_url=address)
        return "make ui" in part(read(page(study, shown, [])), "runs-table").whole_text()

    assert said(URL)
    assert not said("https://mlflow.example.org/#/experiments/1/runs/")
    assert not said(None)


def test_a_p_is_never_0() -> None:
    study = result()
    tiny = replace(study.arms[1], difference=difference(0.05))
    row = arms(replace(study, arms=(study.arms[0], tiny, *study.arms[2:])))[1]
    assert numbers(row)["p (adjusted)"].whole_text() == "< 0.001"


def test_metrics_that_are_not_tracked_are_dashes() -> None:
    study = result(seeds=1)
    arm = study.arms[0]
    run = replace(arm.runs[0], metrics={"test/f1_samples": 0.5}, tags={})
    changed = replace(study, arms=(replace(arm, runs=(run,)), *study.arms[1:]))
    row = rows(changed, "runs-table", URL)[0]
    assert [cell.whole_text().strip() for cell in row.children[1:8]] == [
        *(DASH, "finished", "50.00"),
        *(DASH, DASH, DASH, DASH),
    ]


def test_effects_stand_with_their_share_of_a_gain_that_is_shown() -> None:
    study = result("ladder", {name: CHANGES[name] for name in ("vision", "text", "loss")})
    given = (difference(0.02, 0.005), difference(0.005, 0.01), difference(-0.005, 0.004))
    of = [replace(e, difference=d) for e, d in zip(study.effects, given, strict=True)]
    improved = replace(study.arms[-1], difference=difference(0.02, 0.005))
    shown = replace(study, effects=tuple(of), arms=(*study.arms[:-1], improved))
    picked = [[row[place] for place in (0, 1, 2, 3, 6, 7)] for row in effects(shown)]
    assert picked == [
        ["vision", "better", "+2.00", "+1.50 to +2.50", "100 %", "5"],
        ["text", "undecided", "+0.50", f"{MINUS}0.50 to +1.50", "25 %", "5"],
        ["loss", "worse", f"{MINUS}0.50", f"{MINUS}0.90 to {MINUS}0.10", f"{MINUS}25 %", "5"],
    ]
    unsure = replace(study.arms[-1], difference=difference(0.02, 0.05))
    hidden = replace(shown, arms=(*study.arms[:-1], unsure))
    assert {row[6] for row in effects(hidden)} == {DASH}


def test_an_effect_that_is_not_known_is_a_dash() -> None:
    study = result("ladder", CHANGES, seeds=1, missing=[("+ text", 0)])
    assert effects(study)[1] == ["text", "not compared", *[DASH] * 6]


def test_the_base_names_a_level_of_every_group() -> None:
    conf = Path(__file__).parents[4] / "conf"
    groups = {path.name for path in conf.iterdir() if path.is_dir()}
    assert set(GROUPS) == groups - {"hydra", "study", "tracking"}
