"""Measures what a prediction costs: by frozen encoders, once for each, and by what is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mmclf.data.samples import Samples
from mmclf.models.classifier import Classifier
from mmclf.pipeline.cost import cost_from
from mmclf.pipeline.stages import Precision, StageResolver
from mmclf.storage.store.hashing import texts_digest
from mmclf.training.components import ModelComponents
from mmclf.training.fit import new_model
from mmclf.training.fit_data import FitData
from mmclf.training.measure_cost import Forward, measure_cost
from mmclf.training.precision import autocast
from mmclf.training.prediction_cost import BATCH, PredictionCost


@dataclass(frozen=True)
class EncoderCosts:
    """What frozen encoders cost, each measured once for its precision and hardware, and remembered.

    Args:
        resolver: names them, and has their cache.
        precisions: that they run in, by modality.
        samples: of which the first ones are encoded.

    """

    resolver: StageResolver
    precisions: Mapping[str, Precision]
    samples: Samples

    def of(
        self, modality: str, components: ModelComponents, device: torch.device
    ) -> PredictionCost:
        """The cost of the encoder of a modality."""
        rows = sample_rows(len(self.samples))
        captions = texts_digest([self.samples.captions[i] for i in rows])[:12]
        name = self.resolver.precision_name(modality)
        key = f"{name}, {self.precisions[modality]}, captions {captions}"

        def measured() -> dict[str, Any]:
            encoder = components.encoder(modality)
            encoding = components.encodings[modality]

            def forward(count: int) -> Forward:
                compute = encoding.probe(encoder, rows[:count], device)
                return partial(_in_precision, compute, self.precisions[modality], device)

            return asdict(measure_cost(encoder, forward(1), forward(BATCH), device))

        return cost_from(self.resolver.costs.get_or_compute(key, measured))


def sample_rows(count: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """BATCH rows of so many samples: the first ones, again and again if there are fewer."""
    return np.arange(BATCH, dtype=np.int64) % count


def _in_precision(compute: Forward, precision: Precision, device: torch.device) -> Tensor:
    with autocast(precision, device):
        return compute()


def trained_cost(
    components: ModelComponents, data: FitData, device: torch.device
) -> PredictionCost:
    """The cost of the trained encoders, the fusion and the head, whatever their weights are."""
    model = new_model(components, data, device).eval()
    rows = sample_rows(len(data.ids))
    examples = FitData(data.ids, data.labels, {"test": rows}, data.features, data.means)
    inputs = examples.training_set(components, ["test"], device)

    def forward(count: int) -> Forward:
        batch, _ = inputs.eval_batch(slice(0, count))
        return partial(_logits, model, batch, components.config.trainer.precision, device)

    return measure_cost(model, forward(1), forward(BATCH), device)


def _logits(
    model: Classifier, batch: Mapping[str, Any], precision: str, device: torch.device
) -> Tensor:
    dtype = torch.float16 if precision == "fp16" else torch.bfloat16
    with torch.autocast(device.type, dtype=dtype, enabled=precision != "fp32"):
        logits: Tensor = model(batch)
    return logits
