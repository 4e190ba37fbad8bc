"""What a process of several computes of a small classifier, and what one alone does."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch
from accelerate import DistributedType, FullyShardedDataParallelPlugin
from small_raw_training import Reading, Seeing, raw_classifier, raw_examples
from small_training import classifier, examples, weights
from torch import Tensor, nn

from mmclf.evaluation.outputs import SplitOutputs
from mmclf.models.classifier import Classifier
from mmclf.training.batches import TrainingSet
from mmclf.training.checkpoint import Checkpoint, NotKept, best_of
from mmclf.training.device import accelerator_on
from mmclf.training.distributed.agreed_keeper import AgreedKeeper, own_random
from mmclf.training.distributed.strategies import (
    agreed_score,
    has_unused_parameters,
    strategy_in,
)
from mmclf.training.distributed.world import World
from mmclf.training.evaluate import NonFiniteLossError
from mmclf.training.learner import Learner
from mmclf.training.learner_state import beginning
from mmclf.training.strategy import Strategy
from mmclf.training.trainer import fit

CPU = torch.device("cpu")
Numbers = list[list[float]]


class Ranked(nn.Module):
    """A loss that is no mean over samples: that of the worst of a batch, and their spread."""

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        each = nn.functional.binary_cross_entropy_with_logits(logits, labels, reduction="none")
        found: Tensor = each.mean(1).max() + logits.std()
        return found


class WithUnused(nn.Module):
    """A frozen encoder's place, with a weight that the features do not hang on."""

    def __init__(self) -> None:
        super().__init__()
        self.spare = nn.Linear(2, 2)

    def forward(self, features: Tensor) -> Tensor:
        return features


class Frozen(Seeing):
    """Its batch statistics are fixed, and it has no dropout."""

    def train(self, mode: bool = True) -> Frozen:
        del mode
        super().train(False)
        return self


class Padded(Reading):
    """Its captions are all padded to the same length, as their mean takes the padding in."""

    def tokenize(self, captions: Sequence[str]) -> Mapping[str, Tensor]:
        return super().tokenize([text.ljust(3) for text in captions])


def with_unused() -> Classifier:
    model = classifier()
    model.encoders["vision"] = WithUnused()
    return model


def raw() -> Classifier:
    """Trained encoders of pictures and captions, without what differs by the rows of a process."""
    torch.manual_seed(0)
    model = raw_classifier()
    torch.manual_seed(0)
    model.encoders["vision"], model.encoders["text"] = Frozen(), Padded()
    model.head = nn.Linear(7, 2)
    return model


def learner_of(
    model: nn.Module,
    some: TrainingSet,
    world: World | None,
    accelerator: Any,
    *,
    batch_size: int = 5,
    loss: nn.Module | None = None,
    **more: Any,
) -> Learner:
    strategy = Strategy if world is None else strategy_in(world, some.eval_batch(slice(2))[0])
    return Learner(
        model,
        loss if loss is not None else nn.BCEWithLogitsLoss(),
        torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=0.02),
        None,
        accelerator,
        strategy_of=strategy,
        batch_size=batch_size,
        evaluation_size=4,
        **more,
    )


def trained(
    world: World | None,
    make: Callable[[], Classifier],
    count: int = 13,
    precision: str = "fp32",
    **more: Any,
) -> Numbers:
    """The losses of two epochs, the logits after them, and the weights."""
    model = make()
    some = raw_examples(model, count) if make is raw else examples(count, views=3)
    score: Callable[[SplitOutputs], float] = lambda one: -one.loss  # noqa: E731
    with accelerator_on(CPU, precision, alone=world is None) as accelerator:
        learner = learner_of(model, some, world, accelerator, **more)
        done = fit(
            learner,
            some,
            some,
            epochs=2,
            patience=None,
            seed=0,
            score=score if world is None else agreed_score(score, world),
            on_epoch=lambda _: None,
        )
    losses = [epoch.train.loss for epoch in done]
    return [losses, best_of(done).val.logits.ravel().tolist(), weights(model).tolist()]


CASES: dict[str, Callable[[World | None], Any]] = {
    "features": partial(trained, make=classifier),
    "small_batches": partial(trained, make=classifier, batch_size=2, count=12),
    "fewer_rows": partial(trained, make=classifier, batch_size=4, count=9),
    "accumulated": partial(trained, make=classifier, batch_size=3, accumulate=2),
    "clipped": partial(trained, make=classifier, clip_norm=0.01),
    "no_mean": partial(trained, make=classifier, loss=Ranked()),
    "checked_late": partial(trained, make=classifier, check_every=3),
    "unused": partial(trained, make=with_unused),
    "unused_accumulated": partial(trained, make=with_unused, batch_size=3, accumulate=2),
    "encoders": partial(trained, make=raw),
}


@contextmanager
def sharding_on_cpu(world: World | None) -> Iterator[Any]:
    """An accelerator that shards models on the CPU, where accelerate itself does on GPUs alone."""
    with accelerator_on(CPU, alone=world is None) as accelerator:
        if world is not None:
            accelerator.state.distributed_type = DistributedType.FSDP
            accelerator.state.fsdp_plugin = FullyShardedDataParallelPlugin(
                fsdp_version=2, cpu_ram_efficient_loading=False
            )
        yield accelerator


def sharded(world: World | None) -> dict[str, Any]:
    """A classifier whose weights are shared out: losses, logits and weights after two epochs."""
    model, some = classifier(), examples(13, views=3)
    encoders: dict[str, Any] = {"vision": model.encoders["vision"]}
    with sharding_on_cpu(world) as accelerator:
        learner = learner_of(model, some, world, accelerator, accumulate=2, clip_norm=0.1)
        done = fit(
            learner,
            *(some, some),
            epochs=2,
            patience=None,
            seed=0,
            score=(lambda one: -one.loss)
            if world is None
            else agreed_score(lambda one: -one.loss, world),
            on_epoch=lambda _: None,
        )
        generator = torch.Generator().manual_seed(0)
        state = copy.deepcopy(learner.state(beginning(generator)))
        learner.epoch(some, generator, 3)
        learner.load(state)
    held = sum(getattr(p, "_local_tensor", p).numel() for p in learner.model.parameters())
    whole = learner.strategy.whole_model()
    learner.strategy.give_back(encoders)
    return {
        "losses": [epoch.train.loss for epoch in done],
        "logits": best_of(done).val.logits.ravel().tolist(),
        "weights": weights(whole).tolist(),
        "held": held,
        "kind": type(whole).__name__,
    }


def cases(world: World | None) -> dict[str, Any]:
    return {name: case(world) for name, case in CASES.items()}


def in_bf16(world: World | None) -> Numbers:
    return trained(world, classifier, precision="bf16")


def agreed(world: World) -> list[Any]:
    """A score that would differ, and a wish that the last process alone has."""
    outputs = SplitOutputs(0.5, np.zeros((1, 1), np.float32))
    score = agreed_score(lambda one: one.loss + world.rank, world)(outputs)
    return [score, world.any(world.rank == world.size - 1), world.any(False)]


def unused(world: World) -> list[bool]:
    some = examples(4).eval_batch(slice(2))[0]
    return [has_unused_parameters(make(), some) for make in (classifier, with_unused)]


def running_statistics(world: World) -> list[list[float]]:
    """Of a batch norm that sees other rows in each process, before and after an evaluation."""
    model = raw_classifier()
    some = raw_examples(model)
    with accelerator_on(CPU, alone=False) as accelerator:
        learner = learner_of(model, some, world, accelerator)
        learner.epoch(some, torch.Generator().manual_seed(0), 1)
        norm: Any = model.encoders["vision"].norm
        before = norm.running_mean.tolist()
        learner.evaluate(some)
    return [before, norm.running_mean.tolist()]


def not_finite(world: World | None) -> list[str]:
    """The message on a sample whose features are not finite, in training and in evaluation."""
    some = examples(12)
    poisoned: Any = some.inputs["vision"]
    poisoned.values[7] = torch.nan
    told = []
    with accelerator_on(CPU, alone=world is None) as accelerator:
        for check_every in (1, 3):
            learner = learner_of(classifier(), some, world, accelerator, check_every=check_every)
            try:
                learner.epoch(some, torch.Generator().manual_seed(0), 1)
            except NonFiniteLossError as error:
                told.append(str(error))
        try:
            learner_of(classifier(), some, world, accelerator).evaluate(some)
        except NonFiniteLossError as error:
            told.append(str(error))
    return told


class Wanting(NotKept):
    """Wants a checkpoint at one step, as of a signal, and then ends the fit."""

    def __init__(self, at: int) -> None:
        self.asked, self.at, self.kept = 0, at, list[Checkpoint]()
        self.resumed: Checkpoint | None = None

    @property
    def is_wanted(self) -> bool:  # type: ignore[override]
        self.asked += 1
        return self.asked == self.at

    def keep(self, checkpoint: Checkpoint) -> None:
        self.kept.append(checkpoint)
        raise KeyboardInterrupt


def goes_on(world: World) -> dict[str, Any]:
    """A fit with dropout, whole and in two attempts, as the last process alone gets a signal."""
    last, found = world.rank == world.size - 1, dict[str, Any]()

    def fitted(keeper: AgreedKeeper | None) -> list[float]:
        model = classifier(dropout=0.5)
        some = examples(13, views=3)
        with accelerator_on(CPU, alone=False) as accelerator:
            learner = learner_of(model, some, world, accelerator)
            torch.manual_seed(world.rank)
            fit(
                learner,
                *(some, some),
                epochs=2,
                patience=None,
                seed=0,
                score=agreed_score(lambda one: -one.loss, world),
                on_epoch=lambda _: None,
                keeper=keeper,
            )
        found: list[float] = weights(model).tolist()
        return found

    found["whole"] = fitted(None)
    wanting = Wanting(at=5 if last else 10**6)
    try:
        fitted(AgreedKeeper(wanting, world, CPU, is_asked=True))
    except KeyboardInterrupt:
        found["kept"] = len(wanting.kept)
    (checkpoint,) = wanting.kept
    found["generators"] = sorted(checkpoint.learner.random)
    torch.manual_seed(99)
    random = own_random(checkpoint.learner.random, world.rank, CPU)
    if world.is_main:
        random = dict(checkpoint.learner.random)
    learner_state = checkpoint.learner
    resumed = Wanting(at=-1)
    resumed.resumed = Checkpoint(
        checkpoint.epochs,
        checkpoint.best,
        checkpoint.refitted,
        type(learner_state)(learner_state.parts, learner_state.place, random),
    )
    found["again"] = fitted(AgreedKeeper(resumed, world, CPU, is_asked=True))
    return found


def sent(world: World) -> list[Any]:
    """An order with tensors of several types, and the answers to it."""
    tensors = [
        torch.tensor(2.5),
        torch.zeros(0, 3),
        torch.tensor([[True, False]]),
        torch.arange(3, dtype=torch.int64),
        torch.tensor([1.5], dtype=torch.bfloat16),
    ]
    if world.is_main:
        world.order({"do": "look", "text": "é"}, tensors)
        return [[answer["seen"] for answer in world.replies()], world.any(False)]
    order = world.next_order()
    assert not isinstance(order, int)
    message, given = order
    same = [
        bool(one.dtype == other.dtype and one.shape == other.shape and torch.equal(one, other))
        for one, other in zip(tensors, given, strict=True)
    ]
    world.reply(seen=[message["text"], world.rank])
    return [same, world.any(False)]


def encoded(world: World | None) -> Any:
    """Whether pictures and captions come to the same features, each process encoding its share."""
    from mmclf.training.encode import encode_captions, encode_images

    torch.manual_seed(0)
    model = raw_classifier().eval()
    pictures = np.random.default_rng(0).integers(0, 256, (23, 6, 6, 3), dtype=np.uint8)
    captions = ["ab" * (1 + i % 5) for i in range(23)]
    share = {} if world is None else {"share": world.share}
    common: dict[str, Any] = {
        "batch_size": 4,
        "precision": "fp32",
        "device": CPU,
        "advance": lambda _: None,
        **share,
    }
    vision: Any = model.encoders["vision"]
    text: Any = model.encoders["text"]
    features = [
        encode_images(vision, pictures, np.arange(1, 23), make_view=lambda one: one, **common),
        encode_captions(text, captions, **common),
    ]
    return [[None if np.isnan(x) else x for x in one.ravel().tolist()] for one in features]
