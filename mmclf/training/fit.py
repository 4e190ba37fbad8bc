"""Fits a run's model: up to the best epoch, with an optional refit on train and val."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from accelerate import Accelerator
from numpy.typing import NDArray

from mmclf.evaluation import scores
from mmclf.evaluation.outputs import SplitOutputs
from mmclf.evaluation.threshold_search import Empty
from mmclf.models.build import make_model, make_optimizer
from mmclf.models.classifier import Classifier
from mmclf.training.batches import TrainingSet
from mmclf.training.checkpoint import Epoch, Keeper, NotKept, best_of
from mmclf.training.components import ModelComponents
from mmclf.training.cuda_graphs import cuda_graphs
from mmclf.training.device import accelerator_on
from mmclf.training.distributed.strategies import Score, agreed_score, is_sharded, strategy_in
from mmclf.training.distributed.world import World
from mmclf.training.fit_data import FitData
from mmclf.training.learner import Learner, StrategyOf, steps_of
from mmclf.training.strategy import Strategy
from mmclf.training.trainer import fit, refit

FEATURE_BATCH = 4096
CPU = torch.device("cpu")
PROBED = 2  # samples
SEED_STEP = 1_000_003  # between the seeds of processes

OnEpoch = Callable[[Epoch], None]


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
    is_alone = world is None
    graphs = cuda_graphs(trainable.values() if is_alone else (), device)
    with accelerator_on(device, config.trainer.precision, alone=is_alone) as accelerator, graphs:
        training = _Training(components, data, accelerator, keeper, world)
        train, val, test = (training.examples(part) for part in ("train", "val", "test"))
        initial_states = {
            name: deepcopy(encoder.state_dict())
            for name, encoder in trainable.items()
            if config.trainer.refit
        }
        score = _MonitoredScore(config.trainer.monitor, data.labels[data.parts["val"]], empty)
        epochs, learner = training.to_best_epoch(train, val, score, on_epoch)
        best, samples_seen = best_of(epochs), len(epochs) * len(train)
        if config.trainer.refit:
            if learner is not None:
                learner.strategy.give_back(components.encoders)
            for name, weights in initial_states.items():
                components.trainable[name].load_state_dict(weights)
            train_and_val = training.examples("train", "val")
            learner = training.again(train_and_val, epochs)
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
class _Training:
    """The training of one run's model; see `fit_model`."""

    components: ModelComponents
    data: FitData
    accelerator: Accelerator
    keeper: Keeper
    world: World | None

    def examples(self, *parts: str) -> TrainingSet:
        """The samples of one or more parts."""
        return self.data.training_set(self.components, parts, self.accelerator.device)

    def learner(self, examples: TrainingSet) -> Learner:
        """One with a new model, that trains on these examples."""
        return make_learner(self.components, self.data, examples, self.accelerator, self.world)

    def to_best_epoch(
        self, train: TrainingSet, val: TrainingSet, score: Score, on_epoch: OnEpoch
    ) -> tuple[Sequence[Epoch], Learner | None]:
        """All epochs, and the learner with the weights of the best one.

        None if an earlier attempt has come to the refit, which needs no weights of these epochs.
        """
        resumed = self.keeper.resumed
        if resumed is not None and resumed.refitted is not None:
            for epoch in resumed.epochs:
                on_epoch(epoch)
            return resumed.epochs, None
        config, learner = self.components.config, self.learner(train)
        epochs = fit(
            learner,
            train,
            val,
            epochs=config.trainer.epochs,
            patience=config.trainer.patience,
            seed=config.seed,
            score=score if self.world is None else agreed_score(score, self.world),
            on_epoch=on_epoch,
            keeper=self.keeper,
        )
        return epochs, learner

    def again(self, examples: TrainingSet, epochs: Sequence[Epoch]) -> Learner:
        """The learner of a new model, trained for as many epochs as were best."""
        learner = self.learner(examples)
        refit(
            learner,
            examples,
            epochs=best_of(epochs).number,
            seed=self.components.config.seed,
            before=epochs,
            keeper=self.keeper,
        )
        return learner


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
