"""Which stages a run has, what each hangs on, and in which precision it encodes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from planned_keys import BASE, BOTH, TRAINED, Keys, Lines, named_keys, resolver_of, stages_of

from mmclf import compose
from mmclf.config.schema import Composed
from mmclf.models.identity import Identity
from mmclf.models.source_code import code_digest
from mmclf.pipeline.run_data import open_store
from mmclf.pipeline.stages import precision_name
from mmclf.storage.store.hashing import digest

pytest_plugins = ["stage_key_fixtures"]
pytestmark = pytest.mark.usefixtures("nothing_at_hand")


def test_further_views_are_further_keys(keys_of: Callable[..., Keys]) -> None:
    one, three = (keys_of(*BASE, f"augment.views={count}") for count in (1, 3))
    assert three.keys() - one.keys() == {"view1", "view2"}
    assert {name for name, key in one.items() if three[name] == key} == {"clean", "text"}
    assert three["view1"] == keys_of(*BASE)["view1"]
    assert len({*one.values(), *three.values()}) == 8


def test_a_modality_that_is_left_out_changes_the_fit_alone(keys_of: Callable[..., Keys]) -> None:
    both, pictures = keys_of(*BASE), keys_of(*BASE, "text=none")
    assert both.keys() - pictures.keys() == {"text"}
    assert {name for name, key in pictures.items() if both[name] != key} == {"fit", "decide"}


def test_an_encoder_that_is_trained_leaves_the_others_features(
    keys_of: Callable[..., Keys],
) -> None:
    frozen, trained = keys_of(*BOTH), keys_of(*BOTH, "vision.trainable=true")
    assert trained.keys() == {"text", "fit", "decide"}
    assert trained["text"] == frozen["text"]
    assert {trained["fit"], trained["decide"]}.isdisjoint(frozen.values())


@pytest.mark.parametrize("base", [BASE, TRAINED])
@pytest.mark.parametrize("how", ["dropped", "shuffled"])
def test_another_test_leaves_the_fit_and_what_comes_before_it(
    keys_of: Callable[..., Keys], base: Lines, how: str
) -> None:
    plain, tested = keys_of(*base), keys_of(*base, f"at_test.vision={how}")
    assert tested.keys() - plain.keys() == {"tested"}
    assert {name for name, key in plain.items() if tested[name] != key} == {"decide"}


def test_a_run_without_another_test_has_no_word_of_it(composed: Callable[..., Composed]) -> None:
    plan = stages_of(composed(*BASE).config)
    assert plan.tested is None
    expected_names = {"fit", "threshold", "evaluation", "label_names", "scikit-learn"}
    assert plan.decide.arguments.keys() == expected_names
    assert not any("test" in name for name in plan.fit.arguments)


@pytest.mark.parametrize(
    ("edited", "changed"),
    [
        ("mmclf.evaluation.evaluate", {"decide"}),
        ("mmclf.models.build", {"fit", "decide"}),
    ],
)
def test_edited_code_counts_where_it_computes(
    composed: Callable[..., Composed],
    monkeypatch: pytest.MonkeyPatch,
    edited: str,
    changed: set[str],
) -> None:
    config = composed(*BASE).config
    before = named_keys(stages_of(config))
    monkeypatch.setattr(
        "mmclf.pipeline.stages.code_digest",
        lambda module: "edited" if module == edited else code_digest(module),
    )
    after = named_keys(stages_of(config))
    assert {name for name, key in before.items() if after[name] != key} == changed


def test_the_seed_counts_in_what_is_shuffled_alone(composed: Callable[..., Composed]) -> None:
    seeds = {}
    for how in ("dropped", "shuffled"):
        stage = stages_of(composed(*BASE, f"at_test.text={how}").config).tested
        assert stage is not None
        seeds[how] = stage.arguments["seed"]
    assert seeds == {"dropped": None, "shuffled": 1}


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (BOTH, {"vision": "bf16", "text": "bf16"}),
        ((*BOTH, "vision.trainable=true"), {"text": "bf16"}),
        (BASE, {"vision": "bf16", "text": "fp32"}),  # TF-IDF has one precision
    ],
)
def test_the_plan_says_in_which_precision_frozen_encoders_compute(
    composed: Callable[..., Composed], lines: Lines, expected: dict[str, str]
) -> None:
    stages = stages_of(composed(*lines, "encode.precision=bf16").config)
    assert stages.precisions == expected


@pytest.mark.parametrize(("bf16", "precision"), [(True, "bf16"), (False, "fp32")])
def test_a_measured_precision_is_as_good_as_a_given_one(
    keys_of: Callable[..., Keys],
    conf: Path,
    outputs: Path,
    tmp_path: Path,
    bf16: bool,
    precision: str,
) -> None:
    lines = [f"output_dir={outputs}", f"store.dir={tmp_path}", *BASE, "encode.precision=auto"]
    config = compose(lines, config_dir=conf).config
    with open_store(config, "a CPU") as store:
        resolver = resolver_of(config, store)
        assert resolver.resolve() is None
        name = resolver.precision_name("vision")
        elsewhere = name.replace("a CPU", "a GPU")
        resolver.precisions.get_or_compute(elsewhere, lambda: {"bf16": not bf16})
        assert resolver.resolve() is None
        resolver.precisions.get_or_compute(name, lambda: {"bf16": bf16})
        actual = resolver.resolve()
    assert actual is not None
    assert actual.decide.key == keys_of(*BASE, f"encode.precision={precision}")["decide"]


@pytest.mark.parametrize(("size", "suffix"), [(None, ""), (64, ", 64 px")])
def test_a_precision_is_remembered_by_encoder_hardware_and_torch(
    size: int | None, suffix: str
) -> None:
    identity = Identity({"name": "e"})
    release = ".".join(torch.__version__.split(".")[:2])
    expected = f"{digest({'name': 'e'})}{suffix} on 2 x CPU, torch {release}"
    assert precision_name(identity, size, "2 x CPU") == expected
