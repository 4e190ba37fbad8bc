"""The config files that Hydra composes: from folders alone, parsed once for each content."""

from __future__ import annotations

import copy
from collections.abc import Callable, Hashable, Iterator, Sequence
from pathlib import Path

from hydra._internal.config_repository import ConfigRepository
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.default_element import InputDefault
from hydra.core.object_type import ObjectType
from hydra.plugins.config_source import ConfigResult, ConfigSource

from mmclf.config.hydra_policy import check_searchpath
from mmclf.config.limits import MAX_FILE_BYTES, MAX_FILES, check_yaml
from mmclf.errors import InputError


class ParsedFiles:
    """Parsed config files by their content, the same for all copies of a repository.

    What it gives are copies, as Hydra changes what it composes. Another process parses anew.
    """

    def __init__(self) -> None:
        self._results: dict[Hashable, ConfigResult] = {}

    def get(self, key: Hashable, parse: Callable[[], ConfigResult]) -> ConfigResult:
        """The result under `key`, parsed if it is not there yet."""
        if key not in self._results:
            self._results[key] = parse()
        return copy.deepcopy(self._results[key])

    def __deepcopy__(self, _memo: object) -> ParsedFiles:
        return self

    def __reduce__(self) -> tuple[type[ParsedFiles], tuple[()]]:
        return ParsedFiles, ()


class FolderRepository(ConfigRepository):  # type: ignore[misc]  # Hydra has no types
    """Hydra's repository of config files, which imports no package that a config file names.

    Hydra imports what follows pkg:// in hydra.searchpath before there is a composed config that
    could be checked, so such a path is refused here, where the sources are made. Those of the
    search path that the repository starts from are mmclf's, Hydra's and its plugins' own.
    """

    def __init__(self, config_search_path: ConfigSearchPath) -> None:
        self._own_paths = frozenset(_elements(config_search_path))
        self._parsed = ParsedFiles()
        self._expanded = _Count()
        super().__init__(config_search_path)

    def initialize_sources(self, config_search_path: ConfigSearchPath) -> None:
        """As Hydra calls it; raises InputError for a path that is no folder's."""
        added = [
            path
            for provider, path in _elements(config_search_path)
            if (provider, path) not in self._own_paths
        ]
        problems = check_searchpath(added)
        if problems:
            raise InputError(*problems)
        super().initialize_sources(config_search_path)

    def load_config(self, config_path: str) -> ConfigResult | None:
        """As Hydra calls it.

        Raises InputError for a file that is too large, and a defaults list that calls a resolver.
        """
        source = self._find_object_source(config_path, ObjectType.CONFIG)
        if source is None:
            return None
        content = _content(source, config_path)
        key = (source.provider, source.path, config_path, content)

        def parse() -> ConfigResult:
            check_yaml(content, _file_name(source, config_path))
            return super(FolderRepository, self).load_config(config_path)

        result = self._parsed.get(key, parse)
        result.defaults_list = _CountedDefaults(result.defaults_list or (), self._expanded)
        problems = list(_unsteady(result, config_path)) if source.scheme() == "file" else []
        if problems:
            raise InputError(*problems)
        return result


def _elements(search_path: ConfigSearchPath) -> Iterator[tuple[str, str]]:
    for element in search_path.get_path():
        yield element.provider, element.path


class _Count:
    """How often defaults lists have been expanded; Hydra copies a repository for a composition."""

    def __init__(self) -> None:
        self.value = 0


class _CountedDefaults(list[InputDefault]):
    """A defaults list, which Hydra copies each time that something leads to it."""

    def __init__(self, defaults: Sequence[InputDefault], count: _Count) -> None:
        super().__init__(defaults)
        self._count = count

    def __deepcopy__(self, memo: dict[int, object]) -> list[InputDefault]:
        self._count.value += 1
        if self._count.value > MAX_FILES:
            raise InputError(
                f"the defaults lists lead to more than {MAX_FILES:,} config files, each counted as "
                "often as they do: expected no more"
            )
        return [copy.deepcopy(default, memo) for default in self]


def _content(source: ConfigSource, config_path: str) -> bytes:
    """What a folder's file holds, or the beginning of it if it is too large.

    Files of installed packages stay as they are.
    """
    if source.scheme() != "file":
        return b""
    with Path(source.path, source._normalize_file_name(config_path)).open("rb") as stream:
        return stream.read(MAX_FILE_BYTES + 1)


def _file_name(source: ConfigSource, config_path: str) -> str:
    return f"{source.path}/{source._normalize_file_name(config_path)}"


def _unsteady(result: ConfigResult, config_path: str) -> Iterator[str]:
    """A problem if a defaults list could choose another file whenever it is read.

    A level such as ${now:%S} or ${oc.env:X} would be another one in a job than on the command line.
    """
    entries = [
        text
        for default in result.defaults_list or ()
        for value in vars(default).values()
        for text in (value if isinstance(value, list) else [value])
        if isinstance(text, str)
    ]
    if any("${" in text and ":" in text for text in entries):
        folder = str(result.path).removeprefix("file://")
        yield (
            f"{folder}/{config_path.removesuffix('.yaml')}.yaml: its defaults list calls a "
            "resolver, expected levels or ${GROUP} alone"
        )
