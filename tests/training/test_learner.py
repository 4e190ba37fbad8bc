from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from message_facts import Naming
from small_training import LOSS, classifier, examples, fitted, learner, values, weights
from torch import Tensor, nn

from mmclf.training.evaluate import NonFiniteLossError, evaluate
from mmclf.training.learner import batches, steps_of
from mmclf.training.trainer import refit


class CountedSGD(torch.optim.SGD):
    steps = 0

    def step(self, closure: None = None) -> None:  # type: ignore[override]
        self.steps += 1
        super().step(closure)


@pytest.mark.parametrize("batch_size", [1, 3, 12, 40])
def test_every_sample_is_seen_once_an_epoch(batch_size: int) -> None:
    model = classifier(hidden=None)
    optimizer = CountedSGD(model.parameters(), lr=0.1)
    seen: list[float] = []

    def remember(module: nn.Module, args: tuple[dict[str, Tensor]]) -> None:
        if module.training:
            seen.extend(args[0]["text"][:, 0].tolist())

    model.register_forward_pre_hook(remember)
    train = examples()
    fitted(model, train, epochs=2, batch_size=batch_size, optimizer=optimizer)
    all_values = values(train, "text")[:, 0, 0].tolist()
    assert sorted(seen[:12]) == sorted(seen[12:]) == sorted(all_values)
    assert seen[:12] != seen[12:]
    assert optimizer.steps == 2 * -(-12 // batch_size)


def named_samples(error: object) -> list[str]:
    return re.findall(r"\d+\.jpg", str(error))


@pytest.mark.parametrize(("poison", "hurt"), [(torch.nan, "3.jpg"), (torch.inf, "7.jpg")])
def test_a_loss_that_is_not_finite_names_its_sample(poison: float, hurt: str) -> None:
    train = examples()
    values(train, "vision")[train.ids.index(hurt), 0, 2] = poison
    model = classifier(hidden=None)
    optimizer = CountedSGD(model.parameters(), lr=0.01)
    order = torch.randperm(12, generator=torch.Generator().manual_seed(5)).tolist()
    step = order.index(train.ids.index(hurt)) // 2 + 1
    with pytest.raises(NonFiniteLossError) as caught:
        fitted(model, train, batch_size=2, seed=5, optimizer=optimizer)
    assert str(caught.value) == Naming("epoch 1", f"step {step}", hurt)
    assert named_samples(caught.value) == [hurt]
    assert optimizer.steps == step - 1
    assert weights(model).isfinite().all()


@pytest.mark.parametrize("accumulate", [1, 2])
@pytest.mark.parametrize("check_every", [2, 3, 6, 100])
@pytest.mark.parametrize("hurt", ["3.jpg", "7.jpg"])
def test_a_loss_that_is_checked_late_names_its_sample_too(
    hurt: str, check_every: int, accumulate: int
) -> None:
    """In the second epoch, in which the optimizer and the scheduler have a state already."""
    results = []
    for every in (1, check_every):
        train = examples(views=2)
        model = classifier(dropout=0.3)
        adam = torch.optim.Adam(model.parameters(), lr=0.02)
        schedule = torch.optim.lr_scheduler.StepLR(adam, step_size=2, gamma=0.5)
        one = learner(model, 2, adam, schedule, accumulate=accumulate, check_every=every)
        generator = torch.Generator().manual_seed(5)
        torch.manual_seed(8)
        one.epoch(train, generator, 1)
        values(train, "vision")[train.ids.index(hurt), :, 2] = torch.nan
        with pytest.raises(NonFiniteLossError) as caught:
            one.epoch(train, generator, 2)
        results.append((str(caught.value), weights(model), adam.param_groups[0]["lr"]))
    strict, late = results
    assert named_samples(strict[0]) == [hurt]
    assert late[0] == strict[0]
    assert torch.equal(late[1], strict[1])
    assert late[2] == strict[2]


@pytest.mark.parametrize(("check_every", "accumulate"), [(3, 1), (4, 2), (100, 1)])
def test_how_often_losses_are_checked_changes_no_weight(check_every: int, accumulate: int) -> None:
    states = []
    for every in (None, check_every):
        model = classifier(dropout=0.3)
        torch.manual_seed(3)
        one = learner(model, 2, accumulate=accumulate, check_every=every)
        refit(one, examples(views=3), epochs=3, seed=1)
        states.append(weights(model))
    assert torch.equal(states[0], states[1])


def test_many_samples_that_are_not_finite_are_counted() -> None:
    train = examples()
    values(train, "vision")[:] = torch.nan
    with pytest.raises(NonFiniteLossError, match=r"step 1;.* (\d+\.jpg, ){4}\d+\.jpg and 7"):
        fitted(classifier(), train, batch_size=12)


def test_evaluation_sees_the_clean_views_alone() -> None:
    clean, poisoned = examples(8, views=3), examples(8, views=3)
    values(poisoned, "vision")[:, 1:] = torch.nan
    model = classifier()
    found = evaluate(model, LOSS, poisoned)
    assert np.array_equal(found.logits, evaluate(model, LOSS, clean).logits)
    best = fitted(model, examples(views=2), poisoned)
    assert np.isfinite(best.val.logits).all()


def test_views_are_drawn_in_training() -> None:
    train = examples(views=4)
    values(train, "vision")[:, 3] = torch.nan
    with pytest.raises(NonFiniteLossError):
        fitted(classifier(), train, epochs=2)


@pytest.mark.parametrize("batch_size", [1, 3, 7, 100])
def test_evaluation_does_not_depend_on_its_batches(batch_size: int) -> None:
    model, some = classifier(dropout=0.5), examples(7)
    whole, parts = evaluate(model, LOSS, some), evaluate(model, LOSS, some, batch_size)
    torch.testing.assert_close(parts.logits, whole.logits)
    assert parts.loss == pytest.approx(whole.loss, rel=1e-6)
    alone = torch.cat([model(some.eval_batch(slice(i, i + 1))[0]) for i in range(7)])
    torch.testing.assert_close(torch.from_numpy(whole.logits), alone.detach())
    assert whole.loss == pytest.approx(LOSS(alone, some.labels).item(), rel=1e-6)


@pytest.mark.parametrize(("batch_size", "accumulate"), [(1, 12), (3, 4), (5, 2), (4, 3)])
def test_accumulated_batches_are_one_step(batch_size: int, accumulate: int) -> None:
    """Also where the last batch of a step is smaller: 12 samples in batches of 5, 5 and 2."""
    states = []
    for size, times in ((batch_size, accumulate), (batch_size * accumulate, 1)):
        model = classifier()
        optimizer = CountedSGD(model.parameters(), lr=0.5)
        one = learner(model, size, optimizer, accumulate=times)
        refit(one, examples(), epochs=2, seed=3)
        states.append((weights(model), optimizer.steps))
    torch.testing.assert_close(states[0][0], states[1][0])
    assert states[0][1] == states[1][1] == 2 * -(-12 // (batch_size * accumulate))


@pytest.mark.parametrize("clip_norm", [1e-3, 0.05])
def test_a_step_is_no_longer_than_the_clipped_gradient(clip_norm: float) -> None:
    model = classifier()
    before = weights(model)
    sgd = torch.optim.SGD(model.parameters(), lr=1.0)
    one = learner(model, 12, sgd, clip_norm=clip_norm)
    refit(one, examples(), epochs=1, seed=0)
    assert (weights(model) - before).norm().item() == pytest.approx(clip_norm, rel=1e-3)


def test_a_gradient_below_the_bound_is_left_alone() -> None:
    states = []
    for bound in (None, 1e3):
        model = classifier()
        one = learner(model, clip_norm=bound)
        refit(one, examples(), epochs=2, seed=0)
        states.append(weights(model))
    torch.testing.assert_close(states[0], states[1])


def test_the_scheduler_goes_on_with_every_step() -> None:
    model = classifier()
    sgd = torch.optim.SGD(model.parameters(), lr=1.0)
    schedule = torch.optim.lr_scheduler.StepLR(sgd, step_size=2, gamma=0.5)
    # 12 samples, 2 batches of 3 a step: 2 steps an epoch.
    one = learner(model, 3, sgd, schedule, accumulate=2)
    rates: list[float] = []
    for _ in range(3):
        refit(one, examples(), epochs=1, seed=0)
        rates.append(sgd.param_groups[0]["lr"])
    assert rates == [0.5, 0.25, 0.125]


@pytest.mark.parametrize(
    ("count", "size", "sizes"),
    [
        (12, 5, [5, 5, 2]),
        (11, 5, [5, 6]),
        (10, 5, [5, 5]),
        (6, 5, [6]),
        (5, 5, [5]),
        (1, 5, [1]),
        (3, 1, [1, 1, 1]),
        (3, 2, [3]),
    ],
)
def test_no_batch_of_a_single_example_is_left_over(count: int, size: int, sizes: list[int]) -> None:
    found = batches(torch.arange(count), size)
    assert [len(batch) for batch in found] == sizes
    assert torch.cat(found).tolist() == list(range(count))
    assert steps_of(count, size) == len(sizes)
