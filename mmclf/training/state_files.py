"""States of modules and optimizers as files, without pickle: tensors, and JSON for the rest."""

from __future__ import annotations

import json
import math
from collections import Counter, OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from mmclf.storage.store.entry import Entry

VALUES, TENSORS = "state.json", "state.safetensors"
PLAIN = (bool, int, float, str)
SEQUENCES = {"list": list, "tuple": tuple}
MAPPINGS = {"dict": dict, "counter": Counter}


def write_state(state: object, folder: Path) -> None:
    """Write None, numbers, texts, tensors, and lists, tuples and dictionaries of them.

    Raises TypeError, naming its path, for anything else.
    """
    values, tensors = packed(state)
    save_file(tensors, folder / TENSORS)
    (folder / VALUES).write_text(json.dumps(values), encoding="utf-8")


def read_state(entry: Entry) -> Any:
    """What `write_state` has written, tensors on the CPU; raises ValueError for anything else."""
    try:
        tensors = load_file(entry.path(TENSORS))
    except SafetensorError as error:
        raise ValueError(f"{TENSORS}: {error}") from error
    return unpacked(json.loads(entry.read(VALUES)), tensors)


def packed(state: object) -> tuple[Any, dict[str, Tensor]]:
    """A state as values of JSON and tensors by name; raises TypeError as `write_state` does."""
    tensors: dict[str, Tensor] = {}
    return _plain(state, tensors, ""), tensors


def unpacked(values: Any, tensors: Mapping[str, Tensor]) -> Any:
    """The state of what `packed` has made; raises ValueError for anything else."""
    return _restored(values, tensors)


def _plain(value: object, tensors: dict[str, Tensor], path: str) -> Any:
    """A value as JSON has it, its tensors copied to `tensors` by number."""
    if value is None or isinstance(value, PLAIN):
        return value
    if isinstance(value, Tensor):
        return _numbered(value.detach(), tensors)
    for name, kind in SEQUENCES.items():
        if type(value) is kind:
            return {name: [_plain(item, tensors, f"{path}[{i}]") for i, item in enumerate(value)]}
    if type(value) in (*MAPPINGS.values(), OrderedDict):
        assert isinstance(value, dict)
        name = "counter" if type(value) is Counter else "dict"
        return {
            name: [
                [_plain(key, tensors, path), _plain(item, tensors, f"{path}[{key!r}]")]
                for key, item in value.items()
            ]
        }
    raise TypeError(f"{path.strip('.')} is a {type(value).__name__}, expected numbers and tensors")


def _numbered(tensor: Tensor, tensors: dict[str, Tensor]) -> dict[str, Any]:
    number = str(len(tensors))
    # safetensors takes no two names of one tensor, and only C order.
    tensors[number] = torch.empty(tensor.shape, dtype=tensor.dtype).copy_(tensor)
    is_plain = tensor.is_contiguous() or not _is_dense(tensor.shape, tensor.stride())
    # Fused optimizers take a weight's state to lie in memory as the weight does.
    return {"tensor": number} | ({} if is_plain else {"stride": list(tensor.stride())})


def _restored(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    if not isinstance(value, dict):
        return value
    (kind, content), *more = value.items()
    if kind == "tensor":
        tensor = tensors[content]
        stride = [int(step) for step in value.get("stride", tensor.stride())]
        if not _is_dense(tensor.shape, stride):
            raise ValueError(f"found the strides {stride} of a tensor {tuple(tensor.shape)}")
        # Copied, as the file is mapped into memory and goes.
        return torch.empty_strided(tensor.shape, stride, dtype=tensor.dtype).copy_(tensor)
    if more or kind not in SEQUENCES | MAPPINGS:
        raise ValueError(f"found {kind!r}, expected a tensor, or a list or dictionary of some")
    if kind in SEQUENCES:
        return SEQUENCES[kind](_restored(item, tensors) for item in content)
    return MAPPINGS[kind](
        {_restored(key, tensors): _restored(item, tensors) for key, item in content}
    )


def _is_dense(shape: Any, stride: Any) -> bool:
    """Whether these strides lay a tensor's elements out without gaps and without overlap."""
    if 0 in shape:
        return True
    expected = 1
    for step, size in sorted((step, size) for step, size in zip(stride, shape, strict=True)):
        if size != 1 and step != expected:
            return False
        expected *= size
    return len(stride) == len(shape) and expected == math.prod(shape)
