"""The examples in the docstrings of the public interface run, and give what they say."""

from __future__ import annotations

import doctest
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import mmclf

# By module, what somebody calls or implements who uses mmclf: each has an example.
PUBLIC = {
    "mmclf.config.compose": ("compose",),
    "mmclf.pipeline.run": ("run",),
    "mmclf.pipeline.predict.predictor": ("load",),
    "mmclf.data.samples": ("Samples",),
    "mmclf.data.sources.demo": ("load",),
    "mmclf.models.encoders": ("VisionEncoder", "TextEncoder", "FittedEncoder"),
    "mmclf.models.fusion": ("Concat", "Sum", "Product", "Gated", "Late"),
    "mmclf.models.losses": ("WeightedBCE", "FocalLoss", "AsymmetricLoss"),
    "mmclf.evaluation.thresholds": ("Threshold", "Fixed", "GlobalF1", "PerLabelF1", "decide"),
    "mmclf.evaluation.metrics": ("Metric.value",),
    "mmclf.studies.comparison": ("compare",),
}


def examples() -> Iterator[doctest.DocTest]:
    """Every example in mmclf."""
    folder = Path(mmclf.__file__).parent
    for path in sorted(folder.rglob("*.py")):
        if ">>>" in path.read_text(encoding="utf-8"):
            parts = path.relative_to(folder.parent).with_suffix("").parts
            module = importlib.import_module(".".join(parts))
            finder = doctest.DocTestFinder(exclude_empty=True)
            yield from (test for test in finder.find(module) if test.examples)


EXAMPLES = {example.name: example for example in examples()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The working folder of all examples, so that they share a store."""
    return tmp_path_factory.mktemp("examples")


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_gives_what_it_says(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    runner = doctest.DocTestRunner(verbose=False)
    result = runner.run(EXAMPLES[name], out=sys.stdout.write)
    assert result.attempted > 0
    assert result.failed == 0, capsys.readouterr().out


def test_what_is_public_has_an_example() -> None:
    public = {f"{module}.{name}" for module, names in PUBLIC.items() for name in names}
    assert public - EXAMPLES.keys() == set()
