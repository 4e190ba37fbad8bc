"""Composing configurations of overrides, with a problem for each override that is wrong."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from mmclf.config.components import COMPONENTS
from mmclf.config.composed import Check, dotted_keys, hydra_errors
from mmclf.config.grants import granted_by
from mmclf.config.loader import CheckedLoader, open_loader
from mmclf.config.overrides import (
    Axis,
    Groups,
    check_level,
    parse,
    read,
    unknown_key,
    with_study_defaults,
)
from mmclf.config.passwords import check_words
from mmclf.config.schema import Composed
from mmclf.config.source_signature import shipped_targets, source_signature
from mmclf.config.targets import parameters, resolve
from mmclf.config.user_modules import make_importable
from mmclf.errors import InputError

PRIMARY = "config"
SEARCHPATH = "hydra.searchpath="


class Composer:
    """Composes what a command line asks for; `lines` are its overrides but for the search path.

    `also`: finds what this machine lacks of what a config needs.
    """

    def __init__(
        self,
        loader: CheckedLoader,
        config_name: str,
        overrides: Sequence[str],
        also: Check | None = None,
    ) -> None:
        self.loader, self.config_name, self._also = loader, config_name, also
        searchpath = [line for line in overrides if line.startswith(SEARCHPATH)]
        self.lines = with_study_defaults([line for line in overrides if line not in searchpath])
        self._searchpath = searchpath[:1]  # Hydra looks at the first one alone
        self.grants = loader.grants
        # With its name the primary config would be loaded for every list of levels.
        needs_primary = not self._searchpath and loader.has_primary_searchpath(config_name)
        self.groups = Groups(loader, config_name if needs_primary else None, self._searchpath)

    @property
    def has_user_files(self) -> bool:
        """Whether config files of the user's own may be composed."""
        return (
            bool(self._searchpath)
            or self.loader.config_dir is not None
            or self.config_name != PRIMARY
        )

    @property
    def overrides(self) -> list[str]:
        """All overrides of the command line, as Hydra takes them."""
        return self.beside_searchpath(self.lines)

    def beside_searchpath(self, lines: Sequence[str]) -> list[str]:
        """These overrides behind the search path, as Hydra takes them."""
        return [*self._searchpath, *lines]

    def axes(self, lines: Sequence[str]) -> tuple[list[Axis], list[str]]:
        """The overrides, the nearest levels in place of misspelt ones, and the problems."""
        axes, problems = parse(lines, self.groups)
        kept = []
        for axis in axes:
            checked = [check_level(value, self.groups) for value in axis.values]
            problems += [problem for problem, _ in checked if problem is not None]
            nearest_valid = [line for _, line in checked if line is not None]
            if nearest_valid:
                kept.append(axis.with_lines(nearest_valid))
        return kept, problems

    def compose(self, lines: Sequence[str], run_mode: RunMode = RunMode.RUN) -> DictConfig:
        """What Hydra composes, unchecked; raises InputError for what Hydra refuses."""
        with hydra_errors():
            return self.loader.compose(self.config_name, [*self._searchpath, *lines], run_mode)

    def compose_valid(
        self, lines: Sequence[str], run_mode: RunMode = RunMode.RUN
    ) -> tuple[DictConfig | None, list[str]]:
        """What Hydra composes of the overrides that name known keys, and problems on the others."""
        try:
            return self.compose(lines, run_mode), []
        except InputError as error:
            problems = list(error.problems)
        # Hydra stops at the first unknown key; the levels alone say which keys there are.
        try:
            base = self.compose([line for line in lines if self.is_level(line)], run_mode)
            keys = list(dotted_keys(OmegaConf.to_container(base, resolve=False)))
        except InputError as error:
            return None, list(error.problems)
        unknown = {line: self._unknown(line, keys, base) for line in lines}
        good = [line for line in lines if unknown[line] is None]
        if len(good) == len(lines):
            return None, problems
        bad = [problem for problem in unknown.values() if problem is not None]
        try:
            return self.compose(good, run_mode), bad
        except InputError as error:
            return None, [*bad, *error.problems]

    def check(
        self, cfg: DictConfig, *, is_refused: bool = False
    ) -> tuple[Composed | None, list[str]]:
        """The checked form of a composed config, and all that is wrong with it.

        `is_refused`: whether something else is, so that it will not be run.
        """
        return self.loader.checker.check(cfg, self._also, is_refused=is_refused)

    def is_level(self, line: str) -> bool:
        """Whether an override chooses a level of a group, and does not set the keys below it."""
        override, _ = read(line)
        is_group = override is not None and bool(self.groups.levels(override.key_or_group))
        return is_group and override is not None and not isinstance(override.value(), dict)

    def sets_key(self, line: str) -> bool:
        """Whether an override only sets a key that there is, so that `updated` can do it."""
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
            keys = list(dotted_keys(OmegaConf.to_container(cfg, resolve=False)))
            unknown = [self._unknown(line, keys, cfg) for line in lines]
            problems = [problem for problem in unknown if problem is not None]
            return None, problems or list(error.problems)
        return job, []

    def _unknown(self, line: str, keys: Sequence[str], base: DictConfig) -> str | None:
        override, _ = read(line)
        if override is None or self.is_level(line):
            return None
        return unknown_key(override, keys, lambda group: self._arguments(base, group))

    def _arguments(self, base: DictConfig, group: str) -> list[str]:
        """What the target of a component takes, also what its YAML file does not name."""
        if group not in COMPONENTS:
            return []
        try:
            with hydra_errors():
                name = base[group]["_target_"]
            signature = source_signature(name) if name in shipped_targets(group) else None
            taken = (
                parameters(resolve(name, group, self.grants.targets))
                if signature is None
                else signature.parameters
            )
        except InputError:
            return []
        return [key for key in taken if key not in COMPONENTS[group].provided]


class Variants:
    """Configurations that share most overrides; those of the same levels are composed once.

    `base`: what was composed of the shared overrides `lines` already.
    """

    def __init__(
        self, composer: Composer, lines: Sequence[str], base: DictConfig | None = None
    ) -> None:
        self._composer, self._lines = composer, list(lines)
        self._bases: dict[tuple[str, ...], tuple[DictConfig | None, list[str]]] = {}
        if base is not None:
            self._bases[()] = base, []

    def check(self, more: Sequence[str]) -> tuple[Composed | None, list[str]]:
        """The configuration of the shared overrides and `more`, and all that is wrong with it."""
        levels = tuple(line for line in more if not self._composer.sets_key(line))
        keys = [line for line in more if self._composer.sets_key(line)]
        if levels not in self._bases:
            self._bases[levels] = self._composer.compose_valid([*self._lines, *levels])
        cfg, problems = self._bases[levels]
        if cfg is None or problems:
            return None, problems
        if keys:
            cfg, problems = self._composer.updated(cfg, keys)
        if cfg is None:
            return None, problems
        composed, more_problems = self._composer.check(cfg)
        return composed, [*problems, *more_problems]


@contextmanager
def open_composer(
    overrides: Sequence[str],
    config_dir: Path | None = None,
    config_name: str | None = None,
    also: Check | None = None,
) -> Iterator[Composer]:
    """The composer of a command line, whose overrides say what is allowed beyond the usual.

    `config_name`: of a primary config, if the command line names one. Modules of the user's own may
    lie in `config_dir`, beside the config files that use them. `also`: as Composer. Raises
    InputError for a folder or a search path that cannot be used.
    """
    check_words(overrides)
    grants = granted_by(overrides)
    primary = config_name if config_name is not None else PRIMARY
    with open_loader(config_dir, grants, named_primary=config_name) as loader:
        if config_dir is not None and grants.targets:
            make_importable(config_dir, grants.targets)
        with hydra_errors():
            composer = Composer(loader, primary, overrides, also)
        yield composer
