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
    restored = restore(folder, ())
    features = {"vision": torch.randn(3, encoders["vision"].out_dim)}
    features["text"] = encoders["text"].transform(CAPTIONS[:3])
    with torch.inference_mode():
        assert torch.equal(restored.classifier(features), model(features))
    assert torch.equal(restored.encoders["text"].transform(CAPTIONS[:3]), features["text"])
    assert (restored.record.label_ids, restored.record.label_names) == (
        ["17", "18"],
        ["cat", "dog"],
    )
    assert (restored.record.thresholds, restored.record.empty) == ([0.25, 1 / 3], "argmax")
    assert (restored.record.image.size, restored.record.image.crop) == (64, None)
    assert restored.record.encoders["text"].encoding_precision == "bf16"


@pytest.mark.parametrize("trainable", [False, True])
def test_an_encoder_makes_the_same_features(tmp_path: Path, trainable: bool) -> None:
    switches = [f"{name}.trainable={trainable}" for name in ("vision", "text")]
    folder, encoders, _ = written(tmp_path, *TIMM, *BERT, *switches)
    actual = restore(folder, ()).encoders
    with torch.inference_mode():
        pictures = torch.randn(2, 3, 64, 64)
        assert torch.equal(actual["vision"](pictures), encoders["vision"](pictures))
        tokens = actual["text"].tokenize(CAPTIONS[2:3])
        assert torch.equal(actual["text"](tokens), encoders["text"](tokens))
    assert not any(module.training for module in actual.values())
