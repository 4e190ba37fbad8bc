"""What a run leaves behind as files: configuration, predictions, model."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from mmclf.config.schema import Config
from mmclf.data.samples import Samples
from mmclf.data.split import Parts
from mmclf.data.unreadable_images import write_reasons
from mmclf.evaluation.threshold_search import Empty
from mmclf.models.description import write_files
from mmclf.pipeline.fit_result import FitResult
from mmclf.pipeline.run_data import RunData
from mmclf.pipeline.run_naming import without_passwords

MODEL_FORMAT = 2
# What `model.json` says of an encoder out of its description.
DESCRIBED = ("out_dim", "sha256", "architecture")


def write_config(folder: Path, tree: Mapping[str, Any], overrides: Sequence[str]) -> None:
    """`config.yaml`, the whole composed configuration, and `overrides.yaml`, what was asked for."""
    for name, content in (("config", dict(tree)), ("overrides", list(overrides))):
        text = without_passwords(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


def write_predictions(
    folder: Path, samples: Samples, parts: Parts, logits: Mapping[str, NDArray[np.float32]]
) -> None:
    """`predictions/{val,test}.npz`: ids (N,), logits and labels (N, L)."""
    target = folder / "predictions"
    target.mkdir()
    for name, rows in parts.items():
        if name in logits:
            np.savez_compressed(
                target / f"{name}.npz",
                ids=np.asarray([samples.ids[i] for i in rows]),
                logits=logits[name],
                labels=samples.labels[rows],
            )


def write_skipped(folder: Path, data: RunData) -> None:
    """`skipped_images.csv`, which samples were left out and why, if any were."""
    if data.images is not None and data.images.unreadable:
        write_reasons(folder / "skipped_images.csv", data.samples, data.images.unreadable)


def write_model(
    folder: Path,
    config: Config,
    data: RunData,
    fit: FitResult,
    empty: Empty,
    thresholds: NDArray[np.float64],
    precisions: Mapping[str, str],
) -> None:
    """`model/`: trained weights, and in `model.json` all that is needed to use them again.

    Frozen encoders are not copied but named, with the sum of their tensors and the precision that
    they ran in; TF-IDF's state is copied, and so are the weights, the architecture and the
    tokenizer of an encoder that was trained.

    Args:
        empty: what a prediction without labels becomes.

    """
    target = folder / "model"
    write_files(target, fit.model)
    description = {
        "format": MODEL_FORMAT,
        "label_ids": list(data.samples.label_ids),
        "label_names": list(data.samples.label_names),
        "thresholds": thresholds.tolist(),
        "empty": empty,
        "image": asdict(config.image),
        "precision": config.trainer.precision,
        "fusion": config.fusion,
        "head": asdict(config.head),
        "encoders": {
            name: {"node": config.encoder(name).part, "trained": config.encoder(name).trainable}
            | {key: about[key] for key in DESCRIBED if key in about}
            | {"encoding_precision": precisions.get(name, config.trainer.precision)}
            for name, about in fit.encoders.items()
        },
    }
    (target / "model.json").write_text(json.dumps(description, indent=1), encoding="utf-8")
    (folder / "model_summary.txt").write_text(summary(config, fit) + "\n", encoding="utf-8")


def summary(config: Config, fit: FitResult) -> str:
    """The encoders with their widths and parameters, then the trained layers."""
    lines = [
        f"{name}: {about['class']}, {about['out_dim']} features, {about['parameters']:,} "
        f"parameters, {'trained' if config.encoder(name).trainable else 'frozen'}"
        for name, about in fit.encoders.items()
    ]
    return "\n".join([*lines, fit.summary])
