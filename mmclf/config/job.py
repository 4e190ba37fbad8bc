"""One job: its overrides composed, those that name nothing known told apart, the whole checked."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from mmclf.config.components import COMPONENTS
from mmclf.config.hydra_policy import check_hydra
from mmclf.config.loader import Source, hydra_errors, plain
from mmclf.config.overrides import Axis, Groups, judge_level, parse, read, unknown_key
from mmclf.config.schema import Composed
from mmclf.config.targets import parameters, resolve
from mmclf.config.validate import check
from mmclf.config.validation_cache import ValidationCache
from mmclf.errors import InputError


class Jobs:
    """Composes and checks jobs from one source of config files."""

    def __init__(self, source: Source, granted: Sequence[str]) -> None:
        self.source, self.granted = source, granted
        self.groups = Groups(source.loader, source.config_name, source.searchpath)

    def axes(self, lines: Sequence[str]) -> tuple[list[Axis], list[str]]:
        """The overrides, the nearest levels in place of misspelt ones, and the findings."""
        axes, problems = parse(lines, self.groups)
        kept = []
        for axis in axes:
            judged = [judge_level(value, self.groups) for value in axis.values]
            problems += [problem for problem, _ in judged if problem is not None]
            going_on = [line for _, line in judged if line is not None]
            if going_on:
                kept.append(axis.with_lines(going_on))
        return kept, problems

    def load(self, lines: Sequence[str]) -> tuple[DictConfig | None, list[str]]:
        """What Hydra composes of the overrides that name known keys, and findings on the others."""
        try:
            return self.source.load(lines), []
        except InputError as error:
            problems = list(error.problems)
        # Hydra stops at the first unknown key; the levels alone say which keys there are.
        try:
            base = self.source.load([line for line in lines if self.is_level(line)])
            known = list(dotted_keys(OmegaConf.to_container(base, resolve=False)))
        except InputError as error:
            return None, list(error.problems)
        unknown = {line: self._unknown(line, known, base) for line in lines}
        good = [line for line in lines if unknown[line] is None]
        if len(good) == len(lines):
            return None, problems
        bad = [problem for problem in unknown.values() if problem is not None]
        try:
            return self.source.load(good), bad
        except InputError as error:
            return None, [*bad, *error.problems]

    def judged(self, cfg: DictConfig) -> tuple[Composed | None, list[str]]:
        """The checked form of a composed config, and all that is wrong with it."""
        hydra = hydra_node(cfg.hydra)
        composed, problems = judge_tree(cfg, hydra, self.granted)
        return composed, [*check_hydra(hydra), *problems]

    def is_level(self, line: str) -> bool:
        """Whether an override chooses a level of a group, and does not set the keys below it."""
        override, _ = read(line)
        is_group = override is not None and bool(self.groups.levels(override.key_or_group))
        return is_group and override is not None and not isinstance(override.value(), dict)

    def is_update(self, line: str) -> bool:
        """Whether an override only sets a key, so that `updated` can do it."""
        override, _ = read(line)
        if override is None or line[0] in "+~":
            return False
        return not self.groups.levels(override.key_or_group)

    def updated(self, cfg: DictConfig, lines: Sequence[str]) -> tuple[DictConfig | None, list[str]]:
        """A copy of a composed config with further keys set, far cheaper than composing again."""
        job = copy.deepcopy(cfg)
        try:
            with hydra_errors():
                for line in lines:
                    override, _ = read(line)
                    assert override is not None
                    OmegaConf.update(job, override.key_or_group, override.value(), merge=True)
        except InputError as error:
            known = list(dotted_keys(OmegaConf.to_container(cfg, resolve=False)))
            unknown = [self._unknown(line, known, cfg) for line in lines]
            return None, [one for one in unknown if one is not None] or list(error.problems)
        return job, []

    def _unknown(self, line: str, known: Sequence[str], base: DictConfig) -> str | None:
        override, _ = read(line)
        if override is None or self.is_level(line):
            return None
        return unknown_key(override, known, lambda part: self._arguments(base, part))

    def _arguments(self, base: DictConfig, part: str) -> list[str]:
        """What the target of a part takes, also what its YAML file does not name."""
        if part not in COMPONENTS:
            return []
        try:
            with hydra_errors():
                target = resolve(base[part]["_target_"], part, self.granted)
        except InputError:
            return []
        return [name for name in parameters(target) if name not in COMPONENTS[part].provided]


def judge_tree(
    cfg: DictConfig, hydra: Mapping[str, Any], granted: Sequence[str]
) -> tuple[Composed | None, list[str]]:
    """The checked form of a composed config beside its `hydra` node, and what is wrong with it."""
    tree, problems = plain(cfg)
    try:
        config = check(tree, granted, _cache(tree, granted))
    except InputError as error:
        # What could not be resolved is named once, not as missing too.
        known = tuple(f"{problem.partition(':')[0]} " for problem in problems)
        return None, problems + [text for text in error.problems if not text.startswith(known)]
    choices = {
        str(group): str(level)
        for group, level in hydra["runtime"]["choices"].items()
        if level is not None and not str(group).startswith("hydra/")
    }
    return Composed(config, choices, list(hydra["overrides"]["task"]), tree), problems


def _cache(tree: Mapping[str, Any], granted: Sequence[str]) -> ValidationCache | None:
    store = tree.get("store")
    folder = store.get("dir") if isinstance(store, Mapping) else None
    return ValidationCache(Path(folder), granted) if isinstance(folder, str) else None


def hydra_node(node: DictConfig) -> dict[str, Any]:
    """The plain, unresolved `hydra` node."""
    with hydra_errors():
        container = OmegaConf.to_container(node, resolve=False, enum_to_str=True)
    if not isinstance(container, dict):
        raise InputError(f"hydra: found {container!r}, expected a mapping")
    return {str(key): value for key, value in container.items()}


def dotted_keys(node: object, path: str = "") -> Iterator[str]:
    """Every key below `node`, the containers' own included."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield f"{path}{key}"
            yield from dotted_keys(value, f"{path}{key}.")
