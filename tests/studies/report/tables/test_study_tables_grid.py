"""Main effects and interactions of a grid, in its tables, on its page and in its answer."""

from __future__ import annotations

from dataclasses import replace

from html_reader import part, read
from made_up import LOSSES, difference, result

from mmclf.studies.report.page.document import page
from mmclf.studies.report.result.study_result import StudyResult
from mmclf.studies.report.tables.study_tables import effects_table, tables
from mmclf.studies.report.words.answer import answer

FACTORS = {"loss": ["bce", "focal"], "dropout": ["0.0", "0.2"]}
EFFECTS = ["loss=focal", "dropout=0.2", "loss=focal x dropout=0.2"]


def grid(*values: float) -> StudyResult:
    """A grid whose effects are these, with intervals of half a point to either side."""
    study = result("grid", FACTORS)
    pairs = zip(study.effects, values, strict=True)
    effects = [replace(of, difference=difference(value, 0.005)) for of, value in pairs]
    return replace(study, effects=tuple(effects))


def test_a_grid_of_two_factors_has_a_table_of_effects() -> None:
    study = result("grid", FACTORS)
    table = effects_table(study)
    assert table is not None
    assert list(table["Effect"]) == EFFECTS
    means = {arm.name: arm.mean("test/f1_samples") for arm in study.arms}
    bce, focal = (
        [means[f"loss={loss}, dropout={dropout}"] for dropout in FACTORS["dropout"]]
        for loss in FACTORS["loss"]
    )
    expected = [
        (focal[0] + focal[1] - bce[0] - bce[1]) / 2,
        (focal[1] + bce[1] - focal[0] - bce[0]) / 2,
        focal[1] - bce[1] - focal[0] + bce[0],
    ]
    assert abs(table["Difference"] - expected).max() < 1e-12
    assert set(tables(study)) == {"results", "effects"}


def test_a_grid_of_one_factor_and_single_changes_have_none() -> None:
    assert effects_table(result("grid", LOSSES)) is None
    assert effects_table(result("one_at_a_time", FACTORS)) is None


def test_the_page_has_their_table_without_shares() -> None:
    table = part(read(page(result("grid", FACTORS), None, [])), "effects-table")
    heads = [cell.whole_text() for cell in table.all("thead")[0].all("th")]
    assert "Verdict" in heads
    assert "Share of the gain" not in heads
    rows = [row.children[0].whole_text().strip() for row in table.all("tbody")[0].all("tr")]
    assert rows == EFFECTS


def test_the_answer_tells_the_effects_that_are_shown() -> None:
    bullets = answer(grid(0.02, 0.001, -0.01)).bullets
    effect_bullets = [bullet for bullet in bullets if "effect" in bullet]
    assert effect_bullets[0].startswith("the effect “loss=focal” gains 2.00 F1 points")
    assert effect_bullets[1].startswith(
        "the effect “loss=focal x dropout=0.2” loses 1.00 F1 points"
    )
    assert effect_bullets[2].startswith("1 more ")
    assert len(effect_bullets) == 3
    assert answer(grid(0.0, 0.001, 0.002)).bullets[-1].startswith("3 main effects")
