"""Floors: runs whose captions say nothing of their samples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import mmclf
from mmclf.errors import InputError
from mmclf.pipeline.result import Result
from mmclf.pipeline.run_data import RunData, load_run_data, open_store

pytestmark = pytest.mark.slow

SMALL = ("data.train=120", "data.test=40", "device=cpu", "cache=on")


def run(folder: Path, *overrides: str) -> Result:
    return mmclf.run(mmclf.compose([*SMALL, f"output_dir={folder}", *overrides]))


def run_data_of(folder: Path, *overrides: str) -> RunData:
    config = mmclf.compose([*SMALL, f"output_dir={folder}", *overrides]).config
    with open_store(config, "2 x CPU") as store:
        return load_run_data(config, store)


def test_a_constant_learns_how_common_each_label_is(tmp_path: Path) -> None:
    linear = ("head.hidden=null", "optimizer.lr=0.1", "trainer.monitor=val/loss")
    result = run(tmp_path, "text=constant", *linear, "trainer.epochs=60")
    for logits in result.logits.values():
        assert (logits == logits[0]).all()
    data = run_data_of(tmp_path)
    shares = data.labels("train").mean(axis=0)
    assert 1 / (1 + np.exp(-result.logits["test"][0])) == pytest.approx(shares, abs=0.1)


def test_a_constant_is_predicted_from_any_caption(tmp_path: Path) -> None:
    result = run(tmp_path, "text=constant", "trainer.epochs=2")
    probabilities = mmclf.load(result.run_id, output_dir=tmp_path, device="cpu").predict_proba(
        captions=["a cat", "two dogs"]
    )
    own = 1 / (1 + np.exp(-result.logits["test"][:2].astype(np.float64)))
    assert probabilities == pytest.approx(own, abs=1e-6)


def test_a_constant_cannot_be_trained(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Constant has no weights"):
        run(tmp_path, "text=constant", "text.trainable=true")


def test_shuffled_captions_stay_on_their_side_of_the_sources_test(tmp_path: Path) -> None:
    own, shuffled = (
        run_data_of(tmp_path, f"data.caption_order={order}") for order in ("own", "shuffled")
    )
    assert shuffled.samples.captions != own.samples.captions
    for part, rows in own.parts.items():
        assert np.array_equal(shuffled.parts[part], rows)
    for is_test in (True, False):
        rows = np.flatnonzero(own.samples.own_test == is_test)
        before, after = (
            sorted(data.samples.captions[row] for row in rows) for data in (own, shuffled)
        )
        assert before == after
    assert np.array_equal(shuffled.samples.labels, own.samples.labels)


def test_a_model_of_shuffled_captions_reads_captions_as_they_are(tmp_path: Path) -> None:
    result = run(tmp_path, "data.caption_order=shuffled", "trainer.epochs=2")
    rows = run_data_of(tmp_path).parts.test
    own, shuffled = (
        run_data_of(tmp_path, f"data.caption_order={order}").samples.captions
        for order in ("own", "shuffled")
    )
    predictor = mmclf.load(result.run_id, output_dir=tmp_path, device="cpu")
    expected = 1 / (1 + np.exp(-result.logits["test"].astype(np.float64)))
    assert predictor.predict_proba(None, [shuffled[i] for i in rows]) == pytest.approx(
        expected, abs=1e-6
    )
    assert np.abs(predictor.predict_proba(None, [own[i] for i in rows]) - expected).max() > 1e-3
