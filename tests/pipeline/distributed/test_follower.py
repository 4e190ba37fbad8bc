"""A process that follows refuses to share a run whose data it reads otherwise."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

import mmclf
from mmclf.errors import InputError
from mmclf.pipeline.distributed import follower, messages
from mmclf.pipeline.run_data import load_samples
from mmclf.training.distributed.agreed_keeper import SignalFlag
from mmclf.training.distributed.world import World

PARTS = {"train": np.arange(3), "val": np.array([3]), "test": np.array([4, 5])}
WORLD = cast("World", SimpleNamespace(local_rank=0))


@pytest.mark.parametrize("is_same", [True, False])
def test_other_data_than_the_main_process_reads_are_refused(tmp_path: Path, is_same: bool) -> None:
    words = ["data.train=60", "data.test=20", "vision=none", "device=cpu"]
    config = mmclf.compose([*words, f"output_dir={tmp_path}"]).config
    packet = messages.prepare_packet(config, load_samples(config), None, PARTS, None, [])
    message: dict[str, Any] = dict(packet[0])
    if not is_same:
        message["data"] = "0" * 40
    prepared = follower._prepared(WORLD, SignalFlag(), message, packet[1])
    if is_same:
        with prepared as own:
            assert own.components.config == config
    else:
        with pytest.raises(InputError, match="data"), prepared:
            pass
