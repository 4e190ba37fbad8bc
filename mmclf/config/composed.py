"""A composed DictConfig in the plain form that everything below takes, with what is wrong in it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from hydra.errors import HydraException
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from mmclf.config.grants import NO_GRANTS, Grants
from mmclf.config.hydra_folders import check_folders
from mmclf.config.hydra_policy import RAY_LAUNCHER, check_hydra
from mmclf.config.limits import check_expansion, check_numbers
from mmclf.config.moved_targets import moved_targets, notice, with_current_targets
from mmclf.config.one_line import check_lines
from mmclf.config.output_locations import environment_notices
from mmclf.config.passwords import check_values
from mmclf.config.resolvers import check_interpolations
from mmclf.config.schema import Composed
from mmclf.config.validate import check
from mmclf.config.validation_cache import ValidationCache
from mmclf.errors import InputError

Check = Callable[[Mapping[str, Any]], list[str]]  # of a config in its plain form
# Launchers whose jobs run on this machine.
LOCAL = (
    "hydra._internal.core_plugins.basic_launcher.BasicLauncher",
    "hydra_plugins.hydra_joblib_launcher.joblib_launcher.JoblibLauncher",
)


class ConfigChecker:
    """Checks composed configs, of a command line that allows what `grants` say.

    What a store remembers as valid is read once for all of them. `announces`: each old path of a
    target, and each setting that follows a variable of MLflow's, is printed once on standard error.
    """

    def __init__(self, grants: Grants = NO_GRANTS, *, announces: bool = False) -> None:
        self._grants = grants
        self._announces = announces
        self._announced: set[str] = set()
        self._caches: dict[str, ValidationCache] = {}

    def check(
        self, cfg: DictConfig, also: Check | None = None, *, is_refused: bool = False
    ) -> tuple[Composed | None, list[str]]:
        """The checked form of a composed config, and all that is wrong with it.

        `also`: finds what this machine lacks, and is asked unless the run is another machine's.
        `is_refused`: whether more is wrong than is seen in `cfg`, so that it will not be run.
        """
        tree = container(cfg)
        unsafe = self._check_unresolved(tree)
        if unsafe:
            return None, unsafe
        problems = [*check_hydra(tree["hydra"]), *_check_folders(cfg, tree)]
        settings, unresolved = plain(cfg)
        is_looked_for = _runs_here(tree["hydra"].get("launcher")) and not check_values(settings)
        # Of what the machine lacks no run comes, and then nothing slow needs to be imported.
        lacking = also(settings) if also is not None and is_looked_for else []
        is_refused = is_refused or bool(problems or lacking)
        self._announce(cfg, settings)
        composed, more = self._check_settings(
            settings, unresolved, tree["hydra"], is_refused=is_refused
        )
        problems += more
        return composed, [*problems, *(text for text in lacking if text not in problems)]

    def check_sweep(self, cfg: DictConfig) -> list[str]:
        """What is wrong with a sweep's own config, which lacks what is swept."""
        tree = container(cfg)
        unsafe = self._check_unresolved(tree)
        return unsafe or [*check_hydra(tree["hydra"]), *_check_folders(cfg, tree)]

    def check_job(self, cfg: DictConfig, hydra: DictConfig) -> Composed:
        """The checked form of the config that Hydra hands to a job, and of its `hydra` node.

        `hydra` is what HydraConfig.get() returns. Raises InputError.
        """
        problems = self._check_unresolved(container(cfg))
        if problems:
            raise InputError(*problems)
        settings, unresolved = plain(cfg)
        self._announce(cfg, settings)
        composed, problems = self._check_settings(settings, unresolved, container(hydra, "hydra"))
        if composed is None or problems:
            raise InputError(*problems)
        return composed

    def _check_unresolved(self, tree: Mapping[str, Any]) -> list[str]:
        """What forbids to resolve a composed config, or to say what else is wrong with it."""
        for check_whole in (check_expansion, check_values):
            problems = check_whole(tree)
            if problems:
                return problems
        numbers = check_numbers(tree)
        return [*numbers, *check_lines(tree), *check_interpolations(tree, self._grants.env)]

    def _check_settings(
        self,
        settings: Mapping[str, Any],
        unresolved: Sequence[str],
        hydra: Mapping[str, Any],
        *,
        is_refused: bool = False,
    ) -> tuple[Composed | None, list[str]]:
        """The checked form of the settings in plain form, and all that is wrong with them.

        `unresolved`: a problem for each value that cannot be resolved.
        """
        secrets = check_values(settings)
        if secrets:
            return None, secrets
        tree = with_current_targets(settings)
        try:
            config = check(tree, self._grants, self._cache(tree), is_refused=is_refused)
        except InputError as error:
            # What could not be resolved is named once, not as missing too.
            named = tuple(f"{problem.partition(':')[0]} " for problem in unresolved)
            more = [text for text in error.problems if not text.startswith(named)]
            return None, [*unresolved, *more]
        choices = {
            str(group): str(level)
            for group, level in hydra["runtime"]["choices"].items()
            if level is not None and not str(group).startswith("hydra/")
        }
        return Composed(config, choices, list(hydra["overrides"]["task"]), tree), [*unresolved]

    def _announce(self, cfg: DictConfig, tree: Mapping[str, Any]) -> None:
        if not self._announces or check_values(tree):
            return
        notices = {old: notice(old) for old in sorted({*moved_targets(tree)})}
        notices |= environment_notices(container(cfg), tree)
        for name in [name for name in notices if name not in self._announced]:
            sys.stderr.write(notices[name])
            self._announced.add(name)

    def _cache(self, tree: Mapping[str, Any]) -> ValidationCache | None:
        store = tree.get("store")
        folder = store.get("dir") if isinstance(store, Mapping) else None
        if not isinstance(folder, str):
            return None
        if folder not in self._caches:
            self._caches[folder] = ValidationCache(Path(folder), self._grants.targets)
        return self._caches[folder]


def _check_folders(cfg: DictConfig, tree: Mapping[str, Any]) -> list[str]:
    """What is wrong with Hydra's folders; nothing if that of outputs is no text, which is said."""
    try:
        output_dir = cfg.get("output_dir")
    except OmegaConfBaseException:
        return []
    return [*check_folders(tree, output_dir)] if isinstance(output_dir, str) else []


def container(node: DictConfig, name: str = "the config") -> dict[str, Any]:
    """The plain, unresolved form of a mapping that was composed; InputError if it is none."""
    with hydra_errors():
        plain = OmegaConf.to_container(node, resolve=False, enum_to_str=True)
    if not isinstance(plain, dict):
        raise InputError(f"{name}: found {plain!r}, expected a mapping")
    return {str(key): value for key, value in plain.items()}


def _runs_here(launcher: object) -> bool:
    """Whether the jobs of a launcher run on this machine."""
    if not isinstance(launcher, dict):
        return False
    target = launcher.get("_target_")
    return target in LOCAL or (target == RAY_LAUNCHER and launcher.get("address") == "local")


def dotted_keys(node: object, path: str = "") -> Iterator[str]:
    """Every key below `node`, the containers' own included."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield f"{path}{key}"
            yield from dotted_keys(value, f"{path}{key}.")


def plain(cfg: DictConfig) -> tuple[dict[str, Any], list[str]]:
    """Plain containers without `hydra`, and a problem for each value that cannot be resolved."""
    problems: list[str] = []
    # A copy without `hydra`, as a job's is: what a job cannot resolve is to be refused before.
    task = OmegaConf.masked_copy(cfg, [str(key) for key in cfg if key != "hydra"])
    tree = _plain(task, "", problems)
    return tree if isinstance(tree, dict) else {}, problems


def _plain(node: object, path: str, problems: list[str]) -> object:
    if isinstance(node, DictConfig):
        keys: list[Any] = list(node.keys())
    elif isinstance(node, ListConfig):
        keys = list(range(len(node)))
    else:
        return node
    values: dict[Any, object] = {}
    for key in keys:
        where = f"{path}{key}"
        if OmegaConf.is_missing(node, key):
            values[key] = "???"
            continue
        try:
            values[key] = _plain(node[key], f"{where}.", problems)
        except (OmegaConfBaseException, RecursionError, ValueError) as error:
            problems.append(f"{where}: {' '.join(str(error).split(chr(10))[:1])}")
            values[key] = "???"
    return list(values.values()) if isinstance(node, ListConfig) else values


@contextmanager
def hydra_errors() -> Iterator[None]:
    """Turns whatever Hydra, OmegaConf or YAML raise into an InputError of one line."""
    try:
        yield
    except InputError:
        raise
    # Hydra lets a dozen types through, down to AssertionError; all of them mean a bad config here.
    except Exception as error:
        raise InputError(_reason(error)) from error


def _reason(error: BaseException) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        return f"{mark.name}, line {mark.line + 1}: {error.problem}: correct the YAML"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    # A first line such as "ConfigKeyError raised while composing config:" says nothing by itself.
    text = " ".join(lines[: 2 if lines and lines[0].endswith(":") else 1])
    cause = error.__cause__
    if cause is not None and (not text or text.startswith("Error merging")):
        return f"{text}: {_reason(cause)}" if text else _reason(cause)
    if not isinstance(error, (HydraException, OmegaConfBaseException)):
        text = f"the config cannot be composed, {type(error).__name__}: {text}"
    key = getattr(error, "full_key", None)
    return f"{key}: {text}" if key and key not in text else text
