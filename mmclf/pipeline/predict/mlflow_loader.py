"""What MLflow calls: `_load_pyfunc` reads a run's model, whose `predict` takes and gives tables.

A model may come from a stranger, and requests to a server do: what they may use beside the model's
files and the request itself, the environment of the process alone says.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from mmclf.data.images import ImageBytes
from mmclf.errors import InputError
from mmclf.pipeline.predict.inputs import ImageLike
from mmclf.pipeline.predict.predictor import Predictor
from mmclf.pipeline.predict.restore import restore
from mmclf.training.device import pick_device

ROOT, DEVICE = "MMCLF_IMAGE_ROOT", "MMCLF_DEVICE"
TARGETS, MODEL_TYPES = "MMCLF_ALLOW_TARGETS", "MMCLF_ALLOW_MODEL_TYPES"  # with commas between
IMAGE, IMAGE_PATH, CAPTION = "image", "image_path", "caption"
COLUMNS = {"vision": (IMAGE, IMAGE_PATH), "text": (CAPTION,)}


class TableModel:
    """A run's model as MLflow uses it: a table of samples to a table of labels.

    Args:
        predictor: of the run.
        image_root: the folder below which paths of images may lead; None for no paths.

    """

    def __init__(self, predictor: Predictor, image_root: Path | None) -> None:
        self._predictor, self._root = predictor, image_root
        names = predictor.label_names
        self._names = names if len(set(names)) == len(names) else predictor.label_ids

    def predict(
        self, model_input: pd.DataFrame, params: Mapping[str, Any] | None = None
    ) -> pd.DataFrame:
        """The column `labels`, a list of names for each sample, and `probabilities`, by name.

        Raises InputError for columns that are missing, images that cannot be read, and paths that
        lead out of the folder of images, or where there is none.

        Args:
            model_input: `image` (the bytes of a file) or `image_path`, and `caption`; an empty
                cell is a missing one.
            params: as `top`, how many of the most probable labels are given instead of those that
                reach their thresholds.

        """
        top = int((params or {}).get("top", 0))
        if top < 0:
            raise InputError(f"top: found {top}, expected 0 or more labels")
        given = {name: self._columns(name, model_input) for name in self._predictor.modalities}
        images = self._images(model_input) if given.get("vision") else None
        captions = _texts(model_input[CAPTION]) if given.get("text") else None
        if images is None and captions is None:
            wanted = [column for name in given for column in COLUMNS[name]]
            raise InputError(
                f"found the columns {', '.join(map(repr, model_input.columns))}, expected "
                f"{' or '.join(map(repr, wanted))}"
            )
        probabilities = self._predictor.predict_proba(images, captions, top=top)
        chosen = self._predictor.chosen_labels(probabilities, top=top)
        return pd.DataFrame(
            {
                "labels": [[self._names[j] for j in columns] for columns in chosen],
                "probabilities": [
                    dict(zip(self._names, row, strict=True)) for row in probabilities.tolist()
                ],
            },
            index=model_input.index,
        )

    def _columns(self, modality: str, table: pd.DataFrame) -> list[str]:
        return [column for column in COLUMNS[modality] if column in table]

    def _images(self, table: pd.DataFrame) -> list[ImageLike | None]:
        rows = range(len(table))
        contents = table[IMAGE].tolist() if IMAGE in table else [None] * len(table)
        paths = _texts(table[IMAGE_PATH]) if IMAGE_PATH in table else [None] * len(table)
        return [self._image(row, contents[row], paths[row]) for row in rows]

    def _image(self, row: int, content: object, path: str | None) -> ImageLike | None:
        if isinstance(content, bytes | bytearray) and len(content) > 0:
            return ImageBytes(f"{IMAGE}[{row}]", bytes(content))
        return None if not path else self._inside(row, path)

    def _inside(self, row: int, path: str) -> Path:
        """A path below the folder of images; raises InputError for any other."""
        if self._root is None:
            raise InputError(
                f"{IMAGE_PATH}[{row}]: paths are not read, as no folder of images is given: send "
                f"the image itself as {IMAGE!r}, or start with {ROOT}=DIR in the environment"
            )
        root = self._root.resolve()
        try:
            file = (root / path).resolve()
            is_there = file.is_relative_to(root) and file.is_file()
        except (OSError, ValueError, RuntimeError):  # too long, a NUL, a circle of links
            is_there = False
        if "://" in path or not is_there:
            raise InputError(
                f"{IMAGE_PATH}[{row}]: found {path[:200]!r}, expected the path of a file below "
                f"{ROOT}; URLs are never fetched"
            )
        return file


def _load_pyfunc(path: str, model_config: Mapping[str, Any] | None = None) -> TableModel:
    """The model in a folder, for MLflow; raises InputError if it cannot be restored.

    What it may use is in the environment: `model_config` may come with the model, and is refused.
    """
    if model_config:
        raise InputError(
            f"model_config: found {', '.join(model_config)}, expected none: what a model may use "
            f"is said by {ROOT}, {DEVICE}, {TARGETS} and {MODEL_TYPES} in the environment"
        )
    folder = Path(path)
    with torch.random.fork_rng(devices=[]):
        restored = restore(folder, _named(TARGETS), _named(MODEL_TYPES))
    device = pick_device(os.environ.get(DEVICE, "auto"))
    root = os.environ.get(ROOT)
    return TableModel(Predictor(folder.name, restored, device), Path(root) if root else None)


def _named(variable: str) -> list[str]:
    return [name.strip() for name in os.environ.get(variable, "").split(",") if name.strip()]


def _texts(column: pd.Series[Any]) -> Sequence[str | None]:
    """The texts of a column, None where there is none."""
    return [value if isinstance(value, str) else None for value in column.tolist()]
