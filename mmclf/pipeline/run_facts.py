"""What a tracked run was made of, read back: settings, data, code, packages, hardware, metrics."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from mmclf.config.limits import check_yaml
from mmclf.errors import ArtifactError, InputError
from mmclf.pipeline.artifacts import PACKAGES, PATCH
from mmclf.pipeline.run_naming import params
from mmclf.storage.file_limits import RECORD_BYTES, check_size
from mmclf.storage.tracking import TrackedRun, Tracker

HARDWARE = ("hardware", "cold_hardware", "processes")
DATA = ("data_digest", "shared_groups", "zero_division")
CODE = ("commit", "versions")
PREFIXES: Mapping[str, str] = {"data": "samples.", "hardware": "precision."}


@dataclass(frozen=True)
class RunFacts:
    """Sections of what a run was made of, each values by name; and what was not committed.

    `patch`: None where the run was not asked to keep it. `packages` and `settings` are empty where
    an earlier version left no such file, or it is lost.
    """

    run: TrackedRun
    settings: Mapping[str, str]
    data: Mapping[str, str]
    code: Mapping[str, str]
    packages: Mapping[str, str]
    hardware: Mapping[str, str]
    metrics: Mapping[str, float]
    patch: str | None


def read_facts(tracker: Tracker, run: TrackedRun) -> RunFacts:
    """The facts of a run; raises InputError where its artifacts are out of reach."""
    tags = {name.removeprefix("mmclf."): value for name, value in run.tags.items()}
    packages = _artifact(tracker, run, PACKAGES)
    return RunFacts(
        run=run,
        settings=_settings(tracker, run),
        data=_chosen(tags, DATA, PREFIXES["data"]),
        code=_chosen(tags, CODE[:1] if packages else CODE),
        packages=dict(_packages(packages or "")),
        hardware=_chosen(tags, HARDWARE, PREFIXES["hardware"]),
        metrics=run.metrics,
        patch=_artifact(tracker, run, PATCH),
    )


def _chosen(
    tags: Mapping[str, str], names: Collection[str], prefix: str | None = None
) -> dict[str, str]:
    return {
        name: value
        for name, value in tags.items()
        if name in names or (prefix is not None and name.startswith(prefix))
    }


def _settings(tracker: Tracker, run: TrackedRun) -> dict[str, str]:
    """All settings by dotted key, and the levels of the groups; those tracked, without the file."""
    text = _artifact(tracker, run, "config.yaml")
    if text is None:
        return dict(run.params)
    check_yaml(text.encode(), f"config.yaml of the run {run.id}")
    try:
        tree = yaml.safe_load(text)
    except yaml.YAMLError:
        return dict(run.params)
    if not isinstance(tree, Mapping):
        return dict(run.params)
    groups = {name: run.params[name] for name in tree if name in run.params}
    settings = params(groups, {str(key): value for key, value in tree.items()})
    return {name: _text(value) for name, value in settings.items()}


def _text(value: object) -> str:
    return "null" if value is None else str(value)


def _packages(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        name, _, version = line.partition("==")
        if version:
            yield name, version


def _artifact(tracker: Tracker, run: TrackedRun, name: str) -> str | None:
    """The text of an artifact; None without one."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            path = tracker.fetch(run, name, Path(folder))
            check_size(path, RECORD_BYTES, "text")
            return path.read_text(encoding="utf-8", errors="replace")
        except ArtifactError:
            return None
        except OSError as error:
            raise InputError(f"{name} of the run {run.id} cannot be read: {error}") from error
