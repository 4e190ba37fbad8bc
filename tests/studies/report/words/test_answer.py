from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest
from made_up import CHANGES, difference, estimate, result

from mmclf.evaluation import metrics
from mmclf.studies.report.result.study_result import ArmResult, EffectResult, Ends, StudyResult
from mmclf.studies.report.words.answer import MOST, Answer, answer, shown_gain
from mmclf.studies.statistics.verdicts import Difference

BETTER = difference(0.0123, 0.005)
WORSE = difference(-0.008, 0.007)
EQUAL = difference(0.001, 0.002)
UNSURE = difference(0.004, 0.01)
CORRECTED = difference(0.011, 0.01, comparisons=4)


@dataclass(frozen=True)
class TwelveSeeds:
    """What decides whatever is undecided."""

    def words(self) -> str:
        return "12 seeds would decide it"


def answer_to(study: StudyResult) -> Answer:
    return answer(study, decides=lambda _: TwelveSeeds())


def losses(*differences: Difference | None, baseline: float = 0.79, seeds: int = 5) -> StudyResult:
    """A study of `bce` and of others that differ from it so."""
    study = result(seeds=seeds)
    arms = [replace(study.baseline, score=estimate(baseline, seeds=seeds))]
    for arm, values in zip(study.arms[1:], differences, strict=False):
        score = None if values is None else estimate(baseline + values.estimate.value)
        runs = () if values is None else arm.runs
        arms.append(replace(arm, difference=values, score=score, runs=runs))
    return replace(study, arms=tuple(arms))


def changed(
    study: StudyResult, values: Mapping[str, Difference | None], whole: Difference | None
) -> StudyResult:
    """A ladder or an attribution with these effects, and this difference from end to end."""
    gain = math.nan if whole is None else whole.estimate.value

    def scored(arm: ArmResult) -> ArmResult:
        value = 0.78 if whole is None or arm.name == "default" else 0.78 + gain
        end = whole if arm.name == "improved" else arm.difference
        return replace(arm, score=estimate(value), difference=end)

    effects = tuple(EffectResult(name, {}, result) for name, result in values.items())
    ends = None if whole is None else Ends(estimate(0.78), estimate(0.78 + gain))
    return replace(study, arms=tuple(map(scored, study.arms)), effects=effects, ends=ends)


def facts(words: str) -> list[str]:
    """Names, numbers and what an arm is said to be, in their order."""
    verdicts = "better|worse|equal|undecided|gains|loses"
    return re.findall(rf"“[^”]+”|[-+]?\d+\.\d+|{verdicts}", words)


class CalledWorse(Difference):
    """One that a look has called, whatever its interval after stopping holds."""

    verdict = "worse"


def test_an_interval_after_stopping_may_hold_0_and_keeps_its_sign() -> None:
    called = CalledWorse(estimate(-0.0045, 0.0046), 1, 0.005)
    (bullet,) = answer_to(losses(called)).bullets
    assert facts(bullet)[1:] == ["loses", "0.45", "-0.01", "+0.91"]


def test_each_arm_has_a_bullet_the_better_ones_first() -> None:
    reply = answer_to(losses(UNSURE, WORSE, EQUAL, BETTER))
    assert facts(reply.headline)[:2] == ["“bce”", "79.00"]
    assert "1 better, 1 worse, 1 equal, 1 undecided" in reply.headline
    assert [facts(bullet) for bullet in reply.bullets] == [
        ["“focal”", "gains", "1.23", "0.73", "1.73"],
        ["“weighted_bce sqrt”", "loses", "0.80", "0.10", "1.50"],
        ["“weighted_bce log”", "equal", "-0.07", "+0.27"],
        ["“weighted_bce raw”", "undecided", "-0.60", "+1.40"],
    ]
    assert reply.bullets[0] == "“focal” gains 1.23 F1 points (0.73 to 1.73)"
    assert "equal within half a point" in reply.bullets[2]
    assert reply.bullets[3].endswith("; 12 seeds would decide it")


def test_where_less_is_better_a_drop_is_better(monkeypatch: pytest.MonkeyPatch) -> None:
    turned = replace(metrics.METRICS["f1_samples"], higher_is_better=False)
    monkeypatch.setattr(metrics, "METRICS", {"f1_samples": turned})
    study = losses(*(replace(one, sign=-1) for one in (BETTER, WORSE)))
    better, worse = answer_to(study).bullets
    assert facts(better)[:3] == ["“weighted_bce sqrt”", "better", "0.80"]
    assert facts(worse)[:3] == ["“weighted_bce raw”", "worse", "1.23"]
    least = min(study.arms, key=lambda arm: arm.mean("test/f1_samples") if arm.runs else 1.0)
    assert study.best is least


def test_what_does_not_survive_the_correction_is_undecided() -> None:
    assert CORRECTED.estimate.low > 0
    reply = answer_to(losses(CORRECTED))
    assert facts(reply.bullets[0])[:2] == ["“weighted_bce raw”", "undecided"]
    assert "1.10" not in reply.text
    assert "for all 4 comparisons at once" in reply.headline


def test_an_arm_without_runs_is_not_compared() -> None:
    reply = answer_to(losses(BETTER, None))
    assert "1 better, 1 not compared" in reply.headline
    assert reply.bullets[-1].startswith("“weighted_bce sqrt” is not compared, for want of runs")


def test_one_seed_decides_nothing() -> None:
    single = difference(0.02, 0.005, seeds=1)
    actual = answer(losses(single, seeds=1))
    assert "1 undecided" in actual.headline
    assert facts(actual.bullets[0]) == ["“weighted_bce raw”", "undecided", "+1.50", "+2.50"]
    assert "one seed" in actual.bullets[0]


def test_many_arms_are_counted_rather_than_listed() -> None:
    study = result("attribution", CHANGES, baseline="improved")
    grid = replace(study, definition=replace(study.definition, design="grid"), effects=())
    reply = answer_to(grid)
    verdicts = [arm.difference.verdict for arm in grid.arms if arm.difference is not None]
    counts = Counter(verdicts)
    more = {verdict: int(n) for n, verdict in re.findall(r"(\d+) more are (\w+)", reply.text)}
    assert more == {of: count - MOST for of, count in counts.items() if count > MOST}
    assert more
    assert len(reply.bullets) == sum(min(count, MOST + 1) for count in counts.values())


def test_an_answer_is_text_with_a_line_for_each_bullet() -> None:
    assert Answer("Head.", ("a", "b")).text.splitlines() == ["Head.", "- a", "- b"]
    assert Answer("Head.").text == "Head."


def test_one_arm_alone() -> None:
    assert facts(answer_to(losses()).text) == ["“bce”", "79.00", "78.00", "80.00"]


def test_no_finished_run() -> None:
    study = result(seeds=1, missing=[(arm.name, 0) for arm in result().arms])
    assert answer(study) == Answer("No run has finished yet: there is no answer.")


def test_a_baseline_without_a_run() -> None:
    actual = answer_to(result(seeds=1, missing=[("bce", 0)])).headline
    assert actual.startswith(
        "The baseline “bce” has no finished run to compare with. Of the others"
    )


def test_a_ladder_says_what_each_change_accounts_for_in_its_order() -> None:
    study = result("ladder", {name: CHANGES[name] for name in ("vision", "text", "loss")})
    effects = {
        "vision": difference(0.012, 0.005),
        "text": difference(0.02, 0.005),
        "loss": difference(-0.002, 0.005),
    }
    reply = answer_to(changed(study, effects, difference(0.03, 0.008)))
    assert facts(reply.headline) == [
        *("“default”", "78.00", "“improved”", "81.00", "gains", "3.00", "2.20", "3.80"),
    ]
    assert [facts(bullet)[:3] for bullet in reply.bullets] == [
        ["“vision”", "gains", "1.20"],
        ["“text”", "gains", "2.00"],
        ["“loss”", "undecided", "-0.70"],
    ]
    assert re.findall(r"\d+ % of the gain", reply.text) == ["40 % of the gain", "67 % of the gain"]
    assert study.definition.kind.part in reply.headline


def test_an_attribution_names_its_shapley_values_the_shown_ones_first() -> None:
    study = result("attribution", {name: CHANGES[name] for name in ("vision", "text", "loss")})
    effects = {"loss": UNSURE, "vision": difference(0.02, 0.005), "text": None}
    reply = answer_to(changed(study, effects, difference(0.02, 0.008)))
    assert study.definition.kind.part in reply.headline
    assert [facts(bullet)[0] for bullet in reply.bullets] == ["“vision”", "“loss”", "“text”"]
    assert "of the gain" not in reply.text
    assert "“text” is not estimated" in reply.bullets[-1]


def test_no_share_of_a_gain_that_is_not_shown() -> None:
    study = result("ladder", {name: CHANGES[name] for name in ("vision", "text")})
    effects = {
        "vision": difference(0.02, 0.005),
        "text": difference(-0.018, 0.005),
    }
    unsure = changed(study, effects, difference(0.002, 0.008))
    assert facts(answer_to(unsure).headline)[4] == "undecided"
    assert "of the gain" not in answer_to(unsure).text
    assert math.isnan(shown_gain(unsure))
    shown = changed(study, effects, difference(0.002, 0.001))
    assert shown_gain(shown) == pytest.approx(0.002)


def test_a_ladder_from_another_baseline_has_no_interval_of_the_gain() -> None:
    study = result("ladder", CHANGES, baseline="improved")
    gain = study.definition.gain
    assert gain is not None
    assert [arm.name for arm in gain] == ["default", "improved"]
    head = facts(answer_to(study).headline)
    assert (head[0], head[2]) == ("“default”", "“improved”")
    assert len(head) == 5
    assert math.isnan(shown_gain(study))


def test_a_ladder_whose_end_has_not_run() -> None:
    study = result("ladder", CHANGES, seeds=1, missing=[("improved", 0)])
    assert "is not known: “improved” has no finished run" in answer_to(study).headline
