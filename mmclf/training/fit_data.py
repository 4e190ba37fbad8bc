"""The data of a fit: labels, parts, and the inputs that a model gets of each sample."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmclf.training.batches import FeatureInput, ModalityInput, TrainingSet
from mmclf.training.components import ModelComponents


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
