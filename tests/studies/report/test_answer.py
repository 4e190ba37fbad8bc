from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import pytest
from made_up import CHANGES, difference, estimate, result

from mmclf.evaluation import metrics
from mmclf.studies.report.answer import answer, shown_gain
from mmclf.studies.report.results import ArmResult, Difference, EffectResult, StudyResult

BETTER = difference(0.0123, 0.005)
WORSE = difference(-0.008, 0.007)
UNSURE = difference(0.004, 0.01)
CORRECTED = Difference(estimate(0.011, 0.01, p=0.03), 0.12)


def losses(*differences: Difference | None, baseline: float = 0.79, seeds: int = 5) -> StudyResult:
    """A study of `bce` and of others that differ from it so."""
    study = result(seeds=seeds)
    arms = [replace(study.baseline, score=estimate(baseline, seeds=seeds))]
    for arm, found in zip(study.arms[1:], differences, strict=False):
        score = None if found is None else estimate(baseline + found.estimate.value)
        runs = () if found is None else arm.runs
        arms.append(replace(arm, difference=found, score=score, runs=runs))
    return replace(study, arms=tuple(arms))


def changed(
    study: StudyResult, values: Mapping[str, Difference | None], whole: Difference | None
) -> StudyResult:
    """A ladder or an attribution with these effects, and this difference from end to end."""

    def scored(arm: ArmResult) -> ArmResult:
        value = 0.78 if whole is None or arm.name == "default" else 0.78 + whole.estimate.value
        end = whole if arm.name == "improved" else arm.difference
        return replace(arm, score=estimate(value), difference=end)

    effects = tuple(EffectResult(name, {}, found) for name, found in values.items())
    return replace(study, arms=tuple(map(scored, study.arms)), effects=effects)


def facts(told: str) -> list[str]:
    """Names, numbers and what an arm is said to be, in their order."""
    return re.findall(r"“[^”]+”|[-+]?\d+\.\d+|better|worse|rises|falls", told)


def test_differences_that_are_shown_have_their_size_and_interval() -> None:
    told = answer(losses(BETTER, WORSE))
    assert facts(told) == [
        *("“weighted_bce raw”", "better", "“bce”", "0.7900", "1.23", "0.73", "1.73"),
        *("“weighted_bce sqrt”", "worse", "0.80", "0.10", "1.50"),
    ]
    assert "samples-F1 on the test set" in told


def test_where_less_is_better_a_drop_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    turned = replace(metrics.METRICS["f1_samples"], higher_is_better=False)
    monkeypatch.setattr(metrics, "METRICS", {"f1_samples": turned})
    study = losses(BETTER, WORSE)
    told = facts(answer(study))
    assert told[:2] == ["“weighted_bce sqrt”", "better"]
    assert told[told.index("worse") - 1] == "“weighted_bce raw”"
    least = min(study.arms, key=lambda arm: arm.mean("test/f1_samples") if arm.runs else 1.0)
    assert study.best is least


def test_a_difference_whose_interval_holds_0_is_never_called_one() -> None:
    told = answer(losses(UNSURE))
    assert told.startswith("No arm is shown to be better")
    assert facts(told) == ["better", "“bce”", "0.7900", "“weighted_bce raw”"]


def test_what_does_not_survive_the_correction_is_not_shown() -> None:
    told = answer(losses(BETTER, CORRECTED, UNSURE))
    assert facts(told)[:2] == ["“weighted_bce raw”", "better"]
    assert "corrected for 3 comparisons" in told
    assert "1.10" not in told


def test_an_arm_without_runs_is_not_compared() -> None:
    told = answer(losses(BETTER, None))
    assert (
        "Not compared, for want of runs on the same seeds and test samples: “weighted_bce sqrt”."
        in told
    )


def test_one_seed_is_said() -> None:
    single = difference(0.02, 0.005, seeds=1)
    told = answer(losses(single, difference(0.03, 0.005, seeds=1), seeds=1))
    assert told.endswith(
        "With one seed, only the test set's share of the uncertainty is known, not what another "
        "seed would give."
    )
    told = answer(losses(BETTER, single))
    assert "“weighted_bce sqrt” can be judged on one seed alone: only the test set's" in told


def test_many_arms_are_counted_rather_than_listed() -> None:
    study = result("attribution", CHANGES, baseline="improved")
    grid = replace(study, definition=replace(study.definition, design="grid"))
    told = answer(grid)
    assert len(told) < 1500
    assert " more" in told


def test_one_arm_alone() -> None:
    study = losses()
    assert facts(answer(study)) == ["“bce”", "0.7900", "0.7800", "0.8000"]


def test_no_finished_run() -> None:
    study = result(seeds=1, missing=[(arm.name, 0) for arm in result().arms])
    assert answer(study) == "No run has finished yet: there is no answer."


def test_a_baseline_without_a_run() -> None:
    told = answer(result(seeds=1, missing=[("bce", 0)]))
    assert told.startswith("The baseline “bce” has no finished run to compare with. Of the others")


def test_a_ladder_says_what_each_change_accounts_for() -> None:
    study = result("ladder", {name: CHANGES[name] for name in ("vision", "text", "loss")})
    effects = {
        "vision": difference(0.02, 0.005),
        "text": difference(0.012, 0.005),
        "loss": difference(-0.002, 0.005),
    }
    told = answer(changed(study, effects, difference(0.03, 0.008)))
    assert facts(told) == [
        *("rises", "“default”", "0.7800", "“improved”", "0.8100", "3.00", "+2.20", "+3.80"),
        *("“vision”", "+2.00", "+1.50", "+2.50", "“text”", "+1.20", "+0.70", "+1.70", "“loss”"),
    ]
    assert re.findall(r"\d+ % of the gain", told) == ["67 % of the gain", "40 % of the gain"]
    assert study.definition.kind.part in told


def test_an_attribution_names_its_shapley_values() -> None:
    study = result("attribution", {name: CHANGES[name] for name in ("vision", "text")})
    effects = {"vision": difference(0.02, 0.005), "text": None}
    told = answer(changed(study, effects, difference(0.02, 0.008)))
    assert study.definition.kind.part in told
    assert facts(told)[-5:] == ["“vision”", "+2.00", "+1.50", "+2.50", "“text”"]
    assert "of the gain" not in told
    assert "Not estimated, for want of runs on the same seeds and test samples: “text”." in told


def test_no_share_of_a_gain_that_is_not_shown() -> None:
    study = result("ladder", {name: CHANGES[name] for name in ("vision", "text")})
    effects = {
        "vision": difference(0.02, 0.005),
        "text": difference(-0.018, 0.005),
    }
    unsure = changed(study, effects, difference(0.002, 0.008))
    told = answer(unsure)
    assert told.startswith("In samples-F1 on the test set, no difference is shown from “default”")
    assert "of the gain" not in told
    assert shown_gain(unsure) != shown_gain(unsure)
    shown = changed(study, effects, difference(0.002, 0.001))
    assert shown_gain(shown) == pytest.approx(0.002)


def test_a_ladder_from_another_baseline_has_no_interval_of_the_gain() -> None:
    study = result("ladder", CHANGES, baseline="improved")
    gain = study.definition.gain
    assert gain is not None
    assert [arm.name for arm in gain] == ["default", "improved"]
    assert facts(answer(study))[0] == "“default”"
    assert shown_gain(study) != shown_gain(study)


def test_a_ladder_whose_end_has_not_run() -> None:
    study = result("ladder", CHANGES, seeds=1, missing=[("improved", 0)])
    assert "is not known: “improved” has no finished run on the same samples." in answer(study)
