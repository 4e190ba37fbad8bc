from __future__ import annotations

import numpy as np
import torch

from mmclf.training.features import mean_view


def test_the_mean_view_is_that_of_as_many_as_a_sample_has() -> None:
    views = [torch.tensor([[1.0], [2.0], [3.0]]), torch.tensor([[5.0], [2.0], [9.0]])]
    found = mean_view(views, np.array([2, 1, 2]))
    assert found.tolist() == [[3.0], [2.0], [6.0]]
    assert found.dtype == torch.float32
