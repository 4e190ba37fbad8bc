"""The config files: where they lie, composing them with Hydra, and their plain form."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from hydra._internal.hydra import Hydra
from hydra._internal.utils import create_config_search_path
from hydra.core.config_loader import ConfigLoader
from hydra.core.config_search_path import SearchPathQuery
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.singleton import Singleton
from hydra.core.utils import JobRuntime
from hydra.errors import HydraException
from hydra.types import RunMode
from hydra.version import VersionBase, setbase
from omegaconf import DictConfig, ListConfig, OmegaConf, flag_override
from omegaconf.errors import OmegaConfBaseException

from mmclf.config.hydra_policy import check_searchpath
from mmclf.errors import InputError

HYDRA_STATE = (GlobalHydra, JobRuntime, VersionBase)


@dataclass(frozen=True)
class Source:
    """Where Hydra finds config files: a loader, the primary config, and further folders."""

    loader: ConfigLoader
    config_name: str
    searchpath: list[str]  # the override that names further folders, or nothing

    def load(self, lines: Sequence[str]) -> DictConfig:
        """The composed config with its `hydra` node; raises InputError for what Hydra refuses."""
        with hydra_errors():
            cfg: DictConfig = self.loader.load_configuration(
                self.config_name,
                [*self.searchpath, *lines],
                RunMode.RUN,
                from_shell=False,
                validate_sweep_overrides=False,
            )
        return cfg


def conf_dir() -> Path:
    """The folder of the shipped config: inside the wheel, or beside the package in a checkout."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "conf", package.parent / "conf"):
        if (folder / "config.yaml").is_file():
            return folder
    raise InputError(f"{package}: no conf folder in it or beside it: install mmclf again")


@contextmanager
def open_source(
    config_dir: Path | None, config_name: str, searchpath: str | None = None
) -> Iterator[Source]:
    """The shipped config, with `config_dir` and the folders of the override `searchpath` added.

    Nothing of Hydra's global state is left changed, so that it also works inside a Hydra job.
    Raises InputError for a folder that does not exist and a search path that Hydra would import.
    """
    conf = conf_dir()
    path = create_config_search_path(str(conf))
    if config_dir is not None:
        if not config_dir.is_dir():
            raise InputError(f"config directory {config_dir} does not exist")
        folder = f"file://{config_dir.resolve()}"
        path.prepend("command-line", folder, SearchPathQuery(provider="schema"))  # as Hydra does
    folders = [conf] if config_dir is None else [conf, config_dir]
    line = _checked_searchpath(searchpath, folders, config_name)
    # As hydra.initialize_config_dir does, which knows no second folder and no running job.
    kept = {k: Singleton._instances.pop(k) for k in HYDRA_STATE if k in Singleton._instances}
    try:
        setbase("1.3")
        Hydra.create_main_hydra2("mmclf", path)
        yield Source(GlobalHydra.instance().config_loader(), config_name, line)
    finally:
        for key in HYDRA_STATE:
            Singleton._instances.pop(key, None)
        Singleton._instances.update(kept)


def _checked_searchpath(line: str | None, folders: Sequence[Path], config_name: str) -> list[str]:
    """`line` in a list; raises InputError if it or the primary config names more than folders."""
    files = [folder / f"{config_name.removesuffix('.yaml')}.yaml" for folder in folders]
    file = next((file for file in files if file.is_file()), None)
    with hydra_errors():
        if line is not None:
            value = OverridesParser.create().parse_override(line).value()
        else:
            primary = OmegaConf.load(file) if file is not None else OmegaConf.create()
            node = OmegaConf.to_container(primary, resolve=False)
            hydra = node.get("hydra") if isinstance(node, dict) else None
            value = hydra.get("searchpath") if isinstance(hydra, dict) else None
    problems = check_searchpath(value)
    if problems:
        raise InputError(*problems)
    named = value if isinstance(value, list) else []
    for folder in (*folders[1:], *(Path(str(entry).removeprefix("file://")) for entry in named)):
        problems += _unsteady(folder)
    if problems:
        raise InputError(*problems)
    return [] if line is None else [line]


def _unsteady(folder: Path) -> Iterator[str]:
    """A finding for each file whose defaults list could choose otherwise when Hydra reads it again.

    A level such as ${now:%S} or ${oc.env:X} would be another one in the run than in the check.
    """
    for file in sorted(folder.rglob("*.y*ml")):
        text = file.read_text(encoding="utf-8", errors="replace")
        if "${" not in text or "defaults" not in text:
            continue
        try:
            node = OmegaConf.to_container(OmegaConf.load(file), resolve=False)
        except (yaml.YAMLError, OmegaConfBaseException, OSError, ValueError):
            continue  # Hydra says what is wrong with it if the file is used
        defaults = node.get("defaults") if isinstance(node, dict) else None
        if any("${" in entry and ":" in entry for entry in _texts(defaults)):
            yield f"{file}: its defaults list calls a resolver, expected levels or ${{GROUP}} alone"


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


def _texts(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        yield from (text for pair in node.items() for item in pair for text in _texts(item))
    elif isinstance(node, list):
        yield from (text for item in node for text in _texts(item))
    elif isinstance(node, str):
        yield node


def plain(cfg: DictConfig) -> tuple[dict[str, Any], list[str]]:
    """Plain containers without `hydra`, and a finding for each value that cannot be resolved."""
    problems: list[str] = []
    task = copy.deepcopy(cfg)
    with flag_override(task, ["struct", "readonly"], [False, False]):
        task.pop("hydra", None)
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
