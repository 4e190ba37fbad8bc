"""What a process pays at first use is paid before the clock of a stage starts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from mmclf.training.warm_up import warm_up_encoder, warm_up_training

# A clock that tells, instead of seconds, how many modules have been imported since it was made.
IMPORTS = """
import json, sys
from types import SimpleNamespace
from mmclf.pipeline import epoch_log
from mmclf.storage.stopwatch import Stopwatch

def start(self):
    self.seconds = {}
    self.before = set(sys.modules)

Stopwatch.__init__ = start
Stopwatch.elapsed = lambda self: float(len(set(sys.modules) - self.before))

# What epochs take besides is subtracted from a fit's time: nothing, by this clock.
epoch_log.time = SimpleNamespace(perf_counter=lambda: 0.0)

import mmclf
common = ["data.train=60", "data.test=20", "trainer.epochs=2", "device=cpu", *sys.argv[1:]]
found = [mmclf.run(mmclf.compose([*common, f"seed={seed}"])).metrics for seed in (0, 1)]
json.dump([{k: v for k, v in of.items() if k.startswith("time/")} for of in found], sys.stdout)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "choice",
    [
        pytest.param("text=tfidf vision=none", marks=pytest.mark.soak),
        "text=minilm vision=efficientnet_lite0",
    ],
)
def test_nothing_is_imported_while_a_stage_is_timed(tmp_path: Path, choice: str) -> None:
    place = [f"output_dir={tmp_path}", f"store.dir={tmp_path}/store"]
    ended = subprocess.run(
        [sys.executable, "-c", IMPORTS, *choice.split(), *place],
        capture_output=True,
        text=True,
        check=True,
    )
    first, second = json.loads(ended.stdout.splitlines()[-1])
    assert first["time/wall_s"] > 0  # the clock counts: of the whole run some are imported
    for times in (first, second):
        assert times["time/encode_s"] == times["time/fit_s"] == times["time/decide_s"] == 0


def test_training_leaves_random_numbers_and_settings_as_they_were() -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    warm_up_training(torch.device("cpu"), "fp32")
    assert torch.equal(torch.rand(3), expected)
    assert torch.is_grad_enabled()


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_training_in_each_precision(precision: str) -> None:
    warm_up_training(torch.device("cpu"), precision)
    assert not torch.is_autocast_enabled("cpu")


def test_an_encoder_computes_features_once_in_its_precision_without_a_graph() -> None:
    layer = torch.nn.Linear(2, 2)
    found: list[torch.Tensor] = []

    def features() -> torch.Tensor:
        found.append(layer(torch.ones(1, 2)))
        return found[-1]

    warm_up_encoder(features, "bf16", torch.device("cpu"))
    (only,) = found
    assert only.dtype is torch.bfloat16
    assert only.is_inference()
