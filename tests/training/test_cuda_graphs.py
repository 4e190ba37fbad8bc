from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from mmclf.training.cuda_graphs import _GraphedForward, cuda_graphs

GPU = torch.device("cuda")
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")


class Small(nn.Module):
    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.norm, self.last = nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Linear(8, 4)
        self.unused = nn.Linear(2, 2)
        self.dropout = nn.Dropout(dropout)

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        hidden = self.norm(self.first(inputs["x"])).relu()
        features: Tensor = self.last(self.dropout(hidden))
        return features


class Peeking(Small):
    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        features = super().forward(inputs)
        return features if features.sum().item() < 1e9 else -features


def batches(count: int, size: int = 16) -> Iterator[dict[str, Tensor]]:
    generator = torch.Generator().manual_seed(1)
    for _ in range(count):
        yield {"x": torch.randn(size, 6, generator=generator).to(GPU)}


def trained(encoder: nn.Module, steps: int = 10, accumulate: int = 1) -> dict[str, Tensor]:
    optimizer = torch.optim.Adam(encoder.parameters(), lr=0.01)
    for number, batch in enumerate(batches(steps), start=1):
        encoder(batch).square().mean().backward()
        if number % accumulate == 0:
            optimizer.step()
            optimizer.zero_grad()
    return {name: value.cpu() for name, value in encoder.state_dict().items()}


def test_on_the_cpu_an_encoder_is_left_as_it_is() -> None:
    encoder = Small()
    with cuda_graphs([encoder], torch.device("cpu")):
        assert "forward" not in vars(encoder)
        encoder({"x": torch.zeros(2, 6)})
    assert "forward" not in vars(encoder)


@needs_gpu
@pytest.mark.parametrize("accumulate", [1, 2])
def test_graphs_train_the_same_weights(accumulate: int) -> None:
    plain = trained(Small().to(GPU), accumulate=accumulate)
    encoder = Small().to(GPU)
    with cuda_graphs([encoder], GPU):
        weights = trained(encoder, accumulate=accumulate)
        forward = encoder.forward
        assert isinstance(forward, _GraphedForward)
        assert len(forward._graphs) == 1
    assert "forward" not in vars(encoder)
    for name, value in plain.items():
        torch.testing.assert_close(weights[name], value)


@needs_gpu
def test_each_shape_and_mode_has_a_graph_of_its_own() -> None:
    encoder = Small().to(GPU)
    with cuda_graphs([encoder], GPU):
        for size in (4, 8):
            for batch in batches(6, size):
                encoder(batch)
                with torch.no_grad():
                    encoder(batch)
        forward = encoder.forward
        assert isinstance(forward, _GraphedForward)
        assert len(forward._graphs) == 4
        encoder.eval()
        (batch,) = batches(1, 5)
        with torch.no_grad():
            expected = forward._plain(batch)
            for _ in range(6):
                torch.testing.assert_close(encoder(batch), expected)


@needs_gpu
def test_an_encoder_that_waits_for_the_device_is_trained_without_a_graph() -> None:
    plain = trained(Small().to(GPU))
    encoder = Peeking().to(GPU)
    with cuda_graphs([encoder], GPU):
        weights = trained(encoder)
        forward = encoder.forward
        assert isinstance(forward, _GraphedForward)
        assert forward._graphs == {}
    for name, value in plain.items():
        torch.testing.assert_close(weights[name], value)
    assert torch.rand(2, device=GPU).isfinite().all()


@needs_gpu
def test_dropout_draws_anew_at_every_replay() -> None:
    encoder = Small(dropout=0.5).to(GPU)
    (batch,) = batches(1)
    with cuda_graphs([encoder], GPU):
        seen = [encoder(batch).detach() for _ in range(8)]
    assert not torch.equal(seen[-1], seen[-2])
