"""The installed packages by name and version, without the addresses that they came from."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from importlib import metadata

# As packaging standards have them; what is spelt otherwise is left out.
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.!+_-]*")
_COMMIT = re.compile(r"[0-9a-f]{7,64}")


@functools.cache  # what a process has imported does not change with what is installed
def installed_packages() -> tuple[str, ...]:
    """As `numpy==2.4.1`, sorted by name, each once: the first on the path is what is imported.

    Of an editable install and of one from an address, that it is one, and of a repository the
    commit; never where it is.
    """
    packages: dict[str, str] = {}
    for distribution in metadata.distributions():
        given = distribution.metadata
        name, version = given["Name"], given["Version"]
        if not (_fits(_NAME, name) and _fits(_VERSION, version)):
            continue
        key = re.sub(r"[-_.]+", "-", name).lower()
        packages.setdefault(key, " ".join([f"{name}=={version}", *_origin(distribution)]))
    return tuple(line for _, line in sorted(packages.items()))


def _fits(pattern: re.Pattern[str], text: object) -> bool:
    return isinstance(text, str) and pattern.fullmatch(text) is not None


def _origin(distribution: metadata.Distribution) -> Iterator[str]:
    """What `direct_url.json` says (PEP 610), without the address."""
    try:
        origin = json.loads(distribution.read_text("direct_url.json") or "null")
    except (OSError, ValueError):
        return
    if not isinstance(origin, dict):
        return
    folder, repository = origin.get("dir_info"), origin.get("vcs_info")
    if isinstance(folder, dict):
        yield "(editable)" if folder.get("editable") is True else "(from a folder)"
    elif isinstance(repository, dict):
        commit = repository.get("commit_id")
        yield f"(commit {commit})" if _fits(_COMMIT, commit) else "(from a repository)"
    else:
        yield "(from a file)"
