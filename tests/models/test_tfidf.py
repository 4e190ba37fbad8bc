from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.feature_extraction.text import TfidfVectorizer

from mmclf.errors import InputError
from mmclf.models.tfidf import Tfidf

TRAIN = ["a cat on a mat", "the cat sat", "a dog on the mat", "dog and cat", "cat cat cat"]
NEW = ["a cat and an unknown thing", "nothing here", "dog on the mat"]


def test_features_by_hand() -> None:
    # Of one term in 1 of 2 captions and one in both: idf = ln((1 + n) / (1 + df)) + 1.
    encoder = Tfidf(ngram_max=1, min_df=1).fit(["cat dog", "dog"])
    assert encoder.out_dim == 2
    rare, common = np.log(3 / 2) + 1, 1.0
    expected = np.array([[rare, common], [0, common]])
    # A caption's vector has length sqrt(D).
    expected *= np.sqrt(2) / np.linalg.norm(expected, axis=1, keepdims=True)
    torch.testing.assert_close(
        encoder.transform(["cat dog", "dog"]), torch.tensor(expected, dtype=torch.float32)
    )


@pytest.mark.parametrize(
    ("max_features", "ngram_max", "min_df", "sublinear_tf"),
    [(4096, 2, 2, True), (3, 1, 1, False), (None, 3, 1, True)],
)
def test_features_against_scikit_learn(
    max_features: int | None, ngram_max: int, min_df: int, sublinear_tf: bool
) -> None:
    encoder = Tfidf(max_features, ngram_max, min_df, sublinear_tf).fit(TRAIN)
    reference = TfidfVectorizer(
        max_features=max_features,
        ngram_range=(1, ngram_max),
        min_df=min_df,
        sublinear_tf=sublinear_tf,
    ).fit(TRAIN)
    actual = encoder.transform(NEW)
    assert actual.dtype == torch.float32
    assert actual.shape == (3, encoder.out_dim)
    expected = reference.transform(NEW).toarray() * np.sqrt(encoder.out_dim)
    assert actual.numpy() == pytest.approx(expected, abs=1e-5)


def test_the_state_gives_the_columns_and_rarities() -> None:
    encoder = Tfidf(min_df=2).fit(TRAIN)
    vocabulary, idf = encoder.state()
    assert list(vocabulary.values()) == list(range(encoder.out_dim))
    assert list(vocabulary) == sorted(vocabulary)
    # cat stands in 4 of 5 captions.
    assert idf[vocabulary["cat"]] == pytest.approx(np.log(6 / 5) + 1)


@pytest.mark.parametrize("ngram_max", [1, 2])
@pytest.mark.parametrize("sublinear_tf", [False, True])
def test_a_restored_state_gives_the_same_features(ngram_max: int, sublinear_tf: bool) -> None:
    fitted = Tfidf(ngram_max=ngram_max, sublinear_tf=sublinear_tf).fit(TRAIN)
    vocabulary, idf = fitted.state()
    restored = Tfidf(ngram_max=ngram_max, sublinear_tf=sublinear_tf).restore(vocabulary, idf)
    assert restored.out_dim == fitted.out_dim
    assert torch.equal(restored.transform(NEW), fitted.transform(NEW))


@pytest.mark.parametrize(
    ("vocabulary", "idf", "words"),
    [
        ({"cat": 0, "dog": 1}, np.ones(3), r"float64 \(3,\) .*2 terms"),
        ({"cat": 0, "dog": 1}, np.ones((2, 1)), r"float64 \(2, 1\)"),
        ({"cat": 0, "dog": 1}, np.array([1, np.inf]), "expected a finite one"),
        ({"cat": 0, "dog": 1}, np.array([1, 2]), "found int64"),
        ({"cat": 0, "dog": 2}, np.ones(2), "TF-IDF: .*index 1"),
        ({"cat": 0, "dog": 0}, np.ones(2), "TF-IDF: .*repeated"),
        ({}, np.ones(0), "TF-IDF: .*empty"),
    ],
)
def test_what_is_no_state(vocabulary: dict[str, int], idf: np.ndarray, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Tfidf().restore(vocabulary, idf)


@pytest.mark.parametrize("captions", [["a", "b"], ["cat", "dog"], []])
def test_no_term_in_enough_captions(captions: list[str]) -> None:
    words = f"text=tfidf finds no term in {len(captions)} training captions .*: lower text.min_df"
    with pytest.raises(InputError, match=words):
        Tfidf(min_df=2).fit(captions)
