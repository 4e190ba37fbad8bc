"""A small classifier and the examples that it is trained on."""

from __future__ import annotations

from collections.abc import Callable

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler

from mmclf.evaluation.outputs import SplitOutputs
from mmclf.models.classifier import Classifier
from mmclf.models.fusion import Concat
from mmclf.models.heads import make_head
from mmclf.training.batches import FeatureInput, TrainingSet
from mmclf.training.checkpoint import Epoch, best_of
from mmclf.training.learner import Learner
from mmclf.training.trainer import fit

LOSS = nn.BCEWithLogitsLoss()


def examples(count: int = 12, views: int = 1, seed: int = 0) -> TrainingSet:
    generator = torch.Generator().manual_seed(seed)
    inputs = {
        "vision": FeatureInput(torch.randn(count, views, 4, generator=generator)),
        "text": FeatureInput(torch.randn(count, 1, 3, generator=generator)),
    }
    labels = torch.randint(0, 2, (count, 2), generator=generator).float()
    return TrainingSet([f"{i}.jpg" for i in range(count)], inputs, labels)


def values(some: TrainingSet, modality: str) -> Tensor:
    source = some.inputs[modality]
    assert isinstance(source, FeatureInput)
    return source.values


def classifier(hidden: int | None = 16, dropout: float = 0.0) -> Classifier:
    torch.manual_seed(0)
    encoders = {"vision": nn.Identity(), "text": nn.Identity()}
    return Classifier(encoders, Concat([4, 3]), make_head(7, 2, hidden, dropout))


def learner(
    model: nn.Module,
    batch_size: int = 5,
    optimizer: torch.optim.Optimizer | None = None,
    scheduler: LRScheduler | None = None,
    *,
    accumulate: int = 1,
    clip_norm: float | None = None,
    check_every: int | None = None,
) -> Learner:
    adam = torch.optim.Adam(model.parameters(), lr=0.02)
    return Learner(
        model,
        LOSS,
        optimizer if optimizer is not None else adam,
        scheduler,
        Accelerator(cpu=True),
        batch_size=batch_size,
        accumulate=accumulate,
        clip_norm=clip_norm,
        check_every=check_every,
    )


def fitted(
    model: nn.Module,
    train: TrainingSet,
    val: TrainingSet | None = None,
    *,
    epochs: int = 3,
    batch_size: int = 5,
    patience: int | None = None,
    seed: int = 0,
    score: Callable[[SplitOutputs], float] = lambda one: -one.loss,
    optimizer: torch.optim.Optimizer | None = None,
    seen: Callable[[Epoch], None] = lambda _: None,
) -> Epoch:
    done = fit(
        learner(model, batch_size, optimizer),
        train,
        val if val is not None else train,
        epochs=epochs,
        patience=patience,
        seed=seed,
        score=score,
        on_epoch=seen,
    )
    return best_of(done)


def weights(model: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in model.parameters()]).clone()
