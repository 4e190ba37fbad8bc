from __future__ import annotations

import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from message_facts import Naming
from safetensors.torch import load, save_file
from torch import Tensor, nn

from mmclf.errors import InputError
from mmclf.models.weights import (
    as_safetensors,
    load_exactly,
    module_sha256,
    read_state,
    rename_by_order,
)

STATE = {"a.weight": torch.tensor([[1.0, 2.0]]), "a.bias": torch.tensor([3.0])}


class Executed:
    """What a pickle runs when it is loaded: here, it makes a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("name", ["a.pth", "a.bin", "a.safetensors"])
def test_a_checkpoint_is_read_back(tmp_path: Path, name: str, wrapped: bool) -> None:
    path = tmp_path / name
    if name.endswith("safetensors"):
        save_file(STATE, path)
    else:
        torch.save({"state_dict": STATE, "epoch": 3} if wrapped else STATE, path)
    actual = read_state(path)
    assert set(actual) == set(STATE)
    assert all(torch.equal(actual[key], value) for key, value in STATE.items())


@pytest.mark.parametrize("with_torch", [True, False])
@pytest.mark.hostile("encoders and weights")
def test_code_in_a_checkpoint_is_not_run(tmp_path: Path, with_torch: bool) -> None:
    mark, path = tmp_path / "mark", tmp_path / "evil.pth"
    content = {"a.weight": Executed(mark)}
    if with_torch:
        torch.save(content, path)
    else:
        path.write_bytes(pickle.dumps(content, protocol=2))
    with pytest.raises(InputError, match=r"evil\.pth cannot be read"):
        read_state(path)
    assert not mark.exists()
    # The same file would have run it, had it been loaded as pickles are.
    torch.load(path, weights_only=False) if with_torch else pickle.loads(path.read_bytes())
    assert mark.exists()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.pth", b"", r"a\.pth cannot be read"),
        ("a.safetensors", b"no tensors", r"expected safetensors"),
    ],
)
@pytest.mark.hostile("encoders and weights")
def test_a_damaged_checkpoint(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=words):
        read_state(tmp_path / name)


@pytest.mark.parametrize("content", [{"a": 1}, [torch.ones(1)], torch.ones(1)])
@pytest.mark.hostile("encoders and weights")
def test_a_checkpoint_of_other_things(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "a.pth")
    kind = type(content).__name__
    with pytest.raises(InputError, match=rf"a\.pth holds a {kind}\W"):
        read_state(tmp_path / "a.pth")


def test_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.pth: expected a \.safetensors"):
        read_state(tmp_path / "gone.pth")


def module() -> nn.Module:
    return nn.Sequential(nn.Linear(2, 1), nn.BatchNorm1d(1), nn.Linear(1, 2))


def test_tensors_that_fit_are_loaded() -> None:
    target = nn.Linear(2, 1)
    load_exactly(target, {"weight": STATE["a.weight"], "bias": STATE["a.bias"]}, Path("x"))
    assert target(torch.tensor([[1.0, 1.0]])).item() == 6.0


def test_tensors_that_do_not_fit_are_named() -> None:
    state = dict(module().state_dict())
    for name in ("0.weight", "0.bias", "1.weight", "1.bias"):
        del state[name]
    state |= {"head.weight": torch.ones(1), "2.bias": torch.ones(7)}
    target = module()
    before = module_sha256(target)
    with pytest.raises(InputError) as caught:
        load_exactly(target, state, Path("w.pth"))
    missing = "missing", "0.weight", "0.bias", "1.weight", "1 more"
    shapes = "shapes", "2.bias", "(7,)", "(2,)"
    named = Naming("w.pth", "Sequential", *missing, "unknown", "head.weight", *shapes)
    assert str(caught.value) == named
    assert module_sha256(target) == before


def test_rename_by_order() -> None:
    source = {f"net.{key}": value for key, value in module().state_dict().items()}
    target = module()
    renamed = rename_by_order(source, target, Path("w.pth"))
    assert list(renamed) == list(target.state_dict())
    for value, given in zip(renamed.values(), source.values(), strict=True):
        assert value is given


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"b": torch.ones(1)}, ".*3 tensors,.* 2"),
        (
            {"a.weight": torch.ones(2, 1)},
            r".*a\.weight \(2, 1\) .*weight \(1, 2\)",
        ),
    ],
)
def test_rename_by_order_refuses(change: dict[str, Tensor], words: str) -> None:
    with pytest.raises(InputError, match=f"w.pth:? {words}"):
        rename_by_order(STATE | change, nn.Linear(2, 1), Path("w.pth"))


def test_rename_by_order_wants_the_same_last_name() -> None:
    state = {"a.weight": STATE["a.weight"], "a.running_mean": STATE["a.bias"]}
    with pytest.raises(InputError, match=r"a\.running_mean \(1,\) .*bias \(1,\)"):
        rename_by_order(state, nn.Linear(2, 1), Path("w.pth"))


def test_the_sum_of_a_module() -> None:
    first, second = module(), module()
    second.load_state_dict(first.state_dict())
    assert module_sha256(first) == module_sha256(second)
    with torch.no_grad():
        second.get_parameter("2.bias")[1] += 1e-6
    assert module_sha256(first) != module_sha256(second)
    assert module_sha256(first) != module_sha256(first.half())


def test_weights_in_any_order_of_memory_and_under_two_names_are_stored() -> None:
    class Shared(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            convolution: Any = nn.Conv2d(3, 4, 3)
            self.first = convolution.to(memory_format=torch.channels_last)
            self.second = self.first

    model = Shared()
    stored = load(as_safetensors(model))
    assert set(stored) == set(model.state_dict())
    for name, value in model.state_dict().items():
        assert torch.equal(stored[name], value)


@pytest.mark.hostile("encoders and weights")
def test_a_checkpoint_that_unpacks_to_more_than_it_is_is_refused(tmp_path: Path) -> None:
    stored, packed = tmp_path / "a.pth", tmp_path / "b.pth"
    torch.save({"a": torch.zeros(10**6)}, stored)
    with zipfile.ZipFile(stored) as plain, zipfile.ZipFile(packed, "w") as deflated:
        for member in plain.infolist():
            deflated.writestr(member.filename, plain.read(member), zipfile.ZIP_DEFLATED)
    assert packed.stat().st_size < 50_000
    assert len(read_state(stored)["a"]) == 10**6
    with pytest.raises(InputError, match="more than the file has"):
        read_state(packed)


@pytest.mark.parametrize("size", [2**63, 10**9, 100])
@pytest.mark.hostile("encoders and weights")
def test_a_header_of_another_size_than_the_file_is_refused(tmp_path: Path, size: int) -> None:
    text = (
        f'{{"a": {{"dtype": "F32", "shape": [{size}], "data_offsets": [0, {4 * size}]}}}}'.encode()
    )
    for claimed in (len(text), size):
        path = tmp_path / "a.safetensors"
        path.write_bytes(claimed.to_bytes(8, "little") + text + bytes(8))
        with pytest.raises(InputError, match="cannot be read as weights"):
            read_state(path)
