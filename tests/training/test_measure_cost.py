from __future__ import annotations

import torch
from torch import nn

from mmclf.training.measure_cost import measure_cost
from mmclf.training.prediction_cost import BATCH, PredictionCost

CPU = torch.device("cpu")


def test_a_linear_layer_costs_two_operations_a_weight() -> None:
    layer = nn.Linear(10, 3)
    layer.bias.requires_grad = False
    one, batch = torch.zeros(1, 10), torch.zeros(BATCH, 10)
    cost = measure_cost(layer, lambda: layer(one), lambda: layer(batch), CPU)
    assert (cost.parameters, cost.trained_parameters, cost.flops) == (33, 30, 2 * 10 * 3)
    assert cost.latency_s > 0
    assert cost.latency_batch_s > 0


def test_a_convolution_costs_its_kernel_at_every_place() -> None:
    layer = nn.Conv2d(3, 4, 3, padding=1, bias=False)
    one, batch = torch.zeros(1, 3, 8, 8), torch.zeros(BATCH, 3, 8, 8)
    cost = measure_cost(layer, lambda: layer(one), lambda: layer(batch), CPU)
    assert cost.flops == 2 * (3 * 3 * 3) * 4 * 8 * 8


def test_what_is_no_network_has_neither_parameters_nor_operations() -> None:
    cost = measure_cost(object(), lambda: torch.zeros(1), lambda: torch.zeros(BATCH), CPU)
    assert (cost.parameters, cost.trained_parameters, cost.flops) == (0, 0, 0)


def test_parts_add_up() -> None:
    total = PredictionCost(1, 2, 3, 4, 5) + PredictionCost(10, 20, 30, 40, 50)
    assert total == PredictionCost(11, 22, 33, 44, 55)
