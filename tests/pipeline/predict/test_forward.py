"""A sample's features and logits, whatever other samples they are computed with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor, nn

from mmclf.models.classifier import Classifier
from mmclf.models.fusion import Concat
from mmclf.models.heads import make_head
from mmclf.pipeline.predict.forward import (
    ACCELERATOR_BATCH,
    ForwardOptions,
    batch_size,
    caption_features,
    full_batches,
    image_features,
    logits_of,
)

CPU = torch.device("cpu")
CAPTIONS = ["", "a", "a b", "b a", "a b c", "c", "a b c d e f g", "b c"]


class Net(nn.Module):
    """A vision encoder that keeps the shapes of its batches."""

    out_dim = 19
    mean, std = (0.1, 0.2, 0.3), (0.4, 0.5, 0.6)

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(nn.Conv2d(3, 19, 3), nn.GELU(), nn.AdaptiveAvgPool2d(1))
        self.seen: list[tuple[int, ...]] = []

    def forward(self, pictures: Tensor) -> Tensor:
        self.seen.append(tuple(pictures.shape))
        found: Tensor = self.layers(pictures)[:, :, 0, 0]
        return found


class Words(nn.Module):
    """A text encoder whose features of padding would show, and the shapes of its batches."""

    out_dim = 7

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embedding = nn.Embedding(30, 7)
        self.layer = nn.Linear(7, 7)
        self.seen: list[tuple[int, ...]] = []

    def tokenize(self, captions: Sequence[str]) -> dict[str, Tensor]:
        tokens = [[1, *(ord(letter) - 95 for letter in text.split())] for text in captions]
        longest = max(map(len, tokens))
        return {"ids": torch.tensor([row + [0] * (longest - len(row)) for row in tokens])}

    def forward(self, tokens: Mapping[str, Tensor]) -> Tensor:
        self.seen.append(tuple(tokens["ids"].shape))
        found: Tensor = torch.tanh(self.layer(self.embedding(tokens["ids"]))).mean(dim=1)
        return found


def options_of(size: int, precision: str = "fp32") -> ForwardOptions:
    return ForwardOptions(precision, CPU, size)


def ignore(_steps: int) -> None:
    pass


def pictures(count: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (count, 9, 9, 3), dtype=np.uint8)


def test_one_by_one_on_the_cpu_else_full_batches() -> None:
    assert batch_size(CPU) == 1
    assert batch_size(torch.device("cuda")) == batch_size(torch.device("mps")) == ACCELERATOR_BATCH


@given(rows=st.lists(st.integers(0, 99), max_size=20), size=st.integers(1, 8))
def test_batches_are_full_and_hold_every_row_once(rows: list[int], size: int) -> None:
    found = list(full_batches(rows, size))
    assert all(len(block) == size for block, _ in found)
    assert [row for block, kept in found for row in block[:kept]] == rows


@pytest.mark.parametrize("size", [1, 3, 32])
def test_every_batch_has_the_same_shape_and_no_caption_is_padded(size: int) -> None:
    net, words = Net(), Words()
    image_features(net, pictures(7), np.arange(7), options=options_of(size), advance=ignore)
    caption_features(words, CAPTIONS, options=options_of(size), advance=ignore)
    assert set(net.seen) == {(size, 3, 9, 9)}
    assert {shape[0] for shape in words.seen} == {size}
    # 1 to 4 tokens and 8: each length by itself.
    assert {shape[1] for shape in words.seen} == {1, 2, 3, 4, 8}


@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_neither_order_nor_company_changes_a_bit(data: st.DataObject) -> None:
    rows = data.draw(st.lists(st.integers(-1, 6), min_size=1, max_size=9))
    texts = data.draw(st.lists(st.sampled_from(CAPTIONS), min_size=len(rows), max_size=len(rows)))
    found = _logits(rows, texts)
    alone = torch.cat([_logits([row], [text]) for row, text in zip(rows, texts, strict=True)])
    assert torch.equal(found, alone)


def _logits(rows: Sequence[int], texts: Sequence[str], size: int = 1) -> Tensor:
    features = {
        "vision": image_features(
            Net(), pictures(7), np.asarray(rows), options=options_of(size), advance=ignore
        ),
        "text": caption_features(Words(), texts, options=options_of(size), advance=ignore),
    }
    torch.manual_seed(0)
    encoders = dict.fromkeys(features, nn.Identity())
    top = Classifier(encoders, Concat([19, 7]), make_head(26, 5, 11, 0.0)).eval()
    return logits_of(top, features, options_of(size))


def test_filled_batches_give_what_single_samples_give() -> None:
    rows, texts = [3, -1, 0, 6, 6, 1, 2, 5], CAPTIONS
    for size in (3, 32):
        torch.testing.assert_close(_logits(rows, texts, size), _logits(rows, texts))


def test_no_picture_is_zeros_after_the_standardisation() -> None:
    net = Net()
    found = image_features(
        net, pictures(1), np.array([-1, 0]), options=options_of(1), advance=ignore
    )
    with torch.inference_mode():
        torch.testing.assert_close(found[0], net(torch.zeros(1, 3, 9, 9))[0])
        standardised = (torch.from_numpy(pictures(1)) / 255 - torch.tensor(net.mean)) / (
            torch.tensor(net.std)
        )
        torch.testing.assert_close(found[1], net(standardised.permute(0, 3, 1, 2))[0])


def test_the_precision_is_that_of_the_pass() -> None:
    exact, rough = (
        caption_features(Words(), ["a b"], options=options_of(1, precision), advance=ignore)
        for precision in ("fp32", "bf16")
    )
    assert not torch.equal(exact, rough)
    torch.testing.assert_close(exact, rough, atol=0.02, rtol=0.02)
    assert exact.dtype == rough.dtype == torch.float32


def test_progress_counts_every_sample_once() -> None:
    steps: list[int] = []
    caption_features(Words(), CAPTIONS, options=options_of(3), advance=steps.append)
    assert sum(steps) == len(CAPTIONS)
