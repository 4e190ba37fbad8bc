"""Images or captions that are missing, or that the run did not use, and what is refused."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from predicting_runs import BOTH, Data, Runs

from mmclf.errors import InputError
from mmclf.pipeline.predict.predictor import Predictor

pytest_plugins = ["predicting_run_fixtures"]


def test_a_missing_caption_is_an_empty_one_with_a_warning(
    both: Predictor, data: Data, ids: list[str]
) -> None:
    images, captions = data.images(ids), data.captions(ids)
    words = r"^2 of 6 .*no caption"
    with pytest.warns(UserWarning, match=words) as warned:
        probabilities = both.predict_proba(images, [None, "", *captions[2:]])
    assert Path(warned[0].filename) == Path(__file__)
    with pytest.warns(UserWarning, match="6 of 6 .*no caption"):
        without = both.predict_proba(images)
    assert np.array_equal(probabilities[:2], without[:2])
    expected = both.predict_proba(images, captions)
    assert np.array_equal(probabilities[2:], expected[2:])
    assert not np.array_equal(probabilities[:2], expected[:2])


def test_a_missing_image_is_the_mean_with_a_warning(
    both: Predictor, data: Data, ids: list[str]
) -> None:
    images, captions = data.images(ids), data.captions(ids)
    words = r"^1 of 6 .*no image: a grey"
    with pytest.warns(UserWarning, match=words):
        probabilities = both.predict_proba([None, *images[1:]], captions)
    with pytest.warns(UserWarning, match="6 of 6 .*no image"):
        without = both.predict_proba(None, captions)
    assert np.array_equal(probabilities[:1], without[:1])
    assert np.array_equal(probabilities[1:], both.predict_proba(images, captions)[1:])
    # A picture of the mean colour, of which bytes can only come near.
    grey = np.full((64, 64, 3), np.round(255 * np.array([0.485, 0.456, 0.406])), dtype=np.uint8)
    near = both.predict_proba([grey] * 6, captions)
    assert without == pytest.approx(near, abs=1e-4)


def test_what_the_run_did_not_use_is_ignored(runs: Runs, data: Data, ids: list[str]) -> None:
    words, sight = runs.load("tfidf"), runs.load("trained vision")
    images, captions = data.images(ids), data.captions(ids)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        probabilities = words.predict_proba(None, captions)
        assert np.array_equal(words.predict_proba(["nowhere.jpg"] * 6, captions), probabilities)
        assert np.array_equal(sight.predict_proba(images), sight.predict_proba(images, captions))


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("tfidf", {"images": ["a.jpg"]}, "from captions: none"),
        ("tfidf", {"captions": [None, " "]}, "from captions: none"),
        ("trained vision", {"captions": ["a"]}, "from images: none"),
        (BOTH, {"images": [None], "captions": [""]}, "images or captions: none"),
        (BOTH, {}, "images nor captions"),
        (BOTH, {"images": ["a.jpg"], "captions": ["a", "b"]}, "1 images and 2 captions"),
        (BOTH, {"images": ["a.jpg", "b"], "captions": "ab"}, "2 images and 1 captions"),
        (BOTH, {"images": ["nowhere.jpg"], "captions": "a"}, "1 of 1 images"),
    ],
)
def test_what_cannot_be_predicted_is_said(
    runs: Runs, name: str, arguments: dict[str, Any], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        runs.load(name).predict(**arguments)
