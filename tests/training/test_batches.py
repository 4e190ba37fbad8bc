from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from small_training import examples, values
from torch import Tensor

from mmclf.config.schema import Augment
from mmclf.models.classifier import Several
from mmclf.training.batches import CaptionInput, FeatureInput, ImageInput, TrainingSet

CPU = torch.device("cpu")
CLEAN = Augment(views=1, padding=0, horizontal_flip=0.5, vertical_flip=0.5, seed=0)
FLIPS = Augment(views=2, padding=0, horizontal_flip=1.0, vertical_flip=0.0, seed=0)
LETTERS = [("a",), ("b",), ("c",)]
PICTURES = np.arange(5 * 2 * 3 * 3, dtype=np.uint8).reshape(5, 2, 3, 3)


class Eye:
    """Sees the bytes as they are."""

    out_dim = 3
    mean, std = (0.0, 0.0, 0.0), (1 / 255, 1 / 255, 1 / 255)

    def __call__(self, pictures: Tensor, /) -> Tensor:
        return pictures.flatten(1)


class Reader:
    out_dim = 1

    def tokenize(self, captions: Sequence[str], /) -> Mapping[str, Tensor]:
        width = max(map(len, captions))
        return {"ids": torch.tensor([[ord(c) for c in text.ljust(width)] for text in captions])}

    def __call__(self, tokens: Mapping[str, Tensor], /) -> Tensor:
        return tokens["ids"].float().mean(1, keepdim=True)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def channels_first(rows: Sequence[int]) -> Tensor:
    return torch.from_numpy(PICTURES[list(rows)]).permute(0, 3, 1, 2).float()


def test_pictures_of_the_rows_they_are_for() -> None:
    source = ImageInput(PICTURES, np.array([4, 2, 0]), Eye(), CLEAN)
    torch.testing.assert_close(source.eval_batch(slice(0, 2), CPU), channels_first([4, 2]))
    drawn = source.train_batch(torch.tensor([2, 0]), generator(), CPU)
    # One view is the clean one: there is nothing to draw.
    torch.testing.assert_close(drawn, channels_first([0, 4]))


def test_pictures_are_augmented_in_training_alone() -> None:
    source = ImageInput(PICTURES, np.arange(5), Eye(), FLIPS)
    drawn = source.train_batch(torch.tensor([3, 1]), generator(), CPU)
    torch.testing.assert_close(drawn, channels_first([3, 1]).flip(3))
    torch.testing.assert_close(source.eval_batch(slice(None), CPU), channels_first(range(5)))


def test_captions_are_padded_to_the_longest_of_their_batch() -> None:
    source = CaptionInput([("a",), ("bcd",), ("ef",)], Reader())
    tokens = source.eval_batch(slice(0, 2), CPU)
    assert isinstance(tokens, dict)
    assert tokens["ids"].shape == (2, 3)
    found = source.train_batch(torch.tensor([2, 0]), generator(), CPU)["ids"]
    assert found.tolist() == [[ord("e"), ord("f")], [ord("a"), ord(" ")]]


def test_of_several_captions_each_is_drawn_and_all_are_evaluated() -> None:
    source = CaptionInput([("a", "b", "c"), ("d",)], Reader())
    drawn = source.train_batch(torch.tensor([0, 1] * 300), generator(), CPU)["ids"].flatten()
    assert drawn[1::2].tolist() == [ord("d")] * 300
    # 300 draws of 3: the deviation of a count is 8.2.
    counts = (drawn[::2] - ord("a")).bincount(minlength=3).tolist()
    assert len(counts) == 3
    assert all(67 <= count <= 133 for count in counts)
    several = source.eval_batch(slice(None), CPU)
    assert isinstance(several, Several)
    assert several.counts.tolist() == [3, 1]
    assert several.inputs["ids"].flatten().tolist() == [ord(c) for c in "abcd"]
    assert isinstance(source.eval_batch(slice(1, 2), CPU), dict)


def test_a_mean_view_is_evaluated_and_never_drawn() -> None:
    source = FeatureInput(torch.arange(3.0).expand(50, 3)[:, :, None], clean_is_drawn=False)
    assert set(source.eval_batch(slice(None), CPU).flatten().tolist()) == {0.0}
    drawn = source.train_batch(torch.arange(50), generator(), CPU)
    assert set(drawn.flatten().tolist()) == {1.0, 2.0}
    assert source.subset(np.array([1])).clean_is_drawn is False


def test_other_rows_are_taken_in_their_order() -> None:
    rows, values = np.array([2, 0]), torch.arange(12.0).reshape(3, 2, 2)
    assert torch.equal(FeatureInput(values).subset(rows).values, values[[2, 0]])
    assert CaptionInput(LETTERS, Reader()).subset(rows).captions == [("c",), ("a",)]
    pictures = ImageInput(PICTURES, np.array([4, 3, 1]), Eye(), CLEAN).subset(rows)
    torch.testing.assert_close(pictures.eval_batch(slice(None), CPU), channels_first([1, 4]))


def test_features_and_raw_inputs_stand_side_by_side() -> None:
    values = torch.arange(12.0).reshape(3, 2, 2)
    some = TrainingSet(
        ["0", "1", "2"],
        {"vision": FeatureInput(values), "text": CaptionInput(LETTERS, Reader())},
        torch.eye(3),
    )
    inputs, labels = some.eval_batch(slice(1, 3))
    assert torch.equal(inputs["vision"], values[1:, 0])
    assert inputs["text"]["ids"].tolist() == [[ord("b")], [ord("c")]]
    assert torch.equal(labels, torch.eye(3)[1:])
    inputs, labels = some.train_batch(torch.tensor([2, 2, 0]), generator())
    assert [row in values[2].tolist() for row in inputs["vision"][:2].tolist()] == [True, True]
    assert inputs["text"]["ids"].tolist() == [[ord("c")], [ord("c")], [ord("a")]]
    assert torch.equal(labels, torch.eye(3)[[2, 2, 0]])


def test_training_draws_every_view() -> None:
    train = examples(200, views=3)
    values(train, "vision")[:] = torch.arange(3.0)[None, :, None]
    generator = torch.Generator().manual_seed(0)
    rows = torch.arange(100, 200)
    inputs, labels = train.train_batch(rows, generator)
    counts = inputs["vision"][:, 0].long().bincount(minlength=3)
    # 100 draws of 3: the deviation of a count is 4.7.
    assert all(15 <= count <= 52 for count in counts.tolist())
    assert inputs["vision"].shape == (100, 4)
    assert torch.equal(inputs["text"], values(train, "text")[100:, 0])
    assert torch.equal(labels, train.labels[100:])


def test_features_of_an_epoch_are_those_of_its_batches_one_by_one() -> None:
    inputs = {
        "vision": FeatureInput(torch.arange(36.0).reshape(6, 3, 2)),
        "text": FeatureInput(torch.arange(24.0).reshape(6, 2, 2)),
    }
    some = TrainingSet([*"012345"], inputs, torch.eye(6))
    batches = [torch.tensor([5, 0, 3]), torch.tensor([1, 4]), torch.tensor([2])]
    one_by_one, together = generator(), generator()
    epoch = list(some.train_feature_batches(batches, together))
    assert len(epoch) == 3
    for batch, (selected, labels) in zip(batches, epoch, strict=True):
        expected, expected_labels = some.train_batch(batch, one_by_one)
        assert selected.keys() == expected.keys()
        assert all(torch.equal(selected[name], expected[name]) for name in selected)
        assert torch.equal(labels, expected_labels)
    assert torch.equal(one_by_one.get_state(), together.get_state())
