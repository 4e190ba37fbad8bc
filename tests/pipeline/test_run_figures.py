"""The figures of a run: what is left of them, and that none is drawn twice."""

from __future__ import annotations

import json
from inspect import unwrap
from pathlib import Path

import numpy as np
import pytest

from mmclf.data.samples import Samples
from mmclf.data.split import Parts
from mmclf.pipeline import figures
from mmclf.pipeline.figures import write_figures
from mmclf.storage.store.store import Store

LABELS = np.array([[1, 0], [0, 1], [1, 1], [0, 1]], np.uint8)
SAMPLES = Samples(
    ids=("a", "b", "c", "d"),
    images=(),
    captions=("", "", "", ""),
    labels=LABELS,
    label_ids=("1", "2"),
    label_names=("cat", "dög"),
    own_val=np.zeros(4, bool),
    own_test=np.zeros(4, bool),
)
PARTS = Parts(np.array([0, 1]), np.array([2]), np.array([3]))
KEYS = [f"{part}/{metric}" for part in ("train", "val") for metric in ("loss", "f1_samples")]
HISTORY = [dict.fromkeys(KEYS, value) for value in (0.5, 0.25)]


@pytest.fixture(autouse=True)
def _none_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw each as often as it is asked for, which `made_once` does not."""
    monkeypatch.setattr(figures, "stored_picture", unwrap(figures.stored_picture))


def names(folder: Path) -> set[str]:
    return {path.name for path in (folder / "figures").iterdir()}


def test_figures_and_the_shares_as_numbers(tmp_path: Path) -> None:
    write_figures(tmp_path, SAMPLES, PARTS, HISTORY, Store(tmp_path / "store", "a CPU"))
    assert names(tmp_path) == {"label_shares.json", "label_shares.png", "learning_curves.png"}
    for name in ("label_shares", "learning_curves"):
        assert (tmp_path / "figures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    content = json.loads((tmp_path / "figures" / "label_shares.json").read_text(encoding="utf-8"))
    assert content == {
        "labels": ["cat", "dög"],
        "shares": {"train": [0.5, 0.5], "val": [1.0, 1.0], "test": [0.0, 1.0]},
    }


def test_what_was_drawn_of_the_same_numbers_is_not_drawn_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "store", "a CPU")
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    write_figures(tmp_path / "first", SAMPLES, PARTS, HISTORY, store)

    def refuse(*_: object) -> None:
        raise AssertionError("drawn again")

    monkeypatch.setattr(figures, "label_shares_figure", refuse)
    monkeypatch.setattr(figures, "learning_curves_figure", refuse)
    write_figures(tmp_path / "second", SAMPLES, PARTS, HISTORY, store)
    for name in names(tmp_path / "first"):
        first, second = (tmp_path / one / "figures" / name for one in ("first", "second"))
        assert first.read_bytes() == second.read_bytes()
    (tmp_path / "third").mkdir()
    with pytest.raises(AssertionError, match="drawn again"):
        write_figures(tmp_path / "third", SAMPLES, PARTS, HISTORY[:1], store)
