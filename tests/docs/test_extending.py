"""docs/extending.md is true: parts of a user's own and changes of mmclf do what the page says.

That its commands run is seen with those of the other pages.
"""

from __future__ import annotations

import ast
import csv
import dataclasses
import importlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from doc_pages import PAGES, ROOT, Block
from numpy.typing import NDArray

from mmclf.config.compose import compose
from mmclf.config.user_modules import UserModules
from mmclf.data.samples import Samples
from mmclf.data.split import Parts
from mmclf.errors import InputError
from mmclf.evaluation.metrics import METRICS, Metric, deciding_metric
from mmclf.evaluation.outputs import SplitOutputs
from mmclf.pipeline import fit_result
from mmclf.pipeline.run_data import RunData
from mmclf.plots.style import SERIES, rows_canvas
from mmclf.storage import stopwatch
from mmclf.storage.store import store
from mmclf.storage.store.entry import Entry, Stage, StageTiming
from mmclf.storage.store.stage_result import StageResult
from mmclf.storage.store.store import Store
from mmclf.studies.factors import Factor, Level
from mmclf.studies.statistics.bootstrap import resampled_score, score

# How many files below mmclf/ and conf/ a kind may take.
MOST_FILES = {
    "A loss class, a source of data": 2,
    "A design": 2,
    "A deciding metric": 1,
    "A plot": 2,
    "A stage": 6,
}


STAGE_MODULES = (fit_result, store, stopwatch, dataclasses)
SAMPLES = Samples(
    ids=("a",),
    images=(),
    captions=("",),
    labels=np.ones((1, 2), np.uint8),
    label_ids=("x", "y"),
    label_names=("x", "y"),
    own_val=np.zeros(1, bool),
    own_test=np.zeros(1, bool),
)


class Temperature:
    """A number in the store."""

    def write(self, value: float, folder: Path) -> None:
        """Write it to `folder`."""
        (folder / "value.json").write_text(json.dumps(value), encoding="utf-8")

    def read(self, entry: Entry) -> float:
        """Read it back."""
        return float(json.loads(entry.read("value.json")))


(PAGE,) = [page for page in PAGES if page.name == "docs/extending.md"]
PATCHES = [b for b in PAGE.blocks if b.is_patch and b.language == "python"]
assert PATCHES  # else nothing of them is tested


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with the files that the page shows, and the table that a source reads."""
    here = tmp_path_factory.mktemp("extending")
    for name, text in PAGE.files.items():
        path = here / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (here / "DIR").mkdir()
    with (here / "DIR" / "samples.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["path", "tags", "caption"])
        for i in range(10):
            table.writerow([f"{i}.jpg", "person|bicycle", f"a person on bicycle {i}"])
            table.writerow([f"{i}a.jpg", "person|car", f"a person in car {i}"])
            table.writerow([f"{i}b.jpg", "bicycle|dog", f"a dog beside bicycle {i}"])
            table.writerow([f"{i}c.jpg", "dog", f"dog {i}"])
    return here


@pytest.fixture
def scratch(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working folder, its modules unknown before and afterwards."""
    monkeypatch.chdir(folder)
    others = [finder for finder in sys.meta_path if not isinstance(finder, UserModules)]
    monkeypatch.setattr(sys, "meta_path", others)
    modules = [Path(name).stem for name in PAGE.files if name.endswith(".py")]
    before = {name: sys.modules.pop(name) for name in modules if name in sys.modules}
    yield folder
    for name in modules:
        sys.modules.pop(name, None)
    sys.modules.update(before)


@pytest.mark.usefixtures("scratch")
@pytest.mark.parametrize("level", [n for n in PAGE.files if n.endswith(".yaml")])
def test_a_level_composes_with_its_module_and_is_refused_without(level: str) -> None:
    group, name = Path(level).parts[-2:]
    (module,) = re.findall(r"^_target_: (.+)\.\w+$", PAGE.files[level], re.M)
    asked = [f"{group}={Path(name).stem}", *(["data.root=DIR"] if group == "data" else [])]
    if module.startswith("torch."):
        compose(asked, config_dir=Path("my_conf"))
        return
    with pytest.raises(InputError, match="allow_targets"):
        compose(asked, config_dir=Path("my_conf"))
    assert compose([*asked, f"allow_targets=[{module}]"], config_dir=Path("my_conf"))


@pytest.mark.usefixtures("scratch")
def test_the_source_leaves_out_what_has_none_of_the_tags() -> None:
    given = ["allow_targets=[my_data]", "data=some_tags", "data.root=DIR"]
    composed = compose(given, config_dir=Path("my_conf"))
    assert composed.config.data.part["tags"] == ["person", "bicycle"]
    samples = importlib.import_module("my_data").load("DIR", ["person", "bicycle"])
    assert samples.labels[:3].tolist() == [[1, 1], [1, 0], [0, 1]]
    assert len(samples) == 30


@pytest.mark.usefixtures("scratch")
def test_the_threshold_predicts_labels_as_often_as_they_are_there() -> None:
    compose(
        ["allow_targets=[my_parts]", "threshold=prevalence"], config_dir=Path("my_conf")
    )  # makes the module known
    probabilities = np.linspace(0, 1, 100)[:, None]
    labels = (np.arange(100) < 30).astype(np.uint8)[:, None]
    thresholds = importlib.import_module("my_parts").Prevalence().fit(probabilities, labels)
    assert (probabilities >= thresholds).sum() == 30


@pytest.mark.parametrize("block", PATCHES, ids=lambda block: block.heading)
def test_a_change_of_mmclf_is_python_and_says_where(block: Block) -> None:
    tree = ast.parse(block.text)
    changed = re.findall(r"^# (in|new:) ([\w/]+\.py)", block.text, re.M)
    assert changed
    for word, path in changed:
        assert (ROOT / path).exists() == (word == "in")
        assert (ROOT / path).parent.is_dir()
    # What it calls of the files' own helpers is there, or in the change itself.
    here = "".join((ROOT / path).read_text() for word, path in changed if word == "in") + block.text
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    private = {node.id for node in nodes if re.match("_[a-z]", node.id)}
    assert {name for name in private if f"def {name}(" not in here} == set()


@pytest.mark.parametrize("heading", MOST_FILES)
def test_a_kind_takes_few_files(heading: str) -> None:
    section = PAGE.text.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    files = set(re.findall(r"(?:mmclf|conf)/[\w/]+\.(?:py|yaml)", section))
    assert 0 < len(files - {"mmclf/pipeline/figures.py"}) <= MOST_FILES[heading]


def changed_names(heading: str, module: str) -> dict[str, Any]:
    """The names of a module with those that the page's change below a heading makes."""
    (block,) = [b for b in PATCHES if b.heading == heading]
    names = dict(vars(importlib.import_module(module)))
    exec(compile(block.text, heading, "exec"), names)
    return names


def test_the_loss_is_least_where_the_labels_are() -> None:
    loss = changed_names("A loss class, a source of data", "mmclf.models.losses")["SoftF1"]()
    labels = torch.tensor([[1.0, 0.0, 1.0]])
    # Probabilities of a half: 1 - (2 * 1 + 1) / (1.5 + 2 + 1).
    assert loss(torch.zeros(1, 3), labels).item() == pytest.approx(1 / 3)
    assert loss(torch.tensor([[20.0, -20.0, 20.0]]), labels).item() == pytest.approx(0, abs=1e-6)


def test_the_design_has_no_change_each_and_each_two() -> None:
    names = changed_names("A design", "mmclf.studies.design_kinds")
    factors = [Factor(name, (Level("0", ()), Level("1", (name,)))) for name in "abc"]
    arms = names["DESIGNS"]["all_pairs"].make_arms(factors, 0)
    changes = [(), ("a",), ("b",), ("c",), ("a", "b"), ("a", "c"), ("b", "c")]
    assert [arm.overrides for arm in arms] == changes
    assert len({arm.name for arm in arms}) == len(arms)


def test_the_metric_is_the_share_of_exact_sets_and_so_is_what_is_resampled() -> None:
    names = changed_names("A deciding metric", "mmclf.evaluation.metrics")
    metric: Metric = names["METRICS"]["subset_accuracy"]
    assert "subset_accuracy" not in METRICS
    labels = np.array([[1, 0], [1, 1], [0, 1], [0, 0]], dtype=np.uint8)
    predicted = np.array([[1, 0], [1, 0], [0, 1], [1, 1]], dtype=np.uint8)
    assert metric.value(labels, predicted) == 0.5
    assert score(labels, np.stack([predicted, labels]), metric).tolist() == [0.5, 1.0]
    resampled = resampled_score(labels, predicted[None], metric, resamples=2000, seed=0)
    assert resampled.mean() == pytest.approx(0.5, abs=0.02)


def test_the_plot_has_a_row_an_arm_and_a_mark_a_seed() -> None:
    names = changed_names("A plot", "mmclf.studies.report.page.comparisons")
    names.update(rows_canvas=rows_canvas, SERIES=SERIES)  # which the figure's own file imports
    figure = names["seed_scores_figure"]({"a": [0.5, 0.6], "b": [0.7, 0.9]}, "F1")
    marks = [line.get_xydata().tolist() for line in figure.axes[0].lines]
    assert marks == [[[0.5, 0], [0.6, 0]], [[0.7, 1], [0.9, 1]]]
    run = SimpleNamespace(values=lambda key: {"test/f1_samples": [0.5, 0.6]}[key], runs=[1, 2])
    definition = SimpleNamespace(
        metric="test/f1_samples", deciding=deciding_metric("test/f1_samples")
    )
    result = SimpleNamespace(definition=definition, arms=[run], short_name=lambda arm: "a")
    assert names["seeds_plot"] in names["COMPARISONS"]
    plot = names["seeds_plot"](result)
    assert (plot.key, plot.description) == ("seeds", "1 arm.")
    assert len(plot.figure.axes[0].lines) == 1


def test_the_stage_divides_the_logits_once_and_is_stored(tmp_path: Path) -> None:
    (block,) = [b for b in PATCHES if b.heading == "A stage"]
    function = ast.Module(ast.parse(block.text).body[:1], type_ignores=[])
    fitted: list[NDArray[np.float32]] = []

    def fit_temperature(logits: NDArray[np.float32], _labels: object) -> float:
        fitted.append(logits)
        return 2.0

    names: dict[str, Any] = {
        **{name: value for module in STAGE_MODULES for name, value in vars(module).items()},
        "TEMPERATURE": "temperature.json",
        "TemperatureSerializer": Temperature,
        "fit_temperature": fit_temperature,
    }
    exec(compile(function, "A stage", "exec"), names)
    outputs = {
        part: SplitOutputs(0.5, np.full((1, 2), value, np.float32))
        for part, value in (("train", 1), ("val", 2), ("test", 3))
    }
    result = fit_result.FitResult((), (), outputs, 1, "", {}, {"weights": b""})
    of_fit = StageTiming("fit", "0", 1.5, 1, "a CPU", None)
    fit = StageResult(result, of_fit, (), reused=False)
    data = RunData(SAMPLES, Parts(*(np.array([0]) for _ in range(3))), None, ())
    stage, kept = Stage("calibrate", 1, {"fit": "0"}), Store(tmp_path, "a CPU")
    for is_reused in (False, True):
        changed = names["calibrated"](fit, stage, data, kept)
        halved = {part: each.logits.tolist() for part, each in changed.value.outputs.items()}
        assert halved == {"train": [[0.5, 0.5]], "val": [[1, 1]], "test": [[1.5, 1.5]]}
        assert changed.value.model == {"weights": b"", "temperature.json": b"2.0"}
        assert changed.inputs == (of_fit,)
        assert changed.reused is is_reused
    assert [logits.tolist() for logits in fitted] == [[[2, 2]]]
