"""A file or folder of anyone's to the data level that reads it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from mmclf.data.guess.coco import guess_coco
from mmclf.data.guess.preview import JSON_LINES, PARQUET, TEXT, is_table
from mmclf.data.guess.settings import Guess, Setting
from mmclf.data.guess.table import guess_table
from mmclf.data.problems import listed, shown
from mmclf.data.samples import Samples
from mmclf.data.sources import coco, competition, table
from mmclf.data.sources.competition_csv import LABELLED
from mmclf.errors import InputError

LOADERS: Mapping[str, Callable[..., Samples]] = {
    "table": table.load,
    "coco": coco.load,
    "competition": competition.load,
}
EXPECTED = (
    f"a table ({' '.join((*TEXT, *JSON_LINES, *PARQUET))}), MS COCO's JSON, or a folder of them"
)
PARTS: Mapping[str, str] = {
    "train": "train",
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
    "test": "test",
}


def guess(path: Path) -> Guess:
    """Guess what reads a file or folder; settings that its source does not take are left out.

    Raises InputError if it holds nothing that a source reads, or more than one thing.
    """
    if not path.exists():
        raise InputError(f"there is no file or folder {path}; expected {EXPECTED}")
    guessed = _folder(path) if path.is_dir() else _file(path)
    taken = inspect.signature(LOADERS[guessed.source]).parameters
    return replace(
        guessed, settings=tuple(setting for setting in guessed.settings if setting.key in taken)
    )


def _file(path: Path) -> Guess:
    if path.name == "train.csv" and _is_competition(path.absolute().parent):
        return _folder(path.parent)
    if is_table(path):
        return guess_table(path)
    if path.suffix.lower() == ".json":
        chosen = path.absolute()
        folder = chosen.parent
        root = folder.parent if folder.name == "annotations" else folder
        guessed = guess_coco(_json(_files(folder)), root, chosen)
        if guessed is not None:
            return guessed
    raise InputError(f"{path} is nothing that can be read; expected {EXPECTED}")


def _folder(path: Path) -> Guess:
    """The competition's layout, MS COCO's, or tables."""
    root = path.absolute()
    if root.name == "annotations":  # of MS COCO's files, whose images lie beside it
        root = root.parent
    if _is_competition(root):
        return Guess("competition", "train.csv and data as the competition has them", root, ())
    files = _files(root)
    guessed = guess_coco(_json([*files, *_files(root / "annotations")]), root)
    if guessed is not None:
        return guessed
    tables = [file for file in files if is_table(file)]
    tables = tables or [file for file in _files(root / "data") if is_table(file)]
    if len(tables) == 1:
        return guess_table(tables[0])
    if not tables:
        raise InputError(f"{path} holds nothing that can be read; expected {EXPECTED}")
    return _several(tables, path)


def _files(folder: Path) -> list[Path]:
    """The files in a folder, in the order of their names; none if it does not exist."""
    return sorted(file for file in folder.iterdir() if file.is_file()) if folder.is_dir() else []


def _json(files: Sequence[Path]) -> list[Path]:
    return [file for file in files if file.suffix.lower() == ".json"]


def _is_competition(folder: Path) -> bool:
    file = folder / "train.csv"
    if not file.is_file() or not (folder / "data").is_dir():
        return False
    with file.open(encoding="utf-8-sig", errors="replace") as lines:
        return [name.strip().strip('"') for name in lines.readline().split(",")] == LABELLED


def _several(tables: Sequence[Path], path: Path) -> Guess:
    """A table for each part, by their names; each may be in several files, numbered alike."""
    files: dict[str | None, list[Path]] = {}
    for file in tables:
        words = re.split(r"[^a-z]+", file.name.casefold())
        part = next((PARTS[word] for word in words if word in PARTS), None)
        files.setdefault(part, []).append(file)
    others = files.pop(None, [])
    if "train" not in files:
        raise InputError(
            f"{path} holds {len(tables)} tables ({listed([file.name for file in tables])}), and "
            "their names do not tell which is train, val or test: give one of them"
        )
    first = guess_table(files["train"][0])
    names = {
        part: _pattern(files[part]).relative_to(first.root).as_posix()
        for part in dict.fromkeys(PARTS.values())
        if part in files
    }
    why = "by the files' names"
    if others:
        why += f"; {listed([shown(file.name) for file in others])} left out"
    kept = [setting for setting in first.settings if setting.key not in ("file", "split_column")]
    return replace(first, settings=(Setting("files", names, why), *kept))


def _pattern(files: Sequence[Path]) -> Path:
    """The file, or a pattern of several that are numbered, as train-*.parquet."""
    if len(files) == 1:
        return files[0]
    begins = re.split(r"\d", files[0].name)[0]
    return files[0].with_name(f"{begins}*{''.join(files[0].suffixes)}")
