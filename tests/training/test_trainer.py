from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from small_training import LOSS, classifier, examples, fitted, learner, weights
from torch import Tensor

from mmclf.training.checkpoint import Epoch
from mmclf.training.evaluate import evaluate
from mmclf.training.trainer import refit


def test_one_batch_is_learnt_by_heart() -> None:
    best = fitted(classifier(), examples(), epochs=150, batch_size=12)
    assert best.train.loss < 0.01
    assert best.number > 100


def test_steps_are_those_of_gradient_descent() -> None:
    model, reference, train = classifier(), classifier(), examples()
    fitted(model, train, batch_size=12, optimizer=torch.optim.SGD(model.parameters(), lr=0.5))
    inputs, _ = train.eval_batch(slice(None))
    for _ in range(3):
        gradients = torch.autograd.grad(
            LOSS(reference(inputs), train.labels), tuple(reference.parameters())
        )
        with torch.no_grad():
            for weight, gradient in zip(reference.parameters(), gradients, strict=True):
                weight.sub_(0.5 * gradient)
    torch.testing.assert_close(weights(model), weights(reference))


def test_the_same_seed_gives_the_same_weights_to_the_bit() -> None:
    results = []
    for seed in (0, 0, 1):
        model = classifier()
        fitted(model, examples(views=3), seed=seed)
        results.append(weights(model))
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])


@pytest.mark.parametrize(
    ("scores", "best"),
    [
        ([1.0, 3.0, 2.0], 2),
        ([3.0, 2.0, 1.0], 1),
        ([1.0, 2.0, 3.0], 3),
        ([1.0, 2.0, 2.0], 2),
        ([0.0, 0.0, 0.0], 1),
    ],
)
def test_the_best_epoch_is_kept(scores: Sequence[float], best: int) -> None:
    model, train, val = classifier(), examples(), examples(5, seed=1)
    epochs_seen: list[tuple[Epoch, Tensor]] = []
    remaining = iter(scores)
    kept = fitted(
        model,
        train,
        val,
        score=lambda _: next(remaining),
        seen=lambda epoch: epochs_seen.append((epoch, weights(model))),
    )
    assert [(epoch.number, epoch.score) for epoch, _ in epochs_seen] == list(
        enumerate(scores, start=1)
    )
    assert kept is epochs_seen[best - 1][0]
    states = [state for _, state in epochs_seen]
    assert torch.equal(weights(model), states[best - 1])
    assert not any(torch.equal(weights(model), s) for i, s in enumerate(states) if i != best - 1)
    torch.testing.assert_close(evaluate(model, LOSS, val).logits, kept.val.logits)
    torch.testing.assert_close(evaluate(model, LOSS, train).loss, kept.train.loss)


@pytest.mark.parametrize(
    ("patience", "expected"), [(1, 2), (2, 6), (3, 8), (None, 8)], ids=["1", "2", "3", "never"]
)
def test_training_stops_after_epochs_without_a_better_one(
    patience: int | None, expected: int
) -> None:
    remaining = iter([3.0, 2.0, 4.0, 5.0, 5.0, 1.0, 6.0, 7.0])
    numbers: list[int] = []
    best = fitted(
        classifier(),
        examples(),
        epochs=8,
        patience=patience,
        score=lambda _: next(remaining),
        seen=lambda epoch: numbers.append(epoch.number),
    )
    assert numbers == list(range(1, expected + 1))
    assert best.number == {2: 1, 6: 4, 8: 8}[expected]


def test_a_refit_is_the_same_training_without_validation() -> None:
    chosen, again = classifier(), classifier()
    fitted(chosen, examples(), epochs=2, seed=4, score=lambda _: 1.0)
    refit(learner(again), examples(), epochs=1, seed=4)
    # Of equals the first epoch is kept.
    assert torch.equal(weights(chosen), weights(again))
