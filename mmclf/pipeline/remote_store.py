"""The remote store of a run: opened before it, all sent when it ends.

Beside the results it has the precisions that `encode.precision=auto` came to, as they are in keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmclf.config.schema import Config
from mmclf.errors import is_interruption
from mmclf.storage.store.json_cache import JsonCache, parsed, serialized
from mmclf.storage.store.remote import Remote

PRECISIONS = "memory/precision.json"  # in the store, and in the remote one


@contextmanager
def open_remote(config: Config) -> Iterator[Remote | None]:
    """The remote store, if there is one; at the end of the block it is waited for.

    Not if the block is interrupted. Raises InputError for an address that cannot be opened.
    """
    if config.store.remote is None:
        yield None
        return
    remote = Remote(config.store.remote)
    here = JsonCache(Path(config.store.dir) / PRECISIONS)
    there = _precisions(remote)
    if there:
        here.add({key: value for key, value in there.items() if here.get(key) is None})
    try:
        yield remote
    except BaseException as error:
        remote.close(abandon=is_interruption(error))
        raise
    if not here.all().keys() <= there.keys():
        remote.write(PRECISIONS, serialized({**here.all(), **_precisions(remote)}))
    remote.close()


def _precisions(remote: Remote) -> dict[str, Any]:
    """What the remote store knows, without what is no precision."""
    facts = parsed(remote.read(PRECISIONS) or b"")
    return {
        key: value
        for key, value in facts.items()
        if isinstance(value, dict) and type(value.get("bf16")) is bool
    }
