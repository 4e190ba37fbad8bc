"""Explanations of models whose weights are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as Picture
from torch import Tensor, nn

from mmclf.config.schema import Image
from mmclf.models.classifier import Classifier
from mmclf.models.tfidf import Tfidf
from mmclf.pipeline.explain.explainer import Explainer
from mmclf.pipeline.explain.occlusion import CELLS
from mmclf.pipeline.predict.predictor import Predictor
from mmclf.pipeline.predict.restore import RestoredModel

NAMES = ("dog", "cat", "bird")
SIZE = 48


class MeanColour(nn.Module):
    """The mean of each channel."""

    out_dim = 3
    mean, std = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)

    def forward(self, pictures: Tensor) -> Tensor:
        return pictures.mean(dim=(2, 3))


class Count(nn.Module):
    """How often a caption has `dog` and `cat`."""

    out_dim = 2

    def tokenize(self, captions: Sequence[str]) -> Mapping[str, Tensor]:
        counts = [[float(text.split().count(word)) for word in NAMES[:2]] for text in captions]
        return {"counts": torch.tensor(counts)}

    def forward(self, tokens: Mapping[str, Tensor]) -> Tensor:
        return tokens["counts"]


class Concat(nn.Module):
    def forward(self, parts: Sequence[Tensor]) -> Tensor:
        return torch.cat([*parts], dim=1)


def explainer(
    encoders: Mapping[str, Any], weights: Tensor, bias: Tensor | None = None
) -> Explainer:
    """Of a linear model (L, D) on concatenated features."""
    head = nn.Linear(weights.shape[1], len(weights))
    with torch.no_grad():
        head.weight.copy_(weights)
        head.bias.copy_(torch.zeros(len(weights)) if bias is None else bias)
    record: Any = SimpleNamespace(
        label_ids=NAMES[: len(weights)],
        label_names=NAMES[: len(weights)],
        thresholds=[0.5] * len(weights),
        empty="empty",
        precision="fp32",
        image=Image(SIZE, None),
    )
    classifier = Classifier({name: nn.Identity() for name in encoders}, Concat(), head)
    model = RestoredModel(record, encoders, classifier.requires_grad_(requires_grad=False))
    return Explainer(Predictor("run", model, torch.device("cpu")))


def test_the_words_of_tfidf_and_a_linear_head_add_up_to_the_logit() -> None:
    captions = ["a big dog", "a cat sits", "big birds sing", "dog and cat"]
    encoder = Tfidf(min_df=1, ngram_max=2).fit(captions)
    weights = torch.randn(3, encoder.out_dim, generator=torch.Generator().manual_seed(0))
    bias = torch.tensor([0.5, -0.5, 0.25])
    messages = explainer({"text": encoder}, weights, bias)
    caption = "Dog and cat, a big dog!"
    explanation = messages.explain(None, [caption], top=3)
    logits = (weights @ encoder.transform([caption])[0] + bias).numpy()
    (words,) = explanation.captions
    assert words.weights.sum(axis=0) == pytest.approx(
        (logits - bias.numpy())[explanation.labels], abs=1e-4
    )
    assert explanation.whole["text"] == pytest.approx(
        (logits - bias.numpy())[explanation.labels], abs=1e-4
    )
    assert [caption[start:end] for start, end in words.spans] == ["Dog", "and", "cat", "big", "dog"]


def test_a_word_that_is_left_out_takes_its_share_with_several_captions() -> None:
    weights = torch.tensor([[4.0, 0.0], [0.0, -2.0]])
    explanation = explainer({"text": Count()}, weights).explain(
        None, ["a dog", "dog or cat"], top=2
    )
    first, second = explanation.captions
    of = {int(label): k for k, label in enumerate(explanation.labels)}
    assert first.weights[:, of[0]].tolist() == [0, 2]
    assert second.weights[:, of[0]].tolist() == [2, 0, 0]
    assert second.weights[:, of[1]].tolist() == [0, 0, -1]
    assert explanation.picture is None
    assert explanation.heat is None


def test_the_part_of_a_picture_that_speaks_is_the_warmest(tmp_path: Path) -> None:
    pixels = np.full((SIZE, SIZE, 3), 128, dtype=np.uint8)
    pixels[: SIZE // 4, : SIZE // 4] = (255, 128, 128)
    Picture.fromarray(pixels).save(tmp_path / "a.png")
    weights = torch.tensor([[10.0, 0.0, 0.0], [-10.0, 0.0, 0.0]])
    explanation = explainer({"vision": MeanColour()}, weights).explain(
        tmp_path / "a.png", [], top=2
    )
    assert explanation.heat is not None
    dog = explanation.heat[explanation.labels.tolist().index(0)]
    assert int(dog.argmax()) == 0
    assert dog[0, 0] > 0.1
    assert np.abs(dog[CELLS // 2 :, CELLS // 2 :]).max() < 0.01
    assert explanation.heat[explanation.labels.tolist().index(1)] == pytest.approx(-dog)
    assert explanation.captions == []


def test_both_modalities_are_explained_beside_each_other(tmp_path: Path) -> None:
    Picture.new("RGB", (SIZE, SIZE), (255, 0, 0)).save(tmp_path / "a.png")
    weights = torch.tensor([[1.0, 0.0, 0.0, 3.0, 0.0]])
    messages = explainer({"vision": MeanColour(), "text": Count()}, weights)
    explanation = messages.explain(tmp_path / "a.png", ["dog"])
    assert explanation.whole["vision"] == pytest.approx([1.0], abs=0.02)
    assert explanation.whole["text"] == pytest.approx([3.0])


def test_labels_are_those_predicted_and_the_next_one() -> None:
    weights = torch.tensor([[5.0, 0.0], [-5.0, 0.0], [-1.0, 0.0]])
    messages = explainer({"text": Count()}, weights)
    assert messages.explain(None, ["dog"]).labels.tolist() == [0, 2]
    assert messages.explain(None, ["dog"], top=1).labels.tolist() == [0]
    assert messages.explain(None, []).probabilities.tolist() == [0.5, 0.5, 0.5]
