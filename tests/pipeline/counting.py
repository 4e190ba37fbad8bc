"""Counts what a run computes, in the place of looking at how."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from mmclf.pipeline import modality_ablation, stage_runner
from mmclf.training import fit as fitting
from mmclf.training.image_encoding import ImageEncoding
from mmclf.training.text_encoding import TextEncoding


def count_computations(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts `view N` of the images, `text`, `fit` and `tested` from now on."""
    counted: Counter[str] = Counter()
    encode_images, encode_text = ImageEncoding.encode, TextEncoding.encode
    fit_model, ablated_outputs = fitting.fit_model, modality_ablation.ablated_outputs

    def images(self: ImageEncoding, encoder: Any, view: int, **settings: Any) -> Any:
        counted[f"view {view}"] += 1
        return encode_images(self, encoder, view, **settings)

    def text(self: TextEncoding, encoder: Any, view: int, **settings: Any) -> Any:
        counted["text"] += 1
        return encode_text(self, encoder, view, **settings)

    def fit(*arguments: Any) -> Any:
        counted["fit"] += 1
        return fit_model(*arguments)

    def tested(*arguments: Any) -> Any:
        counted["tested"] += 1
        return ablated_outputs(*arguments)

    monkeypatch.setattr(ImageEncoding, "encode", images)
    monkeypatch.setattr(TextEncoding, "encode", text)
    monkeypatch.setattr(stage_runner, "fit_model", fit)
    monkeypatch.setattr(stage_runner, "ablated_outputs", tested)
    return counted
