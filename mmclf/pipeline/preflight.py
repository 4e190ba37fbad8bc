"""What a configuration needs of this machine, looked for before anything is read or run.

Device, precision, data files, weights, folders to write to, servers: whatever can be seen without
reading data or importing torch, so that all that is missing is said at once.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from mmclf.data.sources import coco, competition, table
from mmclf.data.sources.tables.table_files import TableFiles
from mmclf.errors import InputError, UnreachableError
from mmclf.models.hub import (
    HUGGING_FACE_FILES,
    cached_hub_folder,
    hub_is_reachable,
    is_surely_uncached,
)
from mmclf.models.identity import HUGGING_FACE, TIMM
from mmclf.models.package import package_location
from mmclf.storage import environment
from mmclf.storage.store.remote import Remote
from mmclf.storage.waiting import check_answers, within

Node = Mapping[str, Any]
GPU_ONLY = ("cuda", "mps", "xpu")
DEVICES = ("auto", "cpu", *GPU_ONLY)
HUB_S, SERVER_S = 2.0, 1.0  # for an answer of the hub, and of a tracking server
OTHER_DEVICES: Mapping[str, str] = {"gpu": "cuda", "nvidia": "cuda", "metal": "mps", "rocm": "cuda"}


class Preflight:
    """Looks at composed configurations, of one command; each server is asked once for all."""

    def __init__(self) -> None:
        self._is_hub_reachable: bool | None = None
        self._servers: dict[str, UnreachableError | None] = {}

    def problems(self, tree: Node) -> list[str]:
        """A finding for each thing that is missing; what is of a wrong type is left to others."""
        problems = [*_device(tree)]
        checks: Mapping[str, Callable[[object], None]] = {
            "data": _check_data,
            "vision": partial(self._check_weights, "vision"),
            "text": partial(self._check_weights, "text"),
            "output_dir": partial(_check_folder, "output_dir"),
            "store": partial(_check_store, tree.get("output_dir")),
        }
        for name, check in checks.items():
            try:
                check(tree.get(name))
            except InputError as error:
                problems += error.problems
            except (TypeError, ValueError, KeyError, AttributeError, OSError):
                continue  # of a value that cannot be, which the check of settings names
        silent = self._unreachable(tree.get("tracking"))
        # Of one that is slow the command itself says so, after a longer while.
        if silent is not None and (problems or not isinstance(silent.__cause__, TimeoutError)):
            problems.append(str(silent))
        return problems

    def _unreachable(self, tracking: object) -> UnreachableError | None:
        """Why the tracking server does not answer; None if it does, or there is none."""
        uri = tracking.get("uri") if isinstance(tracking, Mapping) else None
        if not isinstance(uri, str):
            return None
        if uri not in self._servers:
            try:
                check_answers("tracking.uri", uri, SERVER_S)
                self._servers[uri] = None
            except UnreachableError as error:
                self._servers[uri] = error
        return self._servers[uri]

    def _check_weights(self, role: str, node: object) -> None:
        """Raise InputError for weights that are not there, and cannot be fetched."""
        if not isinstance(node, Mapping) or node.get("_target_") not in (TIMM, HUGGING_FACE):
            return
        is_timm = node["_target_"] == TIMM
        weights, name = node.get("weights", "hub"), node["name"]
        if name == "???":
            return
        if weights == "package":
            try:
                package_location(node.get("package"))
            except InputError as error:
                raise InputError(f"{role}.weights=package: {error}") from error
        elif weights == "hub":
            self._check_hub(name, role, is_timm=is_timm)
        elif weights == "random":
            if not is_timm and node.get("architecture") is None:
                self._check_hub(name, role, is_timm=False, needed="config.json")
        else:
            path, needed = Path(weights), "" if is_timm else "config.json"
            if not Path(path, needed).is_file():
                what = "weights" if is_timm else "model folder, with config.json,"
                raise InputError(
                    f"{role}.weights: there is no {what} at {path}: give the path of a copy, or "
                    f"{role}.weights=random"
                )

    def _check_hub(
        self, name: str, role: str, *, is_timm: bool, needed: str = "*.safetensors"
    ) -> None:
        if is_timm:
            is_there = not is_surely_uncached(name)
        else:
            patterns = HUGGING_FACE_FILES if needed != "config.json" else ("config.json",)
            is_there = cached_hub_folder(name, patterns, needed) is not None
        if is_there:
            return
        if self._is_hub_reachable is None:
            self._is_hub_reachable = _hub_answers()
        if not self._is_hub_reachable:
            offline = "vision=efficientnet_lite0" if role == "vision" else "text=minilm"
            raise InputError(
                f"{role}.weights: {name} is not in the local cache, and the model hub is out of "
                f"reach: choose {role}.weights=random or the path of a local copy, or an encoder "
                f"from a package ({offline})"
            )


def _hub_answers() -> bool:
    """Whether the hub is reachable; not, if that takes longer, as to resolve its name may."""
    try:
        return within(HUB_S, hub_is_reachable)
    except TimeoutError:
        return False


def _check_folder(setting: str, value: object) -> None:
    """Raise InputError for a folder that surely cannot be written to, without making it."""
    if not isinstance(value, str) or not value:
        return
    there = Path(value)
    while not os.path.lexists(there) and there != there.parent:
        there = there.parent
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
        return
    why = "may not be written to" if there.is_dir() else "is no folder"
    raise InputError(
        f"{setting}={value}: {there} {why}: give {setting}=DIR of a folder that you may write to"
    )


def _check_store(output_dir: object, node: object) -> None:
    """Raise InputError for a store in a folder, or behind an address, that cannot be used.

    One below the output folder, as it is unless it is set, is looked at with that.
    """
    if not isinstance(node, Mapping):
        return
    folder = node.get("dir")
    is_below = (
        isinstance(folder, str)
        and isinstance(output_dir, str)
        and Path(folder).is_relative_to(output_dir)
    )
    if not is_below:
        _check_folder("store.dir", folder)
    remote = node.get("remote")
    if isinstance(remote, str) and remote:
        Remote(remote)


def _device(tree: Node) -> Iterator[str]:
    """Findings on a device that there is not, and on a precision that the CPU does not train in."""
    name, trainer = tree.get("device"), tree.get("trainer")
    if not isinstance(name, str):
        return
    kind = name.partition(":")[0]
    meant = OTHER_DEVICES.get(kind.casefold())
    has_gpu = not environment.is_surely_cpu("auto")
    if meant is not None:
        there = "" if has_gpu else " But there is no GPU here: choose auto or cpu"
        yield f"device={name}: there is no such device: did you mean {meant!r}?{there}"
    elif kind in GPU_ONLY and not has_gpu:
        yield f"device={name}: there is no GPU here: choose auto or cpu"
    precision = trainer.get("precision") if isinstance(trainer, Mapping) else None
    is_cpu = kind == "cpu" or (not has_gpu and kind in DEVICES)
    if precision == "fp16" and is_cpu:
        yield "trainer.precision=fp16 needs a CUDA device, found cpu: choose fp32 or bf16"


def _check_data(node: object) -> None:
    """Raise InputError for folders and files of data that are not there."""
    if not isinstance(node, Mapping) or "???" in node.values():
        return
    target = node.get("_target_")
    if target == "mmclf.data.sources.competition.load":
        given = _arguments(competition.load, node)
        names = (given[name] for name in ("train_csv", "test_csv", "images"))
        competition.check_layout(Path(given["root"]), *names)
    elif target == "mmclf.data.sources.coco.load":
        given = _arguments(coco.load, node)
        captions = given["captions"] if given["karpathy"] is None else None
        coco.check_layout(given["root"], given["instances"], captions, given["images"])
    elif target == "mmclf.data.sources.table.load":
        given = _arguments(table.load, node)
        TableFiles(given["root"], given["file"], given["files"], given["images"]).paths()


def _arguments(load: Callable[..., Any], node: Node) -> dict[str, Any]:
    """What a source gets: its settings, and the defaults of those that are not set."""
    taken = inspect.signature(load).parameters
    given = {name: value for name, value in node.items() if name in taken}
    bound = inspect.signature(load).bind(**given)
    bound.apply_defaults()
    return bound.arguments
