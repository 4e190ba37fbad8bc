"""The artifact `model` of runs that were never trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

import mmclf
from mmclf.config.targets import build
from mmclf.data.samples import Samples
from mmclf.data.split import Parts
from mmclf.evaluation.outputs import SplitOutputs
from mmclf.models.build import make_model
from mmclf.models.classifier import summary
from mmclf.models.describe import describe_encoder
from mmclf.models.weights import as_safetensors
from mmclf.pipeline.artifacts import write_model
from mmclf.pipeline.fit_result import FitResult
from mmclf.pipeline.run_data import RunData

CAPTIONS = ["a cat", "a dog", "a cat and a dog", "a cat"]
SAMPLES = Samples(
    ids=("0.jpg", "1.jpg", "2.jpg", "3.jpg"),
    images=(),
    captions=tuple(CAPTIONS),
    labels=np.array([[1, 0], [0, 1], [1, 1], [1, 0]], dtype=np.uint8),
    label_ids=("17", "18"),
    label_names=("cat", "dog"),
    own_val=np.zeros(4, dtype=bool),
    own_test=np.zeros(4, dtype=bool),
)
PARTS = Parts(np.array([0, 1]), np.array([2]), np.array([3]))
TINY = "{model_type: bert, hidden_size: 8, num_hidden_layers: 1, num_attention_heads: 2}"
TFIDF = ("text.min_df=1",)
BERT = (
    "text=huggingface",
    "text.name=nobody/tiny",
    "text.weights=random",
    f"text.architecture={TINY}",
)
TIMM = ("vision=timm", "vision.name=test_efficientnet", "vision.weights=random")


def written(
    folder: Path, *overrides: str, allow: tuple[str, ...] = ()
) -> tuple[Path, dict[str, Any], nn.Module]:
    """The artifact `model` of a run that was never trained, its encoders and its classifier."""
    granted = [f"allow_targets=[{','.join(allow)}]"] if allow else []
    config = mmclf.compose([*overrides, *granted]).config
    encoders = {
        name: build(config.encoder(name).part, name, allow, train_captions=CAPTIONS).eval()
        if config.encoder(name).part["_target_"] != "mmclf.models.tfidf.Tfidf"
        else build(config.encoder(name).part, name).fit(CAPTIONS)
        for name in ("vision", "text")
        if not config.encoder(name).is_none
    }
    trainable = {name: e for name, e in encoders.items() if config.encoder(name).trainable}
    # As if trained: the weights are not those that the encoder starts with.
    for encoder in trainable.values():
        with torch.no_grad():
            for weight in encoder.parameters():
                weight.add_(0.01)
    dims = {name: encoder.out_dim for name, encoder in encoders.items()}
    torch.manual_seed(1)
    model = make_model(config.fusion, config.head, dims, trainable, 2, allow).eval()
    outputs = SplitOutputs(0.5, np.zeros((1, 2), np.float32))
    known = {
        name: describe_encoder(one, trained=name in trainable) for name, one in encoders.items()
    }
    files = {name: data for one in known.values() for name, data in one.files.items()}
    result = FitResult(
        train=(outputs,),
        val=(outputs,),
        outputs=dict.fromkeys(("train", "val", "test"), outputs),
        best=1,
        summary=summary(model),
        encoders={name: one.values for name, one in known.items()},
        model=files | {"classifier.safetensors": as_safetensors(model)},
    )
    data, thresholds = RunData(SAMPLES, PARTS, None, ()), np.array([0.25, 1 / 3])
    write_model(folder, config, data, result, "argmax", thresholds, {"text": "bf16"})
    return folder / "model", encoders, model
