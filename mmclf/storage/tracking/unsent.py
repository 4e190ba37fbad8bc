"""Files of what a run logged while nobody answered: `unsent/RUN_ID.jsonl`, and artifacts beside."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path

from mmclf.errors import InputError
from mmclf.storage.file_limits import TEXT_BYTES, check_size
from mmclf.storage.store.atomic_write import sync_folder
from mmclf.storage.store.inner_files import files_below, inner_file, is_inner_name, remove_tree
from mmclf.storage.tracking.keys import RUN_ID
from mmclf.storage.tracking.logged import Artifacts, Logged, from_json, to_json

FOLDER = "unsent"  # below output_dir
SUFFIX = ".jsonl"


class Unsent:
    """The files of a run below `folder`."""

    def __init__(self, folder: Path, run_id: str) -> None:
        self._folder, self._run_id = folder, run_id
        self.file = folder / f"{run_id}{SUFFIX}"
        self._copies: list[Path] = []  # that are not in the file

    def kept(self, artifacts: Artifacts) -> Artifacts:
        """The artifacts as a copy of their own."""
        folder = self._folder / self._run_id
        copy = next(path for number in count() if not (path := folder / str(number)).exists())
        self._copies.append(copy)
        shutil.copytree(artifacts.folder, copy)
        return replace(artifacts, folder=str(copy))

    def add(self, logged: Sequence[Logged]) -> None:
        """Append to the file."""
        lines = []
        for entry in logged:
            if isinstance(entry, Artifacts):
                kept = entry if Path(entry.folder) in self._copies else self.kept(entry)
                entry = replace(kept, folder=Path(kept.folder).name)  # noqa: PLW2901
            lines.append(f"{to_json(entry)}\n")
        self._folder.mkdir(parents=True, exist_ok=True)
        with self.file.open("a", encoding="utf-8") as stream:
            stream.writelines(lines)
            stream.flush()
            os.fsync(stream.fileno())
        sync_folder(self._folder)
        self._copies.clear()

    def clear(self) -> None:
        """Remove the copies of artifacts that have been sent."""
        for copy in self._copies:
            remove_tree(copy)
        self._copies.clear()
        with suppress(OSError):  # others are in it, or it is not there
            (self._folder / self._run_id).rmdir()

    def remove(self) -> None:
        """Remove the file, and what lies beside it."""
        remove_tree(self._folder / self._run_id)
        self.file.unlink(missing_ok=True)


def read_unsent(folder: Path, run_id: str) -> list[Logged]:
    """What a run could not send, in order; artifacts with their folders.

    Raises InputError if there is no such file, or it holds anything else.
    """
    unsent = Unsent(folder, run_id)
    if RUN_ID.fullmatch(run_id) is None or not unsent.file.is_file():
        raise InputError(
            f"--send {run_id}: there is no {unsent.file}, expected the id of a run whose tracking "
            "was not there: mmclf said so when it ended"
        )
    check_size(unsent.file, TEXT_BYTES, "what was logged")
    logged: list[Logged] = []
    lines = unsent.file.read_bytes().split(b"\n")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            entry = from_json(line.decode())
            if isinstance(entry, Artifacts):
                entry = _placed(entry, folder / run_id)
        except ValueError as error:
            if number == len(lines):
                break  # its writing was cut off
            text = " ".join(str(error).split())[:200]
            raise InputError(
                f"{unsent.file}, line {number}: found what no run logs ({text}): restore the file, "
                "or remove the line"
            ) from error
        logged.append(entry)
    return logged


def _placed(artifacts: Artifacts, folder: Path) -> Artifacts:
    """The artifacts with their folder's path; raises ValueError if that leads elsewhere."""
    if not is_inner_name(artifacts.folder) or "/" in artifacts.folder:
        raise ValueError(f"the folder {artifacts.folder!r} is not beside it")
    copy = folder / artifacts.folder
    for file in files_below(copy):
        inner_file(copy, file.relative_to(copy).as_posix())
    if any(path.is_symlink() for path in (folder, copy, *copy.rglob("*"))) or not copy.is_dir():
        raise ValueError(f"the folder {copy} is missing, or holds links")
    return replace(artifacts, folder=str(copy))
