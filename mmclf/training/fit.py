"""Fits a run's model: up to the best epoch, with an optional refit on train and val."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from accelerate import Accelerator
from numpy.typing import NDArray
from torch import Tensor

from mmclf.evaluation import scores
from mmclf.evaluation.outputs import SplitOutputs
from mmclf.evaluation.threshold_search import Empty
from mmclf.models.build import make_model, make_optimizer
from mmclf.models.classifier import Classifier
from mmclf.training.batches import FeatureInput, ModalityInput, TrainingSet
from mmclf.training.checkpoint import Epoch, Keeper, NotKept, best_of
from mmclf.training.components import ModelComponents
from mmclf.training.cuda_graphs import cuda_graphs
from mmclf.training.device import accelerator_on
from mmclf.training.distributed.strategies import agreed_score, is_sharded, strategy_in
from mmclf.training.distributed.world import World
from mmclf.training.learner import Learner, StrategyOf, steps_of
from mmclf.training.strategy import Strategy
from mmclf.training.trainer import fit, refit

FEATURE_BATCH = 4096
CPU = torch.device("cpu")
PROBED = 2  # samples
SEED_STEP = 1_000_003  # between the seeds of processes

OnEpoch = Callable[[Epoch], None]


@dataclass(frozen=True)
class FitData:
    """The data of all N samples for a fit.

    Args:
        ids: of the samples.
        labels: (N, L).
        parts: the rows of `train`, `val` and `test`.
        features: (N, D) for each view, of the modalities with a frozen encoder.
        means: the modalities whose first view is for evaluation alone: the mean of the others.

    """

    ids: Sequence[str]
    labels: NDArray[np.uint8]
    parts: Mapping[str, NDArray[np.int64]]
    features: Mapping[str, Sequence[Tensor]]
    means: Collection[str] = ()

    @property
    def dims(self) -> dict[str, int]:
        """The widths D of the frozen encoders' features."""
        return {name: views[0].shape[1] for name, views in self.features.items()}

    def training_set(
        self, components: ModelComponents, parts: Sequence[str], device: torch.device
    ) -> TrainingSet:
        """The samples of one or more parts, concatenated.

        Features have all views if `train` is among the parts, else only the clean one.
        """
        rows = np.concatenate([self.parts[part] for part in parts])
        inputs: dict[str, ModalityInput] = {}
        for name in components.config.modalities:
            if name in self.features:
                views = self.features[name] if "train" in parts else self.features[name][:1]
                indices = torch.from_numpy(rows)
                values = torch.stack([view[indices] for view in views], dim=1)
                is_drawn = name not in self.means
                inputs[name] = FeatureInput(values.to(device), clean_is_drawn=is_drawn)
            else:
                encoding = components.encodings[name]
                inputs[name] = encoding.training_input(components.encoder(name), rows)
        labels = torch.from_numpy(self.labels[rows]).float()
        return TrainingSet([self.ids[i] for i in rows], inputs, labels.to(device))


@dataclass(frozen=True)
class FittedModel:
    """A trained model.

    Args:
        model: on the CPU.
        train: outputs after every epoch, before a refit.
        val: outputs after every epoch, before a refit.
        test: outputs of the final model.
        best: number of the best epoch, from 1.
        samples_seen: in all epochs, with those of a refit.

    """

    model: Classifier
    train: Sequence[SplitOutputs]
    val: Sequence[SplitOutputs]
    test: SplitOutputs
    best: int
    samples_seen: int


def fit_model(
    components: ModelComponents,
    data: FitData,
    empty: Empty,
    device: torch.device,
    on_epoch: OnEpoch,
    keeper: Keeper | None = None,
    world: World | None = None,
) -> FittedModel:
    """Train on the training samples; with `trainer.refit`, train again on train and val.

    Args:
        components: of the model.
        data: of all samples.
        empty: what a prediction without labels becomes in an epoch's score.
        device: to train on.
        on_epoch: called with every epoch after it has been evaluated, in whichever attempt.
        keeper: of checkpoints; None for none.
        world: of the processes that train together, each calling this with the same; None for one.

    """
    keeper = keeper if keeper is not None else NotKept()
    config, trainable = components.config, components.trainable
    trainer = config.trainer
    is_alone = world is None
    graphs = cuda_graphs(trainable.values() if is_alone else (), device)
    score = _MonitoredScore(trainer.monitor, data.labels[data.parts["val"]], empty)
    with accelerator_on(device, trainer.precision, alone=is_alone) as accelerator, graphs:
        train, val, test = (
            data.training_set(components, [part], device) for part in ("train", "val", "test")
        )
        initial_states = {
            name: deepcopy(encoder.state_dict())
            for name, encoder in trainable.items()
            if trainer.refit
        }
        epochs: Sequence[Epoch]
        learner: Learner | None = None
        resumed = keeper.resumed
        if resumed is None or resumed.refitted is None:
            learner = make_learner(components, data, train, accelerator, world)
            epochs = fit(
                learner,
                train,
                val,
                epochs=trainer.epochs,
                patience=trainer.patience,
                seed=config.seed,
                score=score if world is None else agreed_score(score, world),
                on_epoch=on_epoch,
                keeper=keeper,
            )
        else:
            epochs = resumed.epochs
            for epoch in epochs:
                on_epoch(epoch)
        best = best_of(epochs)
        samples_seen = len(epochs) * len(train)
        if trainer.refit:
            if learner is not None:
                learner.strategy.give_back(components.encoders)
            for name, weights in initial_states.items():
                components.trainable[name].load_state_dict(weights)
            train_and_val = data.training_set(components, ["train", "val"], device)
            learner = make_learner(components, data, train_and_val, accelerator, world)
            refit(
                learner,
                train_and_val,
                epochs=best.number,
                seed=config.seed,
                before=epochs,
                keeper=keeper,
            )
            samples_seen += best.number * len(train_and_val)
        assert learner is not None
        test_outputs = learner.evaluate(test, keeper.give_way)
    model = learner.strategy.whole_model()
    assert isinstance(model, Classifier)
    learner.strategy.give_back(components.encoders)
    return FittedModel(
        model=model,
        train=[epoch.train for epoch in epochs],
        val=[epoch.val for epoch in epochs],
        test=test_outputs,
        best=best.number,
        samples_seen=samples_seen,
    )


@dataclass(frozen=True)
class _MonitoredScore:
    """The monitored metric of the validation samples; higher is better."""

    monitor: str
    labels: NDArray[np.uint8]
    empty: Empty

    def __call__(self, val: SplitOutputs) -> float:
        probabilities = scores.probabilities_of(val.logits)
        return scores.monitored(self.monitor, val.loss, self.labels, probabilities, self.empty)


def make_learner(
    components: ModelComponents,
    data: FitData,
    examples: TrainingSet,
    accelerator: Accelerator,
    world: World | None = None,
) -> Learner:
    """The learner of a new model, which the seed determines.

    Args:
        components: of the model.
        data: of all samples.
        examples: that it is trained on.
        accelerator: to train with.
        world: of the processes that train together; None for one.

    """
    config = components.config
    trainer = config.trainer
    torch.manual_seed(config.seed)
    # What is to be sharded need not fit on one device, to which its parts are moved.
    device = CPU if is_sharded(accelerator) else accelerator.device
    model = new_model(components, data, device)
    optimizer, scheduler = make_optimizer(
        config.optimizer,
        config.scheduler,
        model,
        {name: config.encoder(name).lr for name in components.trainable},
        steps=trainer.epochs * steps_of(len(examples), trainer.batch_size * trainer.accumulate),
        allow=config.allow_targets,
    )
    strategy: StrategyOf = Strategy
    if world is not None:
        strategy = strategy_in(world, examples.eval_batch(slice(PROBED))[0])
    learner = Learner(
        model,
        components.loss.to(accelerator.device),
        optimizer,
        scheduler,
        accelerator,
        strategy_of=strategy,
        batch_size=trainer.batch_size,
        accumulate=trainer.accumulate,
        clip_norm=trainer.clip_norm,
        evaluation_size=evaluation_size(components),
    )
    if world is not None and not world.is_main:
        # Dropout of their own, where all have drawn the same weights.
        torch.manual_seed((config.seed + world.rank * SEED_STEP) % 2**63)
    return learner


def new_model(components: ModelComponents, data: FitData, device: torch.device) -> Classifier:
    """The classifier of a run with random weights."""
    config, trainable, dims = components.config, components.trainable, data.dims
    model = make_model(
        config.fusion,
        config.head,
        {m: dims[m] if m in dims else components.encoder(m).out_dim for m in config.modalities},
        trainable,
        data.labels.shape[1],
        config.allow_targets,
    ).to(device)
    for name, encoder in trainable.items():
        components.encodings[name].to_device(encoder, device)
    return model


def evaluation_size(components: ModelComponents) -> int:
    """The number of samples in a batch of evaluation."""
    has_trainable = bool(components.trainable)
    return components.config.encode.batch_size if has_trainable else FEATURE_BATCH
