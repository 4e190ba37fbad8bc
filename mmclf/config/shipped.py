"""Where the shipped config files lie; apart from the loader, as `--help` imports no Hydra."""

from __future__ import annotations

from pathlib import Path

from mmclf.errors import InputError


def conf_dir() -> Path:
    """The folder of the shipped config: inside the wheel, or beside the package in a checkout."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "conf", package.parent / "conf"):
        if (folder / "config.yaml").is_file():
            return folder
    raise InputError(f"{package}: no conf folder in it or beside it: install mmclf again")
