"""Prediction from tracked runs: what they predicted themselves, in any batch, from any form."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from predicting_runs import RUNS, SMALL, Data, Runs

import mmclf
from mmclf.evaluation.thresholds import decide
from mmclf.pipeline.predict.predictor import Predictor

pytest_plugins = ["predicting_run_fixtures"]


@pytest.mark.parametrize("part", ["val", "test"])
@pytest.mark.parametrize("name", RUNS)
def test_a_run_is_predicted_as_it_predicted_itself(
    runs: Runs, data: Data, name: str, part: str
) -> None:
    predictor = runs.load(name)
    with np.load(runs.artifacts(name) / "predictions" / f"{part}.npz") as saved:
        ids, logits = [str(one) for one in saved["ids"]], saved["logits"].astype(np.float64)
    own = 1 / (1 + np.exp(-logits))
    probabilities = predictor.predict_proba(data.images(ids), data.captions(ids))
    assert probabilities.dtype == np.float64
    assert probabilities == pytest.approx(own, abs=1e-3 if "bf16" in name else 1e-6)
    expected = decide(own, predictor.thresholds, "argmax")
    far = (np.abs(own - predictor.thresholds) > (1e-3 if "bf16" in name else 1e-5)).all(axis=1)
    assert far.mean() > 0.2
    assert np.array_equal(predictor.label_sets(probabilities)[far], expected[far])


def test_the_labels_come_by_name_in_the_order_of_the_columns(
    runs: Runs, data: Data, ids: list[str]
) -> None:
    predictor = runs.load("tfidf")
    model = json.loads((runs.artifacts("tfidf") / "model" / "model.json").read_text())
    assert predictor.label_names == tuple(model["label_names"])
    assert predictor.label_ids == tuple(model["label_ids"])
    assert predictor.thresholds.tolist() == model["thresholds"]
    predictor.thresholds = np.full(18, 0.3)
    probabilities = predictor.predict_proba(None, data.captions(ids))
    labels = predictor.predict(captions=data.captions(ids))
    for names, row in zip(labels, probabilities, strict=True):
        above = [n for n, p in zip(predictor.label_names, row, strict=True) if p >= 0.3]
        assert names == tuple(above or [predictor.label_names[row.argmax()]])


@pytest.mark.parametrize(
    "name", ["frozen", pytest.param("trained in bf16", marks=pytest.mark.slow), "tfidf"]
)
@pytest.mark.parametrize("size", [1, 3, 32])
def test_neither_company_nor_order_changes_a_label(
    runs: Runs, data: Data, name: str, size: int
) -> None:
    predictor, ids = runs.load(name), [*data.rows][:40]
    images, captions = data.images(ids), data.captions(ids)
    probabilities = predictor.predict_proba(images, captions)
    # Every threshold is where a last bit would decide.
    predictor.thresholds = probabilities[np.arange(18)].diagonal().copy()
    expected = predictor.predict_proba(images, captions)
    order = np.random.default_rng(size).permutation(len(ids))
    for start in range(0, len(ids), size):
        rows = order[start : start + size]
        some = [ids[row] for row in rows]
        actual = predictor.predict_proba(data.images(some), data.captions(some))
        assert actual == pytest.approx(expected[rows], abs=1e-6 if "bf16" not in name else 1e-3)
        assert np.array_equal(predictor.label_sets(actual), predictor.label_sets(expected[rows]))
        close = (np.abs(expected[rows] - predictor.thresholds) < 1e-5).any(axis=1)
        assert np.array_equal(actual[close], expected[rows][close])


@settings(max_examples=12)
@given(rows=st.lists(st.integers(0, 39), min_size=1, max_size=45))
def test_labels_are_the_same_in_any_order_and_subset(
    both: Predictor, data: Data, rows: list[int]
) -> None:
    ids = [*data.rows][:40]
    expected = both.predict(data.images(ids), data.captions(ids))
    some = [ids[row] for row in rows]
    labels = both.predict(data.images(some), data.captions(some))
    assert labels == [expected[row] for row in rows]


@pytest.mark.slow
@pytest.mark.parametrize("level", ["text=minilm", "vision=efficientnet_lite0"])
def test_labels_by_a_pretrained_encoder_are_the_same_in_any_order_and_subset(
    runs: Runs, data: Data, level: str
) -> None:
    overrides = [*SMALL, "text=none", level, "threshold=per_label_f1", f"output_dir={runs.folder}"]
    run_id = mmclf.run(mmclf.compose(overrides)).run_id
    predictor = mmclf.load(run_id, output_dir=runs.folder, device="cpu")
    ids = [*data.rows][:90]
    expected = dict(zip(ids, predictor.predict(data.images(ids), data.captions(ids)), strict=True))
    rng = np.random.default_rng(0)
    for size in (1, 5, 33, 90):
        some = [str(one) for one in rng.permutation(ids)[:size]]
        labels = predictor.predict(data.images(some), data.captions(some))
        assert labels == [expected[one] for one in some]


def test_every_form_of_a_picture_is_the_same_picture(
    both: Predictor, data: Data, ids: list[str]
) -> None:
    paths, captions = data.images(ids), data.captions(ids)
    expected = both.predict_proba(paths, captions)
    pictures = [Image.open(path) for path in paths]
    arrays = [np.asarray(picture.convert("RGB")) for picture in pictures]
    forms: list[Any] = [list(map(str, paths)), tuple(pictures), arrays, np.stack(arrays)]
    for form in [*forms, [paths[0], pictures[1], *arrays[2:]]]:
        assert np.array_equal(both.predict_proba(form, captions), expected)
    for one in (paths[0], str(paths[0]), pictures[0], arrays[0]):
        assert np.array_equal(both.predict_proba(one, captions[0]), expected[:1])
        assert both.predict(one, captions[0]) == both.predict(paths[:1], captions[:1])


def test_nothing_gives_nothing(both: Predictor) -> None:
    assert both.predict([], []) == []
    assert both.predict_proba([], []).shape == (0, 18)


def test_the_most_probable_labels_come_in_their_order(
    runs: Runs, data: Data, ids: list[str]
) -> None:
    predictor = runs.load("tfidf")
    probabilities = predictor.predict_proba(captions=data.captions(ids))
    for top in (1, 3, 18, 99):
        labels = predictor.predict(captions=data.captions(ids), top=top)
        for names, row in zip(labels, probabilities, strict=True):
            ordered = sorted(
                predictor.label_names, key=lambda n: -row[predictor.label_names.index(n)]
            )
            assert names == tuple(ordered[:top])


@pytest.mark.parametrize("name", ["tfidf", "frozen"])
def test_several_captions_of_a_sample_have_the_mean_of_their_features(
    runs: Runs, data: Data, ids: list[str], name: str
) -> None:
    predictor = runs.load(name)
    images, captions = data.images(ids), data.captions(ids)
    alone = predictor.predict_proba(images, captions)
    probabilities = predictor.predict_proba(images, [[text] * 3 for text in captions])
    assert probabilities == pytest.approx(alone, abs=1e-6)
    pairs = [[captions[i], captions[i - 1]] for i in range(len(ids))]
    both = predictor.predict_proba(images, pairs)
    assert np.abs(both - alone).max() > 1e-4
    swapped = predictor.predict_proba(images, [pair[::-1] for pair in pairs])
    assert swapped == pytest.approx(both, abs=1e-6)
