from __future__ import annotations

import pytest
import torch

from mmclf.keys import precision_name
from mmclf.models.identity import Identity
from mmclf.store.digests import digest


@pytest.mark.parametrize(("size", "told"), [(None, ""), (64, ", 64 px")])
def test_a_precision_is_remembered_by_encoder_hardware_and_torch(
    size: int | None, told: str
) -> None:
    identity = Identity({"name": "e"})
    release = ".".join(torch.__version__.split(".")[:2])
    expected = f"{digest({'name': 'e'})}{told} on 2 x CPU, torch {release}"
    assert precision_name(identity, size, "2 x CPU") == expected
