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
    BATCH,
    FEW,
    ForwardOptions,
    caption_features,
    forward_options,
    full_batches,
    image_features,
    logits_of,
    padded_length,
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
        features: Tensor = self.layers(pictures)[:, :, 0, 0]
        return features


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
        features: Tensor = torch.tanh(self.layer(self.embedding(tokens["ids"]))).mean(dim=1)
        return features


class PaddedWords(Words):
    """The same, of tokens that are padded, which a mask leaves out."""

    max_length = 20

    def token_ids(self, captions: Sequence[str]) -> list[list[int]]:
        return [[1, *(ord(letter) - 95 for letter in text.split())] for text in captions]

    def pad(self, token_ids: Sequence[Sequence[int]]) -> dict[str, Tensor]:
        longest = max(map(len, token_ids))
        rows = [[*ids, *[0] * (longest - len(ids))] for ids in token_ids]
        mask = [[1.0] * len(ids) + [0.0] * (longest - len(ids)) for ids in token_ids]
        return {"ids": torch.tensor(rows), "mask": torch.tensor(mask)}

    def forward(self, tokens: Mapping[str, Tensor]) -> Tensor:
        self.seen.append(tuple(tokens["ids"].shape))
        hidden = torch.tanh(self.layer(self.embedding(tokens["ids"])))
        mask = tokens["mask"].unsqueeze(-1)
        features: Tensor = (hidden * mask).sum(dim=1) / mask.sum(dim=1)
        return features


def options_of(size: int, precision: str = "fp32") -> ForwardOptions:
    return ForwardOptions(precision, CPU, size, size)


def ignore(_steps: int) -> None:
    pass


def pictures(count: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (count, 9, 9, 3), dtype=np.uint8)


def vision(rows: Sequence[int], options: ForwardOptions, net: Net | None = None) -> Tensor:
    """Features of some of seven pictures, and of a missing one for a row of -1."""
    known = pictures(7)
    taken = (known[row] if row >= 0 else None for row in rows)
    net = net if net is not None else Net()
    return image_features(net, taken, count=len(rows), pixels=9, options=options, advance=ignore)


@pytest.mark.parametrize(
    ("device", "precision", "few", "alone"),
    [("cpu", "fp32", FEW, 1), ("cpu", "bf16", 0, BATCH), ("cuda", "fp32", 0, BATCH)],
)
def test_a_shape_that_changes_more_than_last_bits_is_always_the_same(
    device: str, precision: str, few: int, alone: int
) -> None:
    usual = forward_options(precision, torch.device(device))
    assert (usual.size, usual.together, usual.few) == (BATCH, BATCH, few)
    by_itself = forward_options(precision, torch.device(device), alone=True)
    assert (by_itself.size, by_itself.together, by_itself.few) == (alone, 1, 0)


@given(rows=st.lists(st.integers(0, 99), max_size=20), size=st.integers(1, 8), data=st.data())
def test_batches_are_full_and_hold_every_row_once(
    rows: list[int], size: int, data: st.DataObject
) -> None:
    together = data.draw(st.integers(1, size))
    few = data.draw(st.integers(0, together - 1))
    actual = list(full_batches(rows, ForwardOptions("fp32", CPU, size, together, few)))
    assert [row for batch, kept in actual for row in batch[:kept]] == rows
    assert all(len(batch) == size or (len(batch) == kept == 1) for batch, kept in actual)
    assert all(kept <= together for _, kept in actual)
    assert sum(len(batch) < size for batch, _ in actual) <= few


@pytest.mark.parametrize("size", [1, 3, 32])
def test_every_batch_has_the_same_shape(size: int) -> None:
    net, words, padded = Net(), Words(), PaddedWords()
    vision(range(7), options_of(size), net)
    texts = [*CAPTIONS, "a b c d e f g h", " ".join("abcdefghijklmnopq")]
    for encoder in (words, padded):
        caption_features(encoder, texts, options=options_of(size), advance=ignore)
    assert set(net.seen) == {(size, 3, 9, 9)}
    # An encoder that does not pad gets captions of one length: of 1 to 4, 8, 9 and 18 tokens.
    assert set(words.seen) == {(size, length) for length in (1, 2, 3, 4, 8, 9, 18)}
    # The last is padded to its longest, as 24 tokens would be too long.
    assert set(padded.seen) == {(size, length) for length in (8, 16, 20)}


@pytest.mark.parametrize(
    ("tokens", "length"),
    [(0, 8), (1, 8), (8, 8), (9, 16), (24, 24), (25, 32), (33, 48), (49, 64), (65, 96), (513, 768)],
)
def test_a_caption_is_padded_to_the_next_length(tokens: int, length: int) -> None:
    assert padded_length(tokens) == length


@given(tokens=st.integers(1, 10_000))
def test_lengths_are_few_and_little_is_padded(tokens: int) -> None:
    length = padded_length(tokens)
    assert length >= tokens
    assert padded_length(length) == length
    assert length % 8 == 0
    assert length - tokens < max(8, tokens / 2)


@settings(max_examples=30)
@given(data=st.data())
def test_neither_order_nor_company_changes_a_bit(data: st.DataObject) -> None:
    rows = data.draw(st.lists(st.integers(-1, 6), min_size=1, max_size=9))
    texts = data.draw(st.lists(st.sampled_from(CAPTIONS), min_size=len(rows), max_size=len(rows)))
    actual = _logits(rows, texts)
    alone = torch.cat([_logits([row], [text]) for row, text in zip(rows, texts, strict=True)])
    assert torch.equal(actual, alone)


def _logits(rows: Sequence[int], texts: Sequence[str], size: int = 1) -> Tensor:
    options = options_of(size)
    features = {
        "vision": vision(rows, options),
        "text": caption_features(PaddedWords(), texts, options=options, advance=ignore),
    }
    torch.manual_seed(0)
    encoders = dict.fromkeys(features, nn.Identity())
    top = Classifier(encoders, Concat([19, 7]), make_head(26, 5, 11, 0.0)).eval()
    return logits_of(top, features, options)


def test_filled_batches_give_what_single_samples_give() -> None:
    rows, texts = [3, -1, 0, 6, 6, 1, 2, 5], CAPTIONS
    for size in (3, 32):
        torch.testing.assert_close(_logits(rows, texts, size), _logits(rows, texts))


def test_no_picture_is_zeros_after_the_standardisation() -> None:
    net = Net()
    actual = vision([-1, 0], options_of(1), net)
    with torch.inference_mode():
        torch.testing.assert_close(actual[0], net(torch.zeros(1, 3, 9, 9))[0])
        standardised = (torch.from_numpy(pictures(7)[:1]) / 255 - torch.tensor(net.mean)) / (
            torch.tensor(net.std)
        )
        torch.testing.assert_close(actual[1], net(standardised.permute(0, 3, 1, 2))[0])


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
    for encoder in (Words(), PaddedWords()):
        steps.clear()
        caption_features(encoder, CAPTIONS, options=options_of(3), advance=steps.append)
        assert sum(steps) == len(CAPTIONS)
