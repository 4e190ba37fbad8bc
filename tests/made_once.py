"""What tests make over and over, made once in a process: tables, config files, pictures, figures.

Each is kept under all that it depends on, so that a test gets what it would have made. Processes
that a test starts make their own.
"""

from __future__ import annotations

import io
import json
import shutil
import sys
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from functools import wraps
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest


@pytest.fixture(autouse=True, scope="session")
def _made_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Of the modules that a test has imported; the others stay as they are."""
    folder = tmp_path_factory.mktemp("made-once")
    with pytest.MonkeyPatch.context() as patched:
        for name, patch in {
            "mmclf.storage.tracking.database": _copy_tables,
            "mmclf.config.repository": _share_parsed_files,
            "mmclf.data.sources.demo": _keep_demo_pictures,
            "mmclf.pipeline.figures": _keep_figures,
        }.items():
            if name in sys.modules:
                patch(sys.modules[name], folder, patched)
        yield


def _copy_tables(database: Any, folder: Path, patched: pytest.MonkeyPatch) -> None:
    """Copy the first database that MLflow made: its tables take it a second, and are the same."""
    make, empty = database.create_tables, folder / "empty.db"

    def made_or_copied(file: Path) -> None:
        if not empty.exists():
            make(file)
            shutil.copyfile(file, empty)
        else:
            shutil.copyfile(empty, file)

    patched.setattr(database, "create_tables", made_or_copied)


def _share_parsed_files(repository: Any, folder: Path, patched: pytest.MonkeyPatch) -> None:
    """Parse a config file once for all compositions, of which that is a third; by its content."""
    results: dict[Hashable, Any] = {}
    begin = repository.FolderRepository.__init__

    @wraps(begin)
    def sharing(own: Any, search_path: Any) -> None:
        begin(own, search_path)
        own._parsed._results = results

    patched.setattr(repository.FolderRepository, "__init__", sharing)


def _keep_demo_pictures(demo: Any, folder: Path, patched: pytest.MonkeyPatch) -> None:
    """Draw a picture of the demo once for what it shows and the state of its random numbers."""
    draw = demo.draw_jpeg
    kept: dict[str, tuple[bytes, Mapping[str, Any]]] = {}

    def drawn(names: Sequence[str], place: str, rng: np.random.Generator) -> bytes:
        key = repr([names, place, rng.bit_generator.state])
        if key not in kept:
            kept[key] = draw(names, place, rng), rng.bit_generator.state
        picture, rng.bit_generator.state = kept[key]
        return picture

    patched.setattr(demo, "draw_jpeg", drawn)


class _KeptFigure:
    """Stands for a figure, and is drawn unless there is a file of the same one."""

    def __init__(self, draw: Callable[[], Any], numbers: str, folder: Path) -> None:
        self._draw, self._numbers, self._folder = draw, numbers, folder

    def savefig(self, out: io.BytesIO, **settings: object) -> None:
        file = self._folder / sha256(f"{self._numbers} {settings}".encode()).hexdigest()
        if not file.exists():
            held = io.BytesIO()
            self._draw().savefig(held, **settings)
            file.write_bytes(held.getvalue())
        out.write(file.read_bytes())


def _keep_figures(figures: Any, folder: Path, patched: pytest.MonkeyPatch) -> None:
    """Draw a run's figure once for its numbers, which its stage is stored under as well."""
    stored = figures.stored_picture

    @wraps(stored)
    def of_kept(name: str, numbers: Mapping[str, Any], draw: Callable[[], Any], store: Any) -> Any:
        text = json.dumps([name, numbers], default=repr)
        return stored(name, numbers, lambda: _KeptFigure(draw, text, folder), store)

    patched.setattr(figures, "stored_picture", of_kept)
    patched.setattr("mmclf.pipeline.error_figure.stored_picture", of_kept)
