"""A trained model judged on test samples that lack a modality, or show that of another sample.

The model is restored, not trained again, and the test set's logits alone are others than the fit's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from safetensors.torch import load
from torch import Tensor, nn

from mmclf.data.permute import derangement
from mmclf.models.classifier import Classifier
from mmclf.pipeline.fit import evaluation_size, make_training_set, new_model
from mmclf.pipeline.fit_result import WEIGHTS, FitResult, SplitOutputs, SplitOutputsSerializer
from mmclf.pipeline.stage_runner import StageRunner
from mmclf.progress import progress_bar
from mmclf.storage.stopwatch import Stopwatch
from mmclf.storage.store.entry import Stage
from mmclf.storage.store.store import Computed, StageResult
from mmclf.training.batches import FeatureInput, ModalityInput, TrainingSet
from mmclf.training.device import accelerator_on
from mmclf.training.trainer import evaluate

MODALITIES = ("vision", "text")  # each is shuffled in an order of its own


def judged_at_test(
    computation: StageRunner, outcome: StageResult[FitResult], stage: Stage
) -> StageResult[SplitOutputs]:
    """The test set as the model of an outcome judges it where `at_test` changes what it sees."""
    return computation.store.result(
        stage, SplitOutputsSerializer(), lambda: _judge(computation, outcome)
    )


def _judge(computation: StageRunner, outcome: StageResult[FitResult]) -> Computed[SplitOutputs]:
    config, inputs, device = computation.config, computation.inputs, computation.device
    features = computation.clean_features()
    clock = Stopwatch()
    dims = {name: values.shape[1] for name, values in features.items()}
    model = new_model(config, inputs, dims, device)
    model.load_state_dict(load(outcome.value.model[WEIGHTS]))
    model.eval()
    size = evaluation_size(config, inputs)
    views = {name: [values] for name, values in features.items()}
    test = make_training_set(config, inputs, views, ["test"], device)
    changes = config.at_test.changes
    sources = {**test.inputs, **_shuffled(test, changes, config.seed)}
    dropped = [name for name, how in changes.items() if how == "dropped"]
    with accelerator_on(device, config.trainer.precision) as accelerator:
        if dropped:
            train = make_training_set(config, inputs, views, ["train"], device)
            with accelerator.autocast():
                means = {name: _mean_feature(model, train, name, size) for name in dropped}
            for name, mean in means.items():
                model.encoders[name] = nn.Identity()
                sources[name] = FeatureInput(mean.expand(len(test), 1, -1))
        changed = replace(test, inputs=sources)
        found = evaluate(accelerator.prepare(model), inputs.loss.to(device), changed, size)
    judged = SplitOutputs(found.loss, found.logits.numpy())
    return Computed(judged, clock.elapsed(), len(test), outcome.timings)


def _shuffled(test: TrainingSet, changes: Mapping[str, str], seed: int) -> dict[str, ModalityInput]:
    """The inputs of the modalities to be shuffled, each with another sample."""
    found = {}
    for number, name in enumerate(MODALITIES):
        if changes.get(name) == "shuffled":
            generator = np.random.default_rng([seed, number])
            found[name] = test.inputs[name].subset(derangement(len(test), generator))
    return found


@torch.no_grad()
def _mean_feature(model: Classifier, examples: TrainingSet, name: str, size: int) -> Tensor:
    """The mean (D,) of what a modality's encoder makes of the examples, `size` at a time."""
    source, encoder, device = examples.inputs[name], model.encoders[name], examples.labels.device
    total = torch.zeros((), dtype=torch.float64)
    with progress_bar(f"mean feature of {name}, samples", len(examples)) as advance:
        for start in range(0, len(examples), size):
            encoded = encoder(source.eval_batch(slice(start, start + size), device))
            total = total + encoded.float().sum(dim=0).cpu().double()
            advance(len(encoded))
    return (total / len(examples)).float().to(device)
