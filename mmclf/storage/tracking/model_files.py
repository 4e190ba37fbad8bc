"""The files by which MLflow loads a run's model: `MLmodel`, and an input for trying it.

Nothing is pickled: a module of mmclf's reads the model's own files.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlflow.models import Model, ModelSignature
from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema
from mlflow.types.schema import Array, Map

EXAMPLE, REQUEST = "input_example.json", "serving_input_example.json"
# Columns that a model may read; which of them it does, its modalities say.
INPUTS = {
    "vision": (
        ColSpec(DataType.binary, "image", required=False),
        ColSpec(DataType.string, "image_path", required=False),
    ),
    "text": (ColSpec(DataType.string, "caption", required=False),),
}
OUTPUTS = Schema(
    [ColSpec(Array(DataType.string), "labels"), ColSpec(Map(DataType.double), "probabilities")]
)
PARAMS = ParamSchema([ParamSpec("top", DataType.long, 0)])
# Of nobody's: four pixels of grey as a PNG.
IMAGE = (
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAAAAABX3VL4AAAADklEQVR4nGNsYGBiYAAAApIAhPd8o1gAAAAASUVO"
    "RK5CYII="
)
EXAMPLES = {"image": IMAGE, "caption": "a dog on a bench"}


def write_model_files(folder: Path, loader: str, modalities: Sequence[str], run: str) -> None:
    """Write `MLmodel` and examples of its input to `folder`, beside the model's own files.

    Args:
        folder: of the model.
        loader: the module whose `_load_pyfunc` reads it.
        modalities: that it predicts from.
        run: the id of its run.

    """
    columns = [column for name in modalities for column in INPUTS[name]]
    flavor = {"loader_module": loader, "python_version": platform.python_version()}
    model = Model(
        artifact_path=folder.name,
        run_id=run,
        flavors={"python_function": flavor},
        signature=ModelSignature(Schema(columns), OUTPUTS, PARAMS),
        saved_input_example_info={
            "artifact_path": EXAMPLE,
            "serving_input_path": REQUEST,
            "type": "dataframe",
            "pandas_orient": "split",
        },
    )
    model.save(str(folder / "MLmodel"))
    names = [column.name for column in columns if column.name in EXAMPLES]
    example: dict[str, Any] = {"columns": names, "data": [[EXAMPLES[name] for name in names]]}
    (folder / EXAMPLE).write_text(json.dumps(example), encoding="utf-8")
    (folder / REQUEST).write_text(json.dumps({"dataframe_split": example}), encoding="utf-8")
