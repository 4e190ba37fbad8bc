from __future__ import annotations

import re
from dataclasses import replace
from statistics import fmean
from urllib.parse import unquote

from made_up import result, run_of

from mmclf.studies.report.words.parent_summary import (
    MOST_ARMS,
    MOST_COMPARED,
    study_tags,
    sweep_tags,
)

NOTE = "mlflow.note.content"
PARENT = "f" * 32
LONGEST_TAG = 5000


def test_a_study_says_its_question_baseline_and_best_arm() -> None:
    study = result(failed={("focal", 1): "RuntimeError: out of memory"}, missing={("focal", 2)})
    tags = study_tags(study, "7")
    assert study.best is not None
    best = study.best
    assert {key: tags[f"mmclf.{key}"] for key in ("arms", "finished", "baseline", "best_arm")} == {
        "arms": str(len(study.arms)),
        "finished": f"{5 * len(study.arms) - 2} of {5 * len(study.arms)}",
        "baseline": study.baseline.name,
        "best_arm": best.name,
    }
    assert tags["mmclf.best_mean"] == f"{best.mean(study.definition.metric):.4f}"
    assert study.definition.question in tags[NOTE]
    assert f"{100 * best.mean(study.definition.metric):.2f}" in tags[NOTE]


def test_the_arms_are_compared_by_a_run_of_each() -> None:
    study = result()
    note = study_tags(study, "7")[NOTE]
    (compared,) = re.findall(r"\(#/compare-runs\?runs=([^&]*)&", note)
    assert re.findall(r"[0-9a-f]{32}", unquote(compared)) == [arm.runs[0].id for arm in study.arms]


def test_runs_of_a_sweep_that_differ_in_seeds_are_an_arm() -> None:
    runs = [run_of(arm, seed) for arm in ("bce", "focal") for seed in (0, 1, 2)]
    runs.append(run_of("focal", 3, "FAILED"))
    tags = sweep_tags(PARENT, runs, "7")
    means = {
        arm: fmean(run.metrics["test/f1_samples"] for run in runs[start : start + 3])
        for arm, start in (("bce", 0), ("focal", 3))
    }
    best = max(means, key=lambda arm: means[arm])
    assert {key: value for key, value in tags.items() if key != NOTE} == {
        "mmclf.arms": "2",
        "mmclf.finished": "6 of 7",
        "mmclf.best_arm": best,
        "mmclf.best_mean": f"{means[best]:.4f}",
    }


def test_a_sweep_without_a_finished_run_has_no_best_arm() -> None:
    tags = sweep_tags(PARENT, [run_of("bce", 0, "FAILED")], "7")
    assert (tags["mmclf.finished"], "mmclf.best_arm" in tags) == ("0 of 1", False)
    assert "](" not in tags[NOTE]
    assert sweep_tags(PARENT, [], "7")["mmclf.finished"] == "0 of 0"


def test_many_arms_fit_a_tag() -> None:
    runs = [run_of(f"arm-{'x' * 60}-{number}", 0) for number in range(MOST_ARMS + 5)]
    note = sweep_tags(PARENT, runs, "7")[NOTE]
    assert len(note) < LONGEST_TAG
    assert runs[MOST_ARMS - 1].tags["mmclf.arm"] in note
    assert runs[MOST_ARMS].tags["mmclf.arm"] not in note
    (compared,) = re.findall(r"\(#/compare-runs\?runs=([^&]*)&", note)
    assert len(re.findall(r"[0-9a-f]{32}", unquote(compared))) == MOST_COMPARED


def test_the_name_of_an_arm_is_no_markup() -> None:
    odd = "[x](javascript:alert(1)) | <b>"
    run = run_of("bce", 0)
    run = replace(run, tags={**run.tags, "mmclf.arm": odd})
    note = sweep_tags(PARENT, [run], "7")[NOTE]
    assert "](javascript" not in note.replace("\\]", "")
    assert "<b>" not in note.replace("\\<b>", "")
