"""What a run leaves behind as files: configuration, figures, predictions, model."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import nn

from mmclf.config.schema import Config
from mmclf.data.samples import Samples
from mmclf.data.split import Parts, label_shares
from mmclf.gallery import write_reasons
from mmclf.inputs import Inputs
from mmclf.models.text import HuggingFaceEncoder
from mmclf.models.tfidf import Tfidf
from mmclf.models.weights import module_sha256
from mmclf.names import without_passwords
from mmclf.report.figures import label_shares_figure, learning_curves_figure

MODEL_FORMAT = 2


def write_config(folder: Path, tree: Mapping[str, Any], overrides: Sequence[str]) -> None:
    """`config.yaml`, the whole composed configuration, and `overrides.yaml`, what was asked for."""
    for name, content in (("config", dict(tree)), ("overrides", list(overrides))):
        text = without_passwords(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


def write_figures(
    folder: Path, samples: Samples, parts: Parts, history: Mapping[str, Sequence[float]]
) -> None:
    """`figures/`: the label shares of the split, and the learning curves of `history`."""
    target = folder / "figures"
    target.mkdir()
    shares = label_shares_figure(label_shares(samples.labels, parts), samples.label_names)
    shares.savefig(target / "label_shares.png", dpi=120)
    learning_curves_figure(history).savefig(target / "learning_curves.png", dpi=120)


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


def write_skipped(folder: Path, inputs: Inputs) -> None:
    """`skipped_images.csv`, which samples were left out and why, if any were."""
    if inputs.gallery is not None and inputs.gallery.unreadable:
        path = folder / "skipped_images.csv"
        write_reasons(path, inputs.samples, inputs.gallery.unreadable)


def write_model(
    folder: Path,
    config: Config,
    inputs: Inputs,
    model: nn.Module,
    thresholds: NDArray[np.float64],
    precisions: Mapping[str, str],
) -> None:
    """`model/`: trained weights, and in `model.json` all that is needed to use them again.

    Frozen encoders are not copied but named, with the sum of their tensors and the precision that
    they ran in; TF-IDF's state is copied, and so are the weights, the architecture and the
    tokenizer of an encoder that was trained.
    """
    target = folder / "model"
    target.mkdir()
    # safetensors takes neither channels_last weights nor two names of one tensor.
    weights = {
        name: value.clone(memory_format=torch.contiguous_format)
        for name, value in model.state_dict().items()
    }
    save_file(weights, target / "classifier.safetensors")
    description = {
        "format": MODEL_FORMAT,
        "label_ids": list(inputs.samples.label_ids),
        "label_names": list(inputs.samples.label_names),
        "thresholds": thresholds.tolist(),
        "empty": inputs.threshold.empty,
        "image": asdict(config.image),
        "precision": config.trainer.precision,
        "fusion": config.fusion,
        "head": asdict(config.head),
        "encoders": {
            name: _describe_encoder(
                target, config.encoder(name).part, encoder, name in inputs.trainable
            )
            | {"encoding_precision": precisions.get(name, config.trainer.precision)}
            for name, encoder in inputs.encoders.items()
        },
    }
    (target / "model.json").write_text(json.dumps(description, indent=1), encoding="utf-8")
    (folder / "model_summary.txt").write_text(
        summary(model, inputs.encoders, inputs.trainable) + "\n", encoding="utf-8"
    )


def _describe_encoder(
    target: Path, node: Mapping[str, Any], encoder: Any, trained: bool
) -> dict[str, Any]:
    described: dict[str, Any] = {
        "node": dict(node),
        "out_dim": encoder.out_dim,
        "trained": trained,
    }
    if isinstance(encoder, Tfidf):
        vocabulary, idf = encoder.state()
        (target / "tfidf.json").write_text(json.dumps(vocabulary), encoding="utf-8")
        np.save(target / "tfidf_idf.npy", idf, allow_pickle=False)
        return described
    if isinstance(encoder, HuggingFaceEncoder) and (trained or node["weights"] == "random"):
        encoder.tokenizer.save_pretrained(target / "tokenizer")
        described["architecture"] = encoder.architecture()
    frozen = isinstance(encoder, nn.Module) and not trained
    return described | {"sha256": module_sha256(encoder)} if frozen else described


def summary(model: nn.Module, encoders: Mapping[str, Any], trainable: Collection[str] = ()) -> str:
    """The encoders with their widths and parameters, then the trained layers."""
    lines = []
    for name, encoder in encoders.items():
        count = (
            sum(p.numel() for p in encoder.parameters()) if isinstance(encoder, nn.Module) else 0
        )
        lines.append(
            f"{name}: {type(encoder).__name__}, {encoder.out_dim} features, "
            f"{count:,} parameters, {'trained' if name in trainable else 'frozen'}"
        )
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    return "\n".join([*lines, f"trained: {trained:,} parameters", "", str(model)])
