"""Gather the wheels that mmclf needs on a GPU machine without a network: `make gpu-wheels`.

Such a machine has Linux on x86-64, Python 3.12, torch, torchvision, timm, transformers, accelerate
and scikit-learn, with what these need; it lacks MLflow, Hydra, pydantic and what those need.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Collection
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
# Where the walk over what mmclf needs ends: what such a machine has, with all that it needs itself.
THERE = frozenset(
    (
        *("accelerate", "huggingface-hub", "matplotlib", "numpy", "pandas", "pillow", "pyarrow"),
        *("pyyaml", "rich", "safetensors", "scikit-learn", "scipy", "timm"),
        *("tokenizers", "torch", "torchvision", "transformers"),
        *("aiohttp", "annotated-doc", "anyio", "attrs", "certifi", "charset-normalizer", "click"),
        *("cloudpickle", "filelock", "fsspec", "h11", "idna", "jinja2", "joblib", "markupsafe"),
        *("packaging", "protobuf", "psutil", "python-dateutil", "regex", "requests", "six"),
        *("threadpoolctl", "tqdm", "typing-extensions", "urllib3", "zipp"),
    )
)
GLIBC = (17, 24, 27, 28, 31, 34, 35)  # pip takes each as a platform of its own
PYTHON = "3.12"
TARGET = {
    "extra": "",
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": f"{PYTHON}.0",
    "python_version": PYTHON,
    "sys_platform": "linux",
}


def main() -> None:
    """Gather them into the folder that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.whl"):  # two versions of a package stop pip
        old.unlink()
    for name, version in needed("mmclf", THERE).items():
        _gather(f"{name}=={version}", folder)
    _pip("wheel", "--no-deps", "--wheel-dir", str(folder), str(ROOT))
    wheels = list(folder.glob("*.whl"))
    size = sum(wheel.stat().st_size for wheel in wheels)
    sys.stdout.write(f"{len(wheels)} wheels, {size / 2**20:.0f} MiB, in {folder}\n")


def needed(root: str, there: Collection[str]) -> dict[str, str]:
    """All that the installed `root` needs but what is `there`: versions installed here, by name."""
    versions: dict[str, str] = {}
    waiting = [root]
    while waiting:
        for text in metadata.requires(waiting.pop()) or []:
            requirement = Requirement(text)
            name = canonicalize_name(requirement.name)
            if name in versions or name in there:
                continue
            if requirement.marker is not None and not requirement.marker.evaluate(TARGET):
                continue
            try:
                versions[name] = metadata.version(name)
            except metadata.PackageNotFoundError:  # of another Python or platform than this one's
                continue
            waiting.append(name)
    return dict(sorted(versions.items()))


def _gather(wanted: str, folder: Path) -> None:
    """A wheel for the machine there; of a package without one, which is pure Python, made here."""
    platforms = [f"manylinux_2_{minor}_x86_64" for minor in GLIBC]
    platforms += ["manylinux2014_x86_64", "manylinux1_x86_64"]
    try:
        _pip(
            *("download", "--no-deps", "--only-binary=:all:", "--dest", str(folder)),
            *("--python-version", PYTHON, "--implementation", "cp"),
            *(f"--platform={platform}" for platform in platforms),
            wanted,
        )
    except subprocess.CalledProcessError:
        _pip("wheel", "--no-deps", "--wheel-dir", str(folder), wanted)


def _pip(*arguments: str) -> None:
    subprocess.run(  # noqa: S603
        [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments],
        check=True,
        capture_output=True,
    )


if __name__ == "__main__":
    main()
