"""A model is built again as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from written_models import BERT, CAPTIONS, TFIDF, TIMM, written

from mmclf.pipeline.predict.restore import restore

pytestmark = pytest.mark.usefixtures("no_network")


@pytest.mark.parametrize(
    ("fusion", "head"),
    [("concat", 6), ("sum", "null"), ("product", 6), ("gated", "null"), ("late", 6)],
)
def test_every_fusion_and_head_makes_the_same_logits(
    tmp_path: Path, fusion: str, head: object
) -> None:
    settings = (f"fusion={fusion}", f"head.hidden={head}", "head.dropout=0.5", "image.size=64")
    folder, encoders, model = written(tmp_path, *TIMM, *TFIDF, *settings)
    found = restore(folder, ())
    features = {"vision": torch.randn(3, encoders["vision"].out_dim)}
    features["text"] = encoders["text"].transform(CAPTIONS[:3])
    with torch.inference_mode():
        assert torch.equal(found.classifier(features), model(features))
    assert torch.equal(found.encoders["text"].transform(CAPTIONS[:3]), features["text"])
    assert (found.record.label_ids, found.record.label_names) == (["17", "18"], ["cat", "dog"])
    assert (found.record.thresholds, found.record.empty) == ([0.25, 1 / 3], "argmax")
    assert (found.record.image.size, found.record.image.crop) == (64, None)
    assert found.record.encoders["text"].encoding_precision == "bf16"


@pytest.mark.parametrize("trainable", [False, True])
def test_an_encoder_makes_the_same_features(tmp_path: Path, trainable: bool) -> None:
    switches = [f"{name}.trainable={trainable}" for name in ("vision", "text")]
    folder, encoders, _ = written(tmp_path, *TIMM, *BERT, *switches)
    found = restore(folder, ()).encoders
    with torch.inference_mode():
        pictures = torch.randn(2, 3, 64, 64)
        assert torch.equal(found["vision"](pictures), encoders["vision"](pictures))
        tokens = found["text"].tokenize(CAPTIONS[2:3])
        assert torch.equal(found["text"](tokens), encoders["text"](tokens))
    assert not any(module.training for module in found.values())
