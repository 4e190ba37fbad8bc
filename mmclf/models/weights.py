"""How weights are read without running what the files contain."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn

from mmclf.errors import InputError


def module_sha256(module: nn.Module) -> str:
    """The SHA-256 over names, types, shapes and bytes of a module's parameters and buffers."""
    digest = hashlib.sha256()
    for name, value in sorted(module.state_dict().items()):
        data = value.detach().cpu().contiguous()
        digest.update(f"{name} {data.dtype} {tuple(data.shape)}\n".encode())
        digest.update(data.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def as_safetensors(module: nn.Module) -> bytes:
    """A module's parameters and buffers as the content of a safetensors file."""
    # safetensors takes neither channels_last weights nor two names of one tensor.
    tensors = {
        name: value.clone(memory_format=torch.contiguous_format)
        for name, value in module.state_dict().items()
    }
    data: bytes = save(tensors)
    return data


def read_state(path: Path) -> dict[str, Tensor]:
    """The tensors of a checkpoint: safetensors, or a torch file read with `weights_only=True`.

    Raises InputError if the file is missing, damaged, or holds anything but tensors by name.
    """
    if not path.is_file():
        raise InputError(f"no weights at {path}: expected a .safetensors or .pth file")
    try:
        if path.suffix == ".safetensors":
            return dict(load_file(path))
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # both readers raise many kinds for one thing: not such a file
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise InputError(
            f"{path} cannot be read as weights ({first}): expected safetensors or a torch file of "
            "tensors alone"
        ) from error
    if isinstance(state, dict) and isinstance(state.get("state_dict"), dict):
        state = state["state_dict"]
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise InputError(f"{path} holds a {type(state).__name__}, expected tensors by name")
    return state


def renamed_by_order(
    state: Mapping[str, Tensor], module: nn.Module, path: Path
) -> dict[str, Tensor]:
    """`state` under the names of `module`, matched by position: same tensors, other names.

    Raises InputError at the first tensor whose last name or shape differs.
    """
    target = module.state_dict()
    if len(state) != len(target):
        raise InputError(f"{path} holds {len(state)} tensors, the architecture has {len(target)}")
    renamed = {}
    for (old, value), (new, slot) in zip(state.items(), target.items(), strict=True):
        if value.shape != slot.shape or old.rpartition(".")[2] != new.rpartition(".")[2]:
            raise InputError(
                f"{path}: found {old} {tuple(value.shape)} where the architecture has {new} "
                f"{tuple(slot.shape)}; these are the weights of another one"
            )
        renamed[new] = value
    return renamed


def load_strictly(module: nn.Module, state: Mapping[str, Tensor], path: Path) -> None:
    """Load `state` into `module`; raises InputError naming the first tensors that do not fit."""
    target = module.state_dict()
    missing = [name for name in target if name not in state]
    unknown = [name for name in state if name not in target]
    shapes = [
        f"{name} {tuple(state[name].shape)} instead of {tuple(target[name].shape)}"
        for name in target
        if name in state and state[name].shape != target[name].shape
    ]
    problems = [
        f"{kind}: {', '.join(names[:3])}{f' and {len(names) - 3} more' if len(names) > 3 else ''}"
        for kind, names in (("missing", missing), ("unknown", unknown), ("shapes", shapes))
        if names
    ]
    if problems:
        raise InputError(f"{path} does not fit {type(module).__name__}: {'; '.join(problems)}")
    module.load_state_dict(state)
