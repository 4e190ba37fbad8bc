"""States of optimizers and the like come back as they were, and nothing else is written."""

from __future__ import annotations

import json
from collections import Counter, OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from message_facts import Naming

from mmclf.storage.store.entry import Entry, Stage, StageTiming, new_entry, open_entry
from mmclf.training.state_files import TENSORS, VALUES, read_state, write_state

STAGE = Stage("checkpoint", 1, {})
TIMING = StageTiming(STAGE.name, STAGE.key, 1.0, 1, "2 x CPU", None)
KEYS = st.one_of(st.integers(), st.text(max_size=3))
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=3)
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(KEYS, inner, max_size=3),
        st.lists(KEYS, max_size=3).map(Counter),
    ),
    max_leaves=8,
)


def written(state: Any, folder: Path) -> Entry:
    with new_entry(folder / STAGE.name / STAGE.key, STAGE, TIMING) as inside:
        write_state(state, inside)
    return open_entry(folder / STAGE.name / STAGE.key)


def types_of(value: Any) -> Any:
    """The types in a tree, as 1 == 1.0 == True."""
    if isinstance(value, dict):
        return type(value), [(types_of(key), types_of(one)) for key, one in value.items()]
    inner = [types_of(one) for one in value] if isinstance(value, (list, tuple)) else []
    return type(value), inner


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=40,
)
@given(TREES)
def test_plain_values_come_back(tmp_path_factory: pytest.TempPathFactory, tree: Any) -> None:
    back = read_state(written(tree, tmp_path_factory.mktemp("state")))
    assert back == tree
    assert types_of(back) == types_of(tree)


@pytest.mark.parametrize(
    "tensor",
    [
        torch.tensor(1.5),
        torch.tensor([True, False]),
        torch.zeros(0, 3),
        torch.zeros(3, 0),
        torch.tensor([1.5, float("nan")], dtype=torch.bfloat16),
        torch.arange(120.0).reshape(2, 3, 4, 5).to(memory_format=torch.channels_last),
        torch.arange(6).reshape(2, 3).T,
        torch.arange(12).reshape(3, 4)[:, 1:3],
        torch.ones(1, 3).expand(2, 3),
    ],
)
def test_tensors_come_back_with_their_layout(tmp_path: Path, tensor: torch.Tensor) -> None:
    (back,) = read_state(written([tensor], tmp_path))
    assert (back.dtype, back.shape) == (tensor.dtype, tensor.shape)
    assert torch.equal(back.nan_to_num(7.0), tensor.nan_to_num(7.0))
    is_dense = tensor.untyped_storage().nbytes() == tensor.numel() * tensor.element_size()
    assert back.stride() == tensor.stride() if is_dense else back.is_contiguous()


def test_an_optimizer_and_a_schedule_go_on_from_their_files(tmp_path: Path) -> None:
    weight = torch.nn.Parameter(torch.ones(2, 3, 2, 2).to(memory_format=torch.channels_last))
    adam = torch.optim.Adam([weight], fused=True)
    rate = torch.optim.lr_scheduler.MultiStepLR(adam, [1, 1, 3])
    weight.grad = torch.rand_like(weight)
    adam.step()
    rate.step()
    state = OrderedDict(adam=adam.state_dict(), rate=rate.state_dict())
    back = read_state(written(state, tmp_path))
    adam.load_state_dict(back["adam"])
    rate.load_state_dict(back["rate"])
    assert adam.state[weight]["exp_avg"].stride() == weight.stride()
    assert isinstance(rate.milestones, Counter)
    assert adam.param_groups[0]["lr"] == pytest.approx(1e-5)


@pytest.mark.parametrize("odd", [lambda x: x, {1, 2}, b"bytes", torch.float32])
def test_anything_else_is_refused_by_its_place(tmp_path: Path, odd: object) -> None:
    with pytest.raises(TypeError) as caught:
        write_state({"scheduler": {"rates": [1, odd]}}, tmp_path)
    assert str(caught.value) == Naming("'scheduler'", "'rates'", "[1]", type(odd).__name__)


@pytest.mark.parametrize(
    "values",
    [
        {"tensor": "9"},
        {"tensor": "0", "stride": [0, 0]},
        {"tensor": "0", "stride": [1, 10**12]},
        {"tensor": "0", "stride": [3]},
        {"lambda": []},
        {"list": [], "tuple": []},
        {"dict": [1]},
        {"list": 3},
        {},
    ],
)
def test_what_was_not_written_so_is_no_state(tmp_path: Path, values: object) -> None:
    with new_entry(tmp_path / STAGE.name / STAGE.key, STAGE, TIMING) as inside:
        write_state([torch.ones(2, 3)], inside)
        (inside / VALUES).write_text(json.dumps(values))
    with pytest.raises((ValueError, LookupError, TypeError)):
        read_state(open_entry(tmp_path / STAGE.name / STAGE.key))


def test_what_is_no_safetensors_is_no_state(tmp_path: Path) -> None:
    with new_entry(tmp_path / STAGE.name / STAGE.key, STAGE, TIMING) as inside:
        write_state([], inside)
        (inside / TENSORS).write_bytes(b"\x80\x04N.")  # a pickle
    with pytest.raises(ValueError, match=TENSORS):
        read_state(open_entry(tmp_path / STAGE.name / STAGE.key))
