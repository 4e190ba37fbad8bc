from __future__ import annotations

import torch

from mmclf.models.fusion import Concat


def test_modalities_stand_side_by_side_in_order() -> None:
    fusion = Concat([2, 1])
    assert fusion.out_dim == 3
    parts = [torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[5.0], [6.0]])]
    assert fusion(parts).tolist() == [[1.0, 2.0, 5.0], [3.0, 4.0, 6.0]]
    assert fusion(parts[::-1]).tolist() == [[5.0, 1.0, 2.0], [6.0, 3.0, 4.0]]


def test_one_modality_stays_as_it_is() -> None:
    features = torch.tensor([[1.0, 2.0]])
    assert torch.equal(Concat([2])([features]), features)
