"""What a shipped component takes, as its source says, is what the imported target takes."""

from __future__ import annotations

import re
import subprocess
import sys
from inspect import Parameter
from typing import Any

import pytest

from mmclf.config import signature_check
from mmclf.config.components import COMPONENTS
from mmclf.config.signature_check import check_by_source, check_component
from mmclf.config.source_signature import shipped_targets, source_signature
from mmclf.config.targets import parameters, resolve

SHIPPED = [(group, target) for group in COMPONENTS for target in sorted(shipped_targets(group))]
# A class without `__init__` takes nothing, and says so only when it is imported.
UNREAD = {"mmclf.models.constant.Constant"}


def words(annotation: object) -> str:
    """An annotation with the names of classes alone, as stand-ins have other modules."""
    text = re.sub(r"<class '([^']+)'>", r"\1", str(annotation))
    return re.sub(r"(?:\w+\.)+(?=\w)", "", text)


def test_nearly_all_that_is_shipped_is_read() -> None:
    assert len(SHIPPED) > 20
    assert {target for _, target in SHIPPED if source_signature(target) is None} == UNREAD


@pytest.mark.parametrize(
    ("group", "target"), [pair for pair in SHIPPED if pair[1] not in UNREAD], ids=str
)
def test_the_source_says_what_the_target_takes(group: str, target: str) -> None:
    signature, imported = source_signature(target), resolve(target, group, ())
    assert signature is not None
    assert signature.name == f"{imported.__module__}.{imported.__qualname__}"
    read = signature.parameters
    taken = parameters(imported)
    assert list(read) == list(taken)
    for name, parameter in taken.items():
        of_source = read[name]
        assert of_source.kind is parameter.kind
        if of_source.default is not ...:  # else no literal
            assert of_source.default == parameter.default
        annotation = signature_check._annotation(parameter, imported)
        if name not in COMPONENTS[group].provided:
            assert words(of_source.annotation) == words(annotation)


@pytest.mark.parametrize(
    ("group", "target", "settings"),
    [
        ("vision", "mmclf.models.vision.TimmEncoder", {"name": 3, "wieghts": "hub"}),
        ("text", "mmclf.models.text.HuggingFaceEncoder", {"name": "x", "pooling": "maen"}),
        ("text", "mmclf.models.text.HuggingFaceEncoder", {"max_length": -3}),
        ("text", "mmclf.models.tfidf.Tfidf", {"min_df": 0, "ngram_max": "2", "sublinear_tf": 1}),
        ("loss", "mmclf.models.losses.FocalLoss", {"gamma": -1, "alpha": 2, "_partial_": True}),
        ("loss", "torch.nn.BCEWithLogitsLoss", {"reduction": 3, "pos_wieght": 1.0}),
        ("optimizer", "torch.optim.Adam", {"lr": "fast", "betas": 1, "foreach": "yes"}),
        ("optimizer", "torch.optim.SGD", {"lr": -1, "params": [], "momentum": True}),
        ("scheduler", "torch.optim.lr_scheduler.OneCycleLR", {"pct_start": 2, "cycle_momentum": 1}),
        ("threshold", "mmclf.evaluation.thresholds.Fixed", {"value": 2, "empty": "none"}),
        ("data", "mmclf.data.sources.demo.load", {"train": 0, "test": 30_000, "seed": -1}),
        ("fusion", "mmclf.models.fusion.Gated", {"dims": {}, "width": -1}),
    ],
)
def test_mistakes_are_those_of_the_imported_target(
    group: str, target: str, settings: dict[str, Any]
) -> None:
    node = {"_target_": target, **settings}
    early, late = check_by_source(node, group, group, ()), check_component(node, group, group, ())
    assert early is not None
    assert len(early) >= 1
    assert early == late


@pytest.mark.parametrize(
    ("group", "target"),
    [
        ("loss", "my_parts.Loss"),
        ("loss", "torch.nn.MSELoss"),
        ("loss", "torch.hub.load"),
        ("vision", "mmclf.models.text.HuggingFaceEncoder"),
        ("loss", None),
        ("loss", ["torch.nn.BCEWithLogitsLoss"]),
    ],
)
def test_of_other_targets_the_source_decides_nothing(group: str, target: object) -> None:
    assert check_by_source({"_target_": target}, group, group, ()) is None


def test_what_is_not_there_has_no_source() -> None:
    for target in ("mmclf.models.losses.NoSuchLoss", "no_such_package.Thing", "json.dumps.x"):
        assert source_signature(target) is None


def test_names_are_followed_to_where_they_are_defined() -> None:
    read = source_signature("torch.nn.BCEWithLogitsLoss")  # by two imports of all names
    assert read is not None
    assert read.name == "torch.nn.modules.loss.BCEWithLogitsLoss"
    assert read.parameters["reduction"] == Parameter(
        "reduction", Parameter.POSITIONAL_OR_KEYWORD, default="mean", annotation=str
    )


@pytest.mark.parametrize(
    "lines",
    [
        ["optimizer.lr=-2"],
        ["optimizer.lrr=3"],
        ["trainer.epochs=0", "vision=resnet18", "text=bert"],
        ["device=cuda:77", "vision=resnet18"],
        ["data=competition", "data.root=/nowhere"],
        ["plan", "study=loss", "data.train=-3"],
        ["-m", "loss=bce,focal", "optimizer.lr=-2,1"],
    ],
)
@pytest.mark.slow
def test_a_mistake_is_answered_without_what_is_slow_to_import(
    lines: list[str], tmp_path: Any
) -> None:
    code = (
        "import sys; from mmclf.cli.main import main\n"
        f"status = main({lines!r})\n"
        "slow = {'torch', 'timm', 'transformers', 'sklearn', 'mlflow', 'pandas'} & {*sys.modules}\n"
        "sys.exit(f'{status} {slow}')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stderr.splitlines()[-1] == "2 set()"
    assert not (tmp_path / "outputs").exists()
