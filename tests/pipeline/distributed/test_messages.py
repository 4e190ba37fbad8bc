"""What is sent of a run arrives as it is, and other data are noticed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import mmclf
from mmclf.data.samples import Samples
from mmclf.evaluation.outputs import SplitOutputs
from mmclf.pipeline.distributed import messages
from mmclf.pipeline.distributed.messages import Packet
from mmclf.pipeline.run_data import load_samples
from mmclf.training.checkpoint import Checkpoint, Epoch, plain_checkpoint
from mmclf.training.fit_data import FitData
from mmclf.training.learner_state import LearnerState, Position

PARTS = {"train": np.arange(3), "val": np.array([3]), "test": np.array([4, 5])}


def sent(packet: Packet) -> Packet:
    """A packet after its way through a link."""
    message, tensors = packet
    return json.loads(json.dumps(message)), tensors


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    folder = tmp_path_factory.mktemp("outputs")
    return load_samples(
        mmclf.compose(["data.train=60", "data.test=20", f"output_dir={folder}"]).config
    )


@pytest.mark.parametrize(
    "overrides",
    [
        ["vision=none"],
        ["experiment=offline", "fusion=late", "device=cpu"],
        ["text=bert", "text.weights=random", "text.trainable=true", "trainer.refit=true"],
    ],
)
def test_a_configuration_and_its_parts_arrive(samples: Samples, overrides: list[str]) -> None:
    config = mmclf.compose(overrides).config
    packet = messages.prepare_packet(config, samples, None, PARTS, Path("own"), ["text"])
    message, tensors = sent(packet)
    assert messages.config_of(message) == config
    parts = messages.parts_of(tensors)
    assert all(np.array_equal(parts[name], rows) for name, rows in PARTS.items())
    assert (message["modules"], message["missing"]) == ("own", ["text"])


def test_other_data_have_another_digest(samples: Samples) -> None:
    found = messages.run_digest(samples, None)
    assert found == messages.run_digest(replace(samples), None)
    first, second, *more = samples.captions
    swapped = replace(samples, captions=(second, first, *more))
    labels = samples.labels.copy()
    labels[0, 0] = 1 - labels[0, 0]
    others = [swapped, replace(samples, labels=labels)]
    assert found not in {messages.run_digest(other, None) for other in others}


def test_the_inputs_and_the_checkpoint_of_a_fit_arrive() -> None:
    views = [torch.rand(6, 2), torch.rand(6, 2)]
    data = FitData("abcdef", np.zeros((6, 1), np.uint8), PARTS, {"text": views}, ("text",))
    outputs = SplitOutputs(0.5, np.ones((3, 1), np.float32))
    weights = {"weight": torch.rand(2, 3)}
    state = LearnerState({"model": weights}, Position(2, torch.ones(4), torch.zeros(4)), {})
    checkpoint = Checkpoint((Epoch(1, outputs, outputs, 0.25),), weights, None, state)
    message, tensors = sent(messages.fit_packet(data, "argmax", 3, checkpoint))
    assert (message["empty"], message["every"], message["means"]) == ("argmax", 3, ["text"])
    features = messages.features_of(message, tensors)
    assert list(features) == ["text"]
    assert all(map(torch.equal, features["text"], views))
    resumed = messages.resumed_of(message, tensors)
    assert resumed is not None
    assert str(plain_checkpoint(resumed)) == str(plain_checkpoint(checkpoint))
    message, tensors = sent(messages.fit_packet(data, "argmax", None, None))
    assert messages.resumed_of(message, tensors) is None
    assert len(tensors) == 2
