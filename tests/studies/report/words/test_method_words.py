"""The paragraph on how a study's intervals were made."""

from __future__ import annotations

from dataclasses import replace

from made_up import CHANGES, TEST, difference, estimate, result

from mmclf.studies.report.words.method_words import method_paragraph


def with_groups(groups: int) -> str:
    study = result()
    score = replace(estimate(0.8), groups=groups)
    return method_paragraph(replace(study, arms=(replace(study.arms[0], score=score),)))


def test_it_says_what_a_paper_has_to() -> None:
    study = result(margin=0.003)
    compared = [
        arm if arm.difference is None else replace(arm, difference=difference(0.1, comparisons=4))
        for arm in study.arms
    ]
    paragraph = method_paragraph(replace(study, arms=tuple(compared)))
    for words in (
        "5 arms",
        "5 seeds (0, 1, 2, 3 and 4)",
        "samples-F1 on the test set",
        f"({TEST} samples)",
        "d_s = δ + a_s + t + i_s",
        "2,000 bootstrap resamples",
        f"G = {TEST}",
        "E[2Φ(-|D| / √(b(S-1)/X + v(G-1)/Y))]",
        "m = 4 comparisons of arms",
        "±0.30 F1 points",
        "one pool of training samples",
        "python 3.11.2, mmclf 0.1.0, torch 2.12.1, timm 1.0.20",
    ):
        assert words in paragraph, words


def test_groups_of_test_samples_are_told_from_samples() -> None:
    assert f"({TEST} samples)" in with_groups(TEST)
    assert f"({TEST} samples in 160 groups" in with_groups(160)


def test_effects_are_a_family_of_their_own() -> None:
    study = result("ladder", CHANGES)
    whole = [replace(effect, difference=difference(0.1, comparisons=7)) for effect in study.effects]
    paragraph = method_paragraph(replace(study, effects=tuple(whole)))
    assert "m = 1 comparisons of arms and m = 7 comparisons of effects" in paragraph
    assert "sampled orders" not in paragraph


def test_without_a_run_there_is_no_model() -> None:
    study = result(seeds=1, missing=[(arm.name, 0) for arm in result().arms])
    paragraph = method_paragraph(study)
    assert "d_s" not in paragraph
    assert "m =" not in paragraph
