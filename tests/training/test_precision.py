from __future__ import annotations

import time
from pathlib import Path
from typing import Literal

import pytest
import torch
from torch import Tensor

from mmclf.storage.store.json_cache import JsonCache
from mmclf.training import precision
from mmclf.training.precision import Precision, autocast, is_emulated, measure, resolve

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _computes_in_bf16(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the processor of the tests can do."""
    monkeypatch.setattr(precision, "is_emulated", lambda _device: False)


class Forward:
    """Features of a forward pass that takes longer, or comes to others, in one precision."""

    def __init__(self, fp32_s: float = 0.0, bf16_s: float = 0.0, turned: bool = False) -> None:
        self.seconds = {"fp32": fp32_s, "bf16": bf16_s}
        self.turned = turned
        self.calls = 0

    def __call__(self) -> Tensor:
        self.calls += 1
        rough = torch.is_autocast_enabled("cpu")
        time.sleep(self.seconds["bf16" if rough else "fp32"])
        features = torch.tensor([[1.0, 0.0], [3.0, 4.0]])
        if rough and self.turned:
            # The second sample's cosine falls to (3 * 4 + 4 * 3) / 25 = 0.96, the first's stays 1.
            features[1] = torch.tensor([4.0, 3.0])
        return features


def resolved(
    wanted: Literal["auto", "fp32", "bf16"], forward: Forward, memory: Path, name: str = "e"
) -> Precision:
    remembered = JsonCache(memory / "precision.json")
    return resolve(wanted, forward, name=name, device=CPU, cache=remembered)


FASTER = (0.02, 0.002)


@pytest.mark.parametrize("wanted", ["fp32", "bf16"])
def test_an_explicit_precision_is_not_measured(
    tmp_path: Path, wanted: Literal["fp32", "bf16"]
) -> None:
    forward = Forward()
    assert resolved(wanted, forward, tmp_path / "memory") == wanted
    assert forward.calls == 0
    assert not (tmp_path / "memory").exists()


def test_the_faster_one_is_used_and_remembered(tmp_path: Path) -> None:
    forward = Forward(*FASTER)
    memory = tmp_path / "new" / "memory"
    assert resolved("auto", forward, memory) == "bf16"
    calls = forward.calls
    slower = Forward(fp32_s=0.002, bf16_s=0.02)
    assert resolved("auto", slower, memory) == "bf16"
    assert (forward.calls, slower.calls) == (calls, 0)
    (known,) = JsonCache(memory / "precision.json").all().items()
    assert known[0] == "e"
    assert known[1]["bf16"] is True
    assert known[1]["cosine"] == 1.0


def test_another_encoder_is_measured_and_the_first_kept(tmp_path: Path) -> None:
    assert resolved("auto", Forward(*FASTER), tmp_path) == "bf16"
    other = Forward(fp32_s=0.002, bf16_s=0.02)
    assert resolved("auto", other, tmp_path, name="other") == "fp32"
    assert other.calls > 0
    assert resolved("auto", Forward(), tmp_path) == "bf16"
    assert resolved("auto", Forward(), tmp_path, name="other") == "fp32"


def test_features_that_differ_are_refused_however_fast() -> None:
    found = measure(Forward(*FASTER, turned=True), CPU)
    assert found["cosine"] == pytest.approx(0.96)
    assert isinstance(found["gain"], float)
    assert found["gain"] > 1.2
    assert found["bf16"] is False


def test_features_that_are_not_finite_are_refused() -> None:
    def forward() -> Tensor:
        time.sleep(0 if torch.is_autocast_enabled("cpu") else 0.01)
        return torch.full((2, 2), torch.nan)

    assert measure(forward, CPU)["bf16"] is False


def test_autocast_is_on_for_bf16_alone() -> None:
    layer, values = torch.nn.Linear(2, 2), torch.ones(1, 2)
    with autocast("fp32", CPU):
        assert layer(values).dtype == torch.float32
    with autocast("bf16", CPU):
        assert layer(values).dtype == torch.bfloat16


def test_what_is_hopeless_at_once_is_not_measured_again() -> None:
    slow, even = Forward(0.002, 0.05), Forward(0.002, 0.002)
    assert measure(slow, CPU)["bf16"] is False
    assert slow.calls == 2
    measure(even, CPU)
    assert even.calls == 2 + 2 * precision.REPEATS


def test_where_bf16_is_emulated_nothing_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "is_emulated", lambda _device: True)
    forward = Forward(*FASTER)
    assert resolved("auto", forward, tmp_path) == "fp32"
    assert resolved("bf16", forward, tmp_path) == "bf16"
    assert forward.calls == 0


def test_a_gpu_does_not_emulate() -> None:
    assert not is_emulated(torch.device("cuda"))


@pytest.mark.parametrize("has_kernels", [False, True])
def test_a_cpu_emulates_what_its_kernels_do_not_support(
    has_kernels: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: has_kernels)
    supported = torch.ops.mkldnn._is_mkldnn_bf16_supported()
    assert is_emulated(CPU) is (has_kernels and not supported)
