"""The config loader that Hydra is given: whatever it loads is checked before Hydra uses it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra import __version__
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.utils import create_config_search_path
from hydra.core.config_loader import ConfigLoader
from hydra.core.config_search_path import ConfigSearchPath, SearchPathQuery
from hydra.core.hydra_config import HydraConfig
from hydra.core.object_type import ObjectType
from hydra.core.singleton import Singleton
from hydra.core.utils import JobRuntime, setup_globals
from hydra.errors import ConfigCompositionException, OverrideParseException
from hydra.plugins.config_source import ConfigSource
from hydra.types import RunMode
from hydra.version import VersionBase, setbase
from omegaconf import DictConfig

from mmclf.config.composed import ConfigChecker, container
from mmclf.config.grants import NO_GRANTS, Grants
from mmclf.config.output_locations import check_locations
from mmclf.config.repository import FolderRepository
from mmclf.config.shipped import conf_dir
from mmclf.config.user_modules import make_importable
from mmclf.errors import InputError, first_line

TASK_NAME = "mmclf"
HYDRA_STATE = (HydraConfig, JobRuntime, VersionBase)


class RefusedConfigError(InputError, ConfigCompositionException):  # type: ignore[misc]
    """A configuration with something wrong in it.

    Hydra takes it for an error of its own: its shell completion goes on without the configuration.
    """


class CheckedLoader(ConfigLoader):  # type: ignore[misc]  # Hydra has no types
    """Hydra's own loader behind a check of all that it loads, in workers of a launcher too.

    `config_dir`: the user's folder, out of which the modules are imported that `grants` allow. It
    holds Hydra's loader and is no subclass of it: Hydra 1.4 calls a private method of those, past
    the check.
    """

    def __init__(
        self,
        search_path: ConfigSearchPath,
        config_dir: Path | None,
        grants: Grants,
        named_primary: str | None = None,
    ) -> None:
        self.config_dir, self.grants, self._named_primary = config_dir, grants, named_primary
        self.checker = ConfigChecker(grants, announces=True)
        self._loader = ConfigLoaderImpl(search_path)
        self._loader.repository = FolderRepository(search_path)
        self._handed_on: tuple[list[str], DictConfig] | None = None

    def compose(
        self, config_name: str, overrides: Sequence[str], run_mode: RunMode = RunMode.RUN
    ) -> DictConfig:
        """What Hydra composes, unchecked: to look for everything that is wrong with it."""
        cfg: DictConfig = self._loader.load_configuration(
            config_name, list(overrides), run_mode, from_shell=False, validate_sweep_overrides=False
        )
        self._check_origin(cfg, config_name, overrides)
        return cfg

    def hand_on(self, cfg: DictConfig, overrides: Sequence[str]) -> None:
        """Let the next load of `overrides` return the composed `cfg` itself, once checked."""
        self._handed_on = list(overrides), cfg

    def load_configuration(
        self,
        config_name: str | None,
        overrides: list[str],
        run_mode: RunMode,
        from_shell: bool = True,
        validate_sweep_overrides: bool = True,
    ) -> DictConfig:
        """The configuration of a run or of a sweep; raises RefusedConfigError.

        Of a sweep's own, which lacks what is swept, what can be is checked.
        """
        handed_on, self._handed_on = self._handed_on, None
        if handed_on is not None and handed_on[0] == overrides:
            cfg = handed_on[1]
        else:
            cfg = self._loader.load_configuration(
                config_name, overrides, run_mode, from_shell, validate_sweep_overrides
            )
            if config_name is not None:
                self._check_origin(cfg, config_name, overrides)
        self._check(cfg, is_job=run_mode == RunMode.RUN and config_name is not None)
        return cfg

    def load_sweep_config(
        self, master_config: DictConfig, sweep_overrides: list[str]
    ) -> DictConfig:
        """The configuration of a sweep's job; raises RefusedConfigError."""
        cfg: DictConfig = self._loader.load_sweep_config(master_config, sweep_overrides)
        overrides = [*container(master_config.hydra.overrides)["hydra"], *sweep_overrides]
        self._check_origin(cfg, master_config.hydra.job.config_name, overrides)
        self._check(cfg, is_job=True)
        return cfg

    def _check_origin(self, cfg: DictConfig, config_name: str, overrides: Sequence[str]) -> None:
        """Raise RefusedConfigError for what config files say and the command line alone may."""
        tree = container(cfg)
        problems = [*check_locations(tree, overrides, self._primary(config_name))]
        # A sweeper would give them to its jobs as if they had been given to it.
        named = tree["hydra"]["overrides"]
        if sorted([*named["hydra"], *named["task"]]) != sorted(overrides):
            problems.append("hydra.overrides is Hydra's own: leave it out")
        if problems:
            raise RefusedConfigError(*problems)

    def _primary(self, config_name: str) -> dict[str, Any]:
        """The content of the primary config, if the command line names it."""
        if config_name != self._named_primary:
            return {}
        primary = self._loader.repository.load_config(config_name)
        node = primary.config if primary is not None else None
        return container(node, config_name) if isinstance(node, DictConfig) else {}

    def _check(self, cfg: DictConfig, *, is_job: bool) -> None:
        if is_job:
            if self.config_dir is not None and self.grants.targets:
                make_importable(self.config_dir, self.grants.targets)  # in a worker not done yet
            _, problems = self.checker.check(cfg)
        else:
            problems = self.checker.check_sweep(cfg)
        if problems:
            raise RefusedConfigError(*problems)

    def has_primary_searchpath(self, config_name: str) -> bool:
        """Whether the primary config itself names further folders."""
        primary = self._loader.repository.load_config(config_name)
        node = primary.config if primary is not None else None
        hydra = node.get("hydra") if isinstance(node, DictConfig) else None
        return isinstance(hydra, DictConfig) and hydra.get("searchpath") is not None

    def get_search_path(self) -> ConfigSearchPath:
        """As Hydra's own loader."""
        return self._loader.get_search_path()

    def get_sources(self) -> list[ConfigSource]:
        """As Hydra's own loader."""
        sources: list[ConfigSource] = self._loader.get_sources()
        return sources

    def list_groups(self, parent_name: str) -> list[str]:
        """As Hydra's own loader."""
        groups: list[str] = self._loader.list_groups(parent_name)
        return groups

    def get_group_options(
        self,
        group_name: str,
        results_filter: ObjectType | None = ObjectType.CONFIG,
        config_name: str | None = None,
        overrides: list[str] | None = None,
    ) -> list[str]:
        """As Hydra's own loader; raises InputError for a search path that is none."""
        try:
            options: list[str] = self._loader.get_group_options(
                group_name, results_filter, config_name, overrides
            )
        except OverrideParseException as error:
            raise InputError(f"{' '.join(overrides or [])}: {first_line(error)}") from error
        return options

    def compute_defaults_list(
        self, config_name: str | None, overrides: list[str], run_mode: RunMode
    ) -> Any:
        """As Hydra's own loader."""
        return self._loader.compute_defaults_list(config_name, overrides, run_mode)


@contextmanager
def open_loader(
    config_dir: Path | None, grants: Grants = NO_GRANTS, named_primary: str | None = None
) -> Iterator[CheckedLoader]:
    """A loader of the shipped config files, and of those in `config_dir` before them.

    `named_primary`: the primary config, if the command line names one, which may say more than
    other files.
    Nothing of Hydra's global state is left changed, so that it also works inside a Hydra job.
    Raises InputError for a folder that does not exist.
    """
    kept = {k: Singleton._instances.pop(k) for k in HYDRA_STATE if k in Singleton._instances}
    try:
        if __version__.startswith("1.3."):
            setbase("1.3")  # not to behave as 1.1 did; from 1.4 on there is one behaviour
        setup_globals()
        JobRuntime.instance().set("name", TASK_NAME)
        # A worker of a launcher's may start in another folder.
        folder = config_dir.resolve() if config_dir is not None else None
        yield CheckedLoader(_search_path(folder), folder, grants, named_primary)
    finally:
        for key in HYDRA_STATE:
            Singleton._instances.pop(key, None)
        Singleton._instances.update(kept)


def _search_path(config_dir: Path | None) -> ConfigSearchPath:
    path = create_config_search_path(str(conf_dir()))
    if config_dir is not None:
        if not config_dir.is_dir():
            raise InputError(f"config directory {config_dir} does not exist")
        # As Hydra places what --config-dir names.
        anchor = SearchPathQuery(provider="schema")
        path.prepend("command-line", f"file://{config_dir}", anchor)
    return path
