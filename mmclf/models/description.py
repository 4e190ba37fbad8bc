"""The description of an encoder in a run's artifacts, with the files needed to rebuild it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmclf.storage.store.entry import Entry
from mmclf.storage.store.inner_files import is_inner_name

FOLDER, VALUES_FILE = "encoder", "encoder.json"


@dataclass(frozen=True)
class EncoderDescription:
    """The description of an encoder.

    Args:
        values: its class, width, number of parameters and the like; as `settings`, what those that
            say `auto` came to.
        files: contents by name, as of a tokenizer or of TF-IDF's state.

    """

    values: Mapping[str, Any]
    files: Mapping[str, bytes]

    def write(self, folder: Path) -> None:
        """Write the description to `folder`, which may hold other files."""
        (folder / VALUES_FILE).write_text(json.dumps(dict(self.values), indent=1), encoding="utf-8")
        write_files(folder / FOLDER, self.files)

    @staticmethod
    def read(entry: Entry) -> EncoderDescription:
        """Read a description from an entry; raises DamagedError as `Entry.path` does."""
        return EncoderDescription(json.loads(entry.read(VALUES_FILE)), read_files(entry, FOLDER))


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files with these contents below `folder`; raises ValueError for a name outside it."""
    for name, data in files.items():
        if not is_inner_name(name):
            raise ValueError(f"found the file name {name!r}, expected one inside {folder}")
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def read_files(entry: Entry, folder: str) -> dict[str, bytes]:
    """The contents of an entry's files below `folder`, by their names in it."""
    names = [name for name in entry.files if name.startswith(f"{folder}/")]
    return {name.removeprefix(f"{folder}/"): entry.read(name) for name in names}
