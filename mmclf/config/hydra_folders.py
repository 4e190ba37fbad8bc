"""Where Hydra writes: below `output_dir` alone, and not among what mmclf itself keeps there.

Checked without resolving: what stands behind an interpolation could be another folder once Hydra
asks, as ${now:} is another time and ${hydra.job.num} another job.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmclf.config.interpolations import Interpolation, has_interpolation, interpolations
from mmclf.config.one_line import CONTROL
from mmclf.config.resolvers import OVERRIDE_DIRNAME
from mmclf.config.walk import select

OUTPUT_DIR = "${output_dir}"
RUN_DIR, SWEEP_DIR = ("hydra.run.dir", "hydra.sweep.dir")
SUBDIR, OUTPUT_SUBDIR = "hydra.sweep.subdir", "hydra.output_subdir"
OUR_OWN = ("artifacts", "store", "studies")  # folders in output_dir
# The hour and the like, in digits; no dots, and nothing that may be empty between two.
TIME = re.compile(r"(%[YmdHMSfjyUWwuGV]|[\w:+/ -])*", re.ASCII)
FOLDER = re.compile(r"\.?[\w-][\w.-]*", re.ASCII)
MISSING = "???"  # what Hydra itself fills in, a number or a job's name


def check_folders(tree: Mapping[str, Any], output_dir: str) -> Iterator[str]:
    """What is wrong with the folders of an unresolved config.

    Args:
        tree: with the `hydra` node.
        output_dir: as it resolves to.

    """
    sweep_dir = _expanded(tree, SWEEP_DIR)
    folders: dict[str, str | None] = {RUN_DIR: _expanded(tree, RUN_DIR), SWEEP_DIR: sweep_dir}
    subdir = _expanded(tree, SUBDIR)
    if sweep_dir is not None and _is_below(sweep_dir, output_dir):
        outside = subdir is None or Path(subdir).is_absolute() or ".." in Path(subdir).parts
        folders[SUBDIR] = None if outside else f"{sweep_dir}/{subdir}"
    for key, folder in folders.items():
        if folder is None or not _is_below(folder, output_dir):
            yield (
                f"{key}: found {select(tree, key)!r}, expected a folder below {OUTPUT_DIR} and not "
                f"in its {', '.join(OUR_OWN)}; ${{now:FORMAT}} and the names of settings that are "
                "written out may stand in it"
            )
    name = select(tree, OUTPUT_SUBDIR)
    if name is not None and not (isinstance(name, str) and FOLDER.fullmatch(name)):
        yield f"{OUTPUT_SUBDIR}: found {name!r}, expected the name of a folder, such as .hydra"


def _expanded(tree: Mapping[str, Any], key: str) -> str | None:
    """A folder's path, whose beginning may be OUTPUT_DIR; None if it could be any."""
    path = select(tree, key)
    if not isinstance(path, str):
        return None
    head = OUTPUT_DIR if path.startswith(OUTPUT_DIR) else ""
    rest = path.removeprefix(head)
    for interpolation in interpolations(rest):
        value = _value(tree, interpolation)
        if value is None:
            return None
        rest = rest.replace(interpolation.text, value)
    return None if has_interpolation(rest) else head + rest


def _value(tree: Mapping[str, Any], interpolation: Interpolation) -> str | None:
    """What an interpolation stands for; None if that could be anything."""
    if interpolation.resolver == "now":
        return "0" if all(TIME.fullmatch(text) for text in interpolation.arguments) else None
    if interpolation.resolver is not None or not interpolation.is_plain or interpolation.dots > 0:
        return None
    value = select(tree, ".".join(interpolation.keys))
    if value in (MISSING, OVERRIDE_DIRNAME) or (
        value is None and interpolation.keys[:2] == ("hydra", "job")
    ):
        return "0"
    if not isinstance(value, str | int | float) or has_interpolation(value):
        return None
    return str(value)


def _is_below(path: str, output_dir: str) -> bool:
    if path.startswith(OUTPUT_DIR):
        path = path.replace(OUTPUT_DIR, output_dir, 1)
    if CONTROL.search(path):
        return False
    if ".." in Path(path.removeprefix(output_dir)).parts:  # which a link could lead elsewhere
        return False
    base, full = (Path(os.path.abspath(text)) for text in (output_dir, path))  # noqa: PTH100
    if base not in full.parents:
        return False
    first = full.relative_to(base).parts[0]
    return first not in OUR_OWN and not first.startswith("mlflow.db")
