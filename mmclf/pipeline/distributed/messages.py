"""What the main process sends to the others of a run: JSON, and tensors beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import TypeAdapter
from torch import Tensor

from mmclf.config.schema import Config
from mmclf.data.decoded_images import DecodedImages
from mmclf.data.samples import Samples
from mmclf.evaluation.threshold_search import Empty
from mmclf.pipeline.stages import data_digest
from mmclf.storage.store.hashing import digest
from mmclf.training.checkpoint import Checkpoint, checkpoint_of, plain_checkpoint
from mmclf.training.fit_data import FitData
from mmclf.training.state_files import packed, unpacked

PREPARE, ENCODE, GATHER, FIT, DONE = "prepare", "encode", "gather", "fit", "done"
PARTS = ("train", "val", "test")

Message = Mapping[str, Any]
Packet = tuple[dict[str, Any], list[Tensor]]


def prepare_packet(
    config: Config,
    samples: Samples,
    images: DecodedImages | None,
    parts: Mapping[str, NDArray[np.int64]],
    modules: Path | None,
    missing: Sequence[str],
) -> Packet:
    """A run's configuration, what its data have to be, and the rows of its parts.

    Args:
        config: of the run, checked.
        samples: of its source.
        images: decoded; None without images.
        parts: rows of `train`, `val` and `test`.
        modules: the folder of the user's own modules.
        missing: modalities whose frozen encoders are needed.

    """
    message = {
        "do": PREPARE,
        "config": asdict(replace(config, study=None)),
        "data": run_digest(samples, images),
        "modules": None if modules is None else str(modules),
        "missing": list(missing),
    }
    return message, [torch.from_numpy(parts[name]) for name in PARTS]


def config_of(message: Message) -> Config:
    """The configuration of a run, which the main process has checked."""
    return TypeAdapter(Config).validate_python(message["config"])


def parts_of(tensors: Sequence[Tensor]) -> dict[str, NDArray[np.int64]]:
    """The rows of the parts of a run."""
    return {name: rows.numpy() for name, rows in zip(PARTS, tensors, strict=True)}


def run_digest(samples: Samples, images: DecodedImages | None) -> str:
    """Of all that a run reads of its data; the same wherever they are the same."""
    content = [data_digest(samples), digest({"captions": list(samples.captions)})]
    if images is not None:
        content += [images.stage.key, *map(str, sorted(images.unreadable))]
    return digest({"data": content})


def fit_packet(
    data: FitData, empty: Empty, every: int | None, resumed: Checkpoint | None
) -> Packet:
    """The inputs of a fit, and the checkpoint that it goes on from.

    Args:
        data: of all samples; labels and parts are known.
        empty: what a prediction without labels becomes.
        every: the epochs between two checkpoints; None for none.
        resumed: None to begin anew.

    """
    state = None if resumed is None else plain_checkpoint(resumed)
    values, tensors = packed(state)
    message = {
        "do": FIT,
        "empty": empty,
        "every": every,
        "features": {name: len(views) for name, views in data.features.items()},
        "means": list(data.means),
        "checkpoint": values,
        "names": list(tensors),
    }
    features = [view for views in data.features.values() for view in views]
    return message, [*features, *tensors.values()]


def features_of(message: Message, tensors: Sequence[Tensor]) -> dict[str, list[Tensor]]:
    """The features of a fit's frozen encoders by modality, (N, D) for each view."""
    given = iter(tensors)
    return {
        str(name): [next(given) for _ in range(count)]
        for name, count in message["features"].items()
    }


def resumed_of(message: Message, tensors: Sequence[Tensor]) -> Checkpoint | None:
    """The checkpoint that a fit goes on from; None to begin anew."""
    names = message["names"]
    of_state = tensors[len(tensors) - len(names) :]
    state = unpacked(message["checkpoint"], dict(zip(names, of_state, strict=True)))
    return None if state is None else checkpoint_of(state)
