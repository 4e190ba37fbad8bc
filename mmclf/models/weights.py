"""Reading and matching of weights, without running code from their files."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn

from mmclf.errors import InputError
from mmclf.storage.file_limits import in_mb


def module_sha256(module: nn.Module) -> str:
    """The SHA-256 of the names, dtypes, shapes and values of a module's parameters and buffers."""
    digest = hashlib.sha256()
    for name, value in sorted(module.state_dict().items()):
        data = value.detach().cpu().contiguous()
        digest.update(f"{name} {data.dtype} {tuple(data.shape)}\n".encode())
        digest.update(data.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def as_safetensors(module: nn.Module) -> bytes:
    """A module's parameters and buffers as the content of a safetensors file."""
    # safetensors accepts neither channels_last weights nor two names of one tensor.
    tensors = {
        name: value.clone(memory_format=torch.contiguous_format)
        for name, value in module.state_dict().items()
    }
    data: bytes = save(tensors)
    return data


def read_state(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a safetensors file, or of a torch file with `weights_only=True`.

    Raises InputError if the file is missing, damaged, or holds anything but tensors by name.
    """
    if not path.is_file():
        raise InputError(f"no weights at {path}: expected a .safetensors or .pth file")
    try:
        if path.suffix == ".safetensors":
            return dict(load_file(path))  # checks the header against the file's size
        _check_stored(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # both readers raise many kinds of errors for an invalid file
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise InputError(
            f"{path} cannot be read as weights ({reason}): expected safetensors or a torch file of "
            "tensors alone"
        ) from error
    if isinstance(state, dict) and isinstance(state.get("state_dict"), dict):
        state = state["state_dict"]
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise InputError(f"{path} holds a {type(state).__name__}, expected tensors by name")
    return state


def _check_stored(path: Path) -> None:
    """Raise ValueError for a torch file that unpacks to more than it is.

    Torch stores its members as they are.
    """
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as members:
        unpacked = sum(member.file_size for member in members.infolist())
    if unpacked > path.stat().st_size:
        raise ValueError(f"it unpacks to {in_mb(unpacked)} MB, more than the file has")


def rename_by_order(
    state: Mapping[str, Tensor], module: nn.Module, path: Path
) -> dict[str, Tensor]:
    """`state` with the names of `module`, matched by position.

    Raises InputError for the first tensor whose shape, or last part of the name, differs.
    """
    target = module.state_dict()
    if len(state) != len(target):
        raise InputError(f"{path} holds {len(state)} tensors, the architecture has {len(target)}")
    renamed = {}
    for (old, value), (new, tensor) in zip(state.items(), target.items(), strict=True):
        if value.shape != tensor.shape or old.rpartition(".")[2] != new.rpartition(".")[2]:
            raise InputError(
                f"{path}: found {old} {tuple(value.shape)} where the architecture has {new} "
                f"{tuple(tensor.shape)}; these are the weights of another one"
            )
        renamed[new] = value
    return renamed


def load_exactly(module: nn.Module, state: Mapping[str, Tensor], path: Path) -> None:
    """Load `state` into `module`; raises InputError if names or shapes do not match."""
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
