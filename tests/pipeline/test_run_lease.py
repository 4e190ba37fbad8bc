"""A run under the lease of a study's cell: it finishes, unless another has taken the cell over."""

from __future__ import annotations

from pathlib import Path

import pytest

import mmclf
from mmclf.errors import TakenOverError
from mmclf.storage.tracking import Tracker
from mmclf.storage.tracking.leases import LEASE_TAG, cell_of

CELL = cell_of("bce", 0)


@pytest.mark.parametrize(("is_revoked", "status"), [(False, "FINISHED"), (True, "KILLED")])
def test_a_run_finishes_unless_its_cell_was_taken_over(
    is_revoked: bool, status: str, tmp_path: Path
) -> None:
    tracker = Tracker(f"sqlite:///{tmp_path}/mlflow.db", "mmclf", tmp_path)
    parent = tracker.start("study", {}, None).id
    lease = tracker.leases(parent).take(CELL, None)
    assert lease is not None
    given = ["data.train=60", "data.test=20", "trainer.epochs=1", f"output_dir={tmp_path}"]
    config = mmclf.compose([*given, f"tracking.parent='{parent}'"])
    if is_revoked:
        assert tracker.leases(parent).end(CELL, 1, "revoked")
        with pytest.raises(TakenOverError):
            mmclf.run(config, lease)
    else:
        mmclf.run(config, lease)
    (run,) = tracker.children(parent)
    assert (run.status, run.tags[LEASE_TAG]) == (status, lease.name)
