"""Modality ablation: the test outputs of a trained model with modalities dropped or shuffled.

The model is restored, not trained again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load
from torch import Tensor, nn

from mmclf.data.permute import derangement
from mmclf.evaluation.outputs import SplitOutputs
from mmclf.models.classifier import Classifier, encoded
from mmclf.pipeline.fit_result import WEIGHTS, FitResult
from mmclf.pipeline.modalities import MODALITIES
from mmclf.progress import progress_bar
from mmclf.training.batches import FeatureInput, ModalityInput, TrainingSet
from mmclf.training.components import ModelComponents
from mmclf.training.device import accelerator_on
from mmclf.training.evaluate import evaluate
from mmclf.training.fit import evaluation_size, new_model
from mmclf.training.fit_data import FitData


def ablated_outputs(
    fit: FitResult,
    components: ModelComponents,
    data: FitData,
    groups: NDArray[np.int64],
    device: torch.device,
) -> SplitOutputs:
    """The test outputs of a fit's model with the changes of `at_test`.

    A dropped modality is replaced by its mean feature in the training samples, a shuffled one by
    that of a test sample of another group.

    Args:
        fit: holds the trained weights.
        components: of the model.
        data: with only the clean view of each frozen encoder's features.
        groups: (T,) of the test samples.
        device: to compute on.

    """
    config = components.config
    model = new_model(components, data, device)
    model.load_state_dict(load(fit.model[WEIGHTS]))
    model.eval()
    size = evaluation_size(components)
    test = data.training_set(components, ["test"], device)
    changes = config.at_test.changes
    inputs = {**test.inputs, **_shuffled_inputs(test, groups, changes, config.seed)}
    dropped = [name for name, change in changes.items() if change == "dropped"]
    with accelerator_on(device, config.trainer.precision) as accelerator:
        if dropped:
            train = data.training_set(components, ["train"], device)
            with accelerator.autocast():
                means = {name: _mean_feature(model, train, name, size) for name in dropped}
            for name, mean in means.items():
                model.encoders[name] = nn.Identity()
                inputs[name] = FeatureInput(mean.expand(len(test), 1, -1))
        changed = replace(test, inputs=inputs)
        loss = components.loss.to(device)
        return evaluate(accelerator.prepare(model), loss, changed, size)


def _shuffled_inputs(
    test: TrainingSet, groups: NDArray[np.int64], changes: Mapping[str, str], seed: int
) -> dict[str, ModalityInput]:
    """The inputs of the shuffled modalities, each sample with those of another group (N,)."""
    inputs = {}
    # Modalities are shuffled independently.
    for number, name in enumerate(MODALITIES):
        if changes.get(name) == "shuffled":
            generator = np.random.default_rng([seed, number])
            inputs[name] = test.inputs[name].subset(derangement(groups, generator))
    return inputs


@torch.no_grad()
def _mean_feature(model: Classifier, samples: TrainingSet, name: str, size: int) -> Tensor:
    """The mean (D,) of a modality's features of the samples, encoded in batches of `size`."""
    modality, encoder, device = samples.inputs[name], model.encoders[name], samples.labels.device
    total = torch.zeros((), dtype=torch.float64)
    with progress_bar(f"mean feature of {name}, samples", len(samples)) as advance:
        for start in range(0, len(samples), size):
            features = encoded(encoder, modality.eval_batch(slice(start, start + size), device))
            total = total + features.float().sum(dim=0).cpu().double()
            advance(len(features))
    return (total / len(samples)).float().to(device)
