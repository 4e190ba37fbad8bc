"""The artifacts of a run: configuration, predictions and model as files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from mmclf.config.schema import Composed, Config
from mmclf.data.samples import Samples
from mmclf.data.split import Parts
from mmclf.data.unreadable_images import write_reasons
from mmclf.evaluation.threshold_search import Empty
from mmclf.models.description import write_files
from mmclf.pipeline.fit_result import FitResult
from mmclf.pipeline.run_data import RunData
from mmclf.pipeline.run_naming import without_passwords
from mmclf.pipeline.stages import data_digest
from mmclf.storage.packages import installed_packages
from mmclf.storage.tracking import Data
from mmclf.storage.working_tree import uncommitted

MODEL_FORMAT = 2
DATA_DIGITS = 12  # of the digest of a data set
PACKAGES, PATCH = "packages.txt", "patch.diff"
# The values of an encoder's description that `model.json` contains.
DESCRIPTION_KEYS = ("out_dim", "sha256", "architecture")


def dataset(composed: Composed, data: RunData) -> Data:
    """The data set of a run, for MLflow: by the digest of its content, with the parts' sizes."""
    samples = data.samples
    columns = {"id": "string"} | ({"image": "string"} if samples.images else {})
    sizes = {"num_rows": len(samples), "labels": len(samples.label_ids)}
    return Data(
        name=composed.choices["data"],
        digest=data_digest(samples)[:DATA_DIGITS],
        location=without_passwords(str(composed.config.data.part.get("root", ""))),
        columns=columns | {"caption": "string", "labels": "string"},
        sizes=sizes | {part: len(rows) for part, rows in data.parts.items()},
    )


def write_config(folder: Path, tree: Mapping[str, Any], overrides: Sequence[str]) -> None:
    """Write `config.yaml`, the composed configuration, and `overrides.yaml`."""
    for name, content in (("config", dict(tree)), ("overrides", list(overrides))):
        text = without_passwords(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


def write_environment(folder: Path, *, patch: bool) -> None:
    """Write `packages.txt`, the installed packages, and if asked for `patch.diff`.

    That is what is not committed in the repository of the working folder, if it is in one.
    """
    (folder / PACKAGES).write_text("\n".join([*installed_packages(), ""]), encoding="utf-8")
    changes = uncommitted(Path.cwd()) if patch else None
    if changes is not None:
        (folder / PATCH).write_text(without_passwords(changes), encoding="utf-8")


def write_predictions(
    folder: Path, samples: Samples, parts: Parts, logits: Mapping[str, NDArray[np.float32]]
) -> None:
    """Write `predictions/{val,test}.npz`: ids and groups (N,), logits and labels (N, L).

    Samples of one group have the same number, whichever part they are in.
    """
    target = folder / "predictions"
    target.mkdir()
    groups = samples.group_numbers
    for name, rows in parts.items():
        if name in logits:
            np.savez_compressed(
                target / f"{name}.npz",
                ids=np.asarray([samples.ids[i] for i in rows]),
                groups=groups[rows],
                logits=logits[name],
                labels=samples.labels[rows],
            )


def write_skipped(folder: Path, data: RunData) -> None:
    """Write `skipped_images.csv`, the skipped samples with the reasons, if there are any."""
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
    """Write `model/`: the trained weights, and `model.json` with all that is needed to load them.

    Frozen encoders are not copied but named, with the digest of their tensors and the precision
    they ran in. TF-IDF's state is copied, as are the weights, the architecture and the tokenizer of
    a trained encoder.

    Args:
        folder: of the artifacts.
        config: of the run.
        data: of the run.
        fit: its result.
        empty: what a prediction without labels becomes.
        thresholds: (L,).
        precisions: of the frozen encoders by modality.

    """
    target = folder / "model"
    write_files(target, fit.model)
    model_record = {
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
            name: {
                "node": config.encoder(name).part | values.get("settings", {}),
                "trained": config.encoder(name).trainable,
            }
            | {key: values[key] for key in DESCRIPTION_KEYS if key in values}
            | {"encoding_precision": precisions.get(name, config.trainer.precision)}
            for name, values in fit.encoders.items()
        },
    }
    (target / "model.json").write_text(json.dumps(model_record, indent=1), encoding="utf-8")
    (folder / "model_summary.txt").write_text(summary(config, fit) + "\n", encoding="utf-8")


def summary(config: Config, fit: FitResult) -> str:
    """The encoders with their widths and numbers of parameters, and the trained layers."""
    lines = [
        f"{name}: {values['class']}, {values['out_dim']} features, {values['parameters']:,} "
        f"parameters, {'trained' if config.encoder(name).trainable else 'frozen'}"
        for name, values in fit.encoders.items()
    ]
    return "\n".join([*lines, fit.summary])
