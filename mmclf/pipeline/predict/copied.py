"""Frozen encoders copied into a run's model, which then needs neither a hub nor a package."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from torch import nn

from mmclf.models.describe import tokenizer_files
from mmclf.models.description import write_files
from mmclf.models.text import HuggingFaceEncoder
from mmclf.models.weights import as_safetensors
from mmclf.pipeline.predict.restore import copied_weights, restore


def copy_encoders(folder: Path, allow: Sequence[str], model_types: Sequence[str] = ()) -> None:
    """Copy the frozen networks that the model in `folder` names into it.

    Raises InputError as `restore` does: for an encoder that is out of reach, or not the run's.

    Args:
        folder: of the model.
        allow: modules of the user that its parts may come from.
        model_types: of transformers, that are allowed beside the usual.

    """
    restored = restore(folder, allow, model_types)
    path = folder / "model.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    for name, encoder in restored.encoders.items():
        if restored.record.encoders[name].trained or not isinstance(encoder, nn.Module):
            continue
        values = content["encoders"][name]
        copied_weights(folder, name).write_bytes(as_safetensors(encoder))
        values["copied"] = True
        if isinstance(encoder, HuggingFaceEncoder):
            values["architecture"] = encoder.architecture()
            write_files(folder, tokenizer_files(encoder.tokenizer))
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")
