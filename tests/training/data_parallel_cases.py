"""What a process of several computes of a small classifier, and what one alone does."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch
from accelerate import DistributedType, FullyShardedDataParallelPlugin
from shared_training import CPU, Numbers, Ranked, learner_of, loss_score, raw, trained, with_unused
from small_raw_training import raw_classifier, raw_examples
from small_training import classifier, examples, weights

from mmclf.evaluation.outputs import SplitOutputs
from mmclf.training.checkpoint import Checkpoint, NotKept, best_of
from mmclf.training.device import accelerator_on
from mmclf.training.distributed.agreed_keeper import AgreedKeeper, own_random
from mmclf.training.distributed.strategies import (
    agreed_score,
    has_unused_parameters,
)
from mmclf.training.distributed.world import World
from mmclf.training.evaluate import NonFiniteLossError
from mmclf.training.learner_state import beginning
from mmclf.training.trainer import fit

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
            score=loss_score(world),
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
                score=loss_score(world),
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
        type(learner_state)(learner_state.parts, learner_state.position, random),
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
