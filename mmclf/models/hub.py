"""Weights in a repository of the model hub, or in its local cache.

The hub's client is imported late: docs/architecture.md#late-imports
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from mmclf.errors import InputError

HUB_TIMEOUT_S = 3.0
# The files that are downloaded from repositories of timm and of Hugging Face.
TIMM_FILES = ("config.json", "*.safetensors")
HUGGING_FACE_FILES = ("*.json", "model*.safetensors", "*.txt", "*.model")


def hub_folder(repository: str, patterns: Sequence[str], needed: str = "*.safetensors") -> Path:
    """The local folder of a hub repository, downloaded if the cache does not have it.

    Raises InputError if it cannot be downloaded, or has no file that matches `needed`.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    cached = cached_hub_folder(repository, patterns, needed)
    if cached is not None:
        return cached
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
        reason = str(error).strip().splitlines()[0]
        raise InputError(
            f"the model hub has no {repository} for us ({reason}): {advice}"
        ) from error
    if not any(folder.glob(needed)):
        raise InputError(
            f"the hub repository {repository} has no {needed}, and weights in another format are "
            f"not read: {advice}"
        )
    return folder


def cached_hub_folder(
    repository: str, patterns: Sequence[str], needed: str = "*.safetensors"
) -> Path | None:
    """The local folder of a hub repository, or None if the cache does not have it."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        folder = Path(
            snapshot_download(repository, allow_patterns=[*patterns], local_files_only=True)
        )
    except LocalEntryNotFoundError:
        return None
    except HFValidationError as error:
        raise InputError(f"{repository!r} is no name of a hub repository: {error}") from error
    return folder if any(folder.glob(needed)) else None


def is_surely_uncached(name: str) -> bool:
    """Whether the cache surely lacks timm's model `name`, without asking timm for its repository.

    Repositories bear the model's name, or another with the same tag after its point.
    """
    from huggingface_hub import constants

    own = name.rpartition(".")[2]
    folders = Path(constants.HF_HUB_CACHE).glob("models--*")
    return not any(own in folder.name for folder in folders)


def hub_is_reachable() -> bool:
    """Whether the hub's host answers; checked first, as the hub's client retries for a minute."""
    from huggingface_hub import constants

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
