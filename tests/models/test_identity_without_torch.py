"""What a run's encoders are is found without torch, so that what is stored is found soon."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from model_folders import model

from mmclf import compose
from mmclf.config.validate import valid_components
from mmclf.config.validation_cache import ValidationCache

pytestmark = pytest.mark.usefixtures("no_network")

PLAN = """
import sys
from mmclf import compose
from mmclf.pipeline.run_data import load_run_data, open_store
from mmclf.pipeline.stages import StageResolver

config = compose(sys.argv[1:]).config
with open_store(config, "a CPU") as store:
    data = load_run_data(config, store)
    stages = StageResolver(config, data, "argmax", store.hasher, "a CPU").resolve()
heavy = [name for name in ("torch", "timm", "transformers") if name in sys.modules]
print(stages.decide.key, heavy)
"""


def test_a_run_that_was_checked_before_is_planned_without_torch(tmp_path: Path) -> None:
    weights = tmp_path / "weights.safetensors"
    weights.write_text("weights")
    lines = [
        "vision=timm",
        "vision.name=test_efficientnet",
        f"vision.weights={weights}",
        "text=huggingface",
        f"text.name={tmp_path}",
        f"text.weights={model(tmp_path / 'model')}",
        "loss=weighted_bce",
        "encode.precision=fp32",
        "image.size=16",
        "data.train=60",
        "data.test=20",
        f"output_dir={tmp_path / 'outputs'}",
    ]
    composed = compose(lines)
    ValidationCache(tmp_path / "outputs" / "store", []).add(valid_components(composed.tree))
    command = [sys.executable, "-c", PLAN, *lines]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    key, _, imported = output.strip().partition(" ")
    assert (len(key), imported) == (40, "[]")
