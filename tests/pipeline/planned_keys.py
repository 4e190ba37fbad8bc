"""The keys of the stages of small runs that are planned and never done."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mmclf import compose
from mmclf.config.schema import Config
from mmclf.config.targets import build
from mmclf.pipeline.run_data import load_run_data, open_store
from mmclf.pipeline.stages import RunStages, StageResolver
from mmclf.storage.store.store import Store

# Of each stage by a word: `clean` and `view1`, `view2`, ... are those of the pictures' features.
Keys = dict[str, str]
Lines = tuple[str, ...]

# Levels of one's own, as fewer overrides are composed sooner.
LEVELS = {
    "data/small": """
_target_: mmclf.data.sources.demo.load
root: ${store.dir}/demo/${data.seed}
seed: 0
train: 60
test: 20
""",
    "vision/small": """
_target_: mmclf.models.vision.TimmEncoder
name: test_efficientnet
weights: random
package: null
""",
    "text/small": """
_target_: mmclf.models.text.HuggingFaceEncoder
name: nobody/small
weights: random
pooling: mean
max_length: 64
architecture: {model_type: bert, hidden_size: 16}
tokenizer: null
package: null
""",
    "experiment/small": """
# @package _global_
defaults:
  - override /data: small
  - override /augment: crop_flip
seed: 1
image: {size: 32}
augment: {views: 2, padding: 4}
encode: {precision: fp32}
""",
}
BASE = ("experiment=small", "vision=small")
BOTH = (*BASE, "text=small")
TRAINED = (*BOTH, "vision.trainable=true", "text.trainable=true")

VISION, LEARNT = "clean view1 fit decide", "fit decide"
TEXT, NOTHING = "text fit decide", ""


def write_levels(folder: Path, levels: Mapping[str, str] = LEVELS) -> Path:
    for name, text in levels.items():
        path = folder / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.lstrip())
    return folder


def resolver_of(config: Config, store: Store, processes: int = 1) -> StageResolver:
    data, empty = load_run_data(config, store), build(config.threshold, "threshold").empty
    return StageResolver(config, data, empty, store.hasher, "a CPU", processes)


def stages_of(config: Config, processes: int = 1) -> RunStages:
    with open_store(config, "a CPU") as store:
        stages = resolver_of(config, store, processes).resolve()
    assert stages is not None
    return stages


def named_keys(run: RunStages) -> Keys:
    keys = {"fit": run.fit.key, "decide": run.decide.key}
    keys |= {"tested": run.tested.key} if run.tested is not None else {}
    for modality, stages in run.features.items():
        for view, stage in enumerate(stages):
            name = "text" if modality == "text" else f"view{view}" if view > 0 else "clean"
            keys[name] = stage.key
    return keys


def planned(conf: Path, *lines: str) -> Keys:
    return named_keys(stages_of(compose(lines, config_dir=conf).config))


def changed(before: Keys, after: Keys) -> set[str]:
    assert before.keys() == after.keys()
    return {name for name, key in before.items() if after[name] != key}
