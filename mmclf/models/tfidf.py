"""TF-IDF as a text encoder, fitted on the training captions."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from torch import Tensor

from mmclf.errors import InputError


class Tfidf:
    """TF-IDF features of words and n-grams (N, D).

    A caption's vector is scaled to length sqrt(D), so that its elements have a mean square of 1, as
    the initial weights of a layer assume; with unit length, training takes more steps.

    Args:
        max_features: the number of most frequent terms that are kept; None for all.
        ngram_max: the number of words in the longest n-gram.
        min_df: the number of captions that must contain a term.
        sublinear_tf: whether to use 1 + log(tf) for the term frequency.

    """

    def __init__(
        self,
        max_features: int | None = 2048,
        ngram_max: int = 1,
        min_df: int = 2,
        sublinear_tf: bool = True,
    ) -> None:
        self._vectorizer = TfidfVectorizer(
            max_features=max_features,
            ngram_range=(1, ngram_max),
            min_df=min_df,
            sublinear_tf=sublinear_tf,
            dtype=np.float32,
        )

    def fit(self, captions: Sequence[str]) -> Tfidf:
        """Fit vocabulary and idf; raises InputError if no term is in enough captions."""
        try:
            self._vectorizer.fit(captions)
        except ValueError as error:
            raise InputError(
                f"text=tfidf finds no term in {len(captions)} training captions ({error}): "
                "lower text.min_df, or check that the captions are words"
            ) from error
        return self

    def restore(self, vocabulary: Mapping[str, int], idf: NDArray[np.floating[Any]]) -> Tfidf:
        """Restore a `state()` instead of fitting; raises InputError if it is inconsistent."""
        if idf.shape != (len(vocabulary),) or idf.dtype.kind != "f" or not np.isfinite(idf).all():
            raise InputError(
                f"found {idf.dtype} {idf.shape} as rarities of TF-IDF, expected a finite one for "
                f"each of {len(vocabulary)} terms"
            )
        try:
            self._vectorizer.set_params(vocabulary=dict(vocabulary))
            self._vectorizer.idf_ = idf
        except ValueError as error:
            raise InputError(f"found no vocabulary of TF-IDF: {error}") from error
        return self

    @property
    def out_dim(self) -> int:
        """The number of terms D."""
        return len(self._vectorizer.vocabulary_)

    def transform(self, captions: Sequence[str]) -> Tensor:
        """Features (N, D) in float32."""
        vectors: NDArray[np.float32] = self._vectorizer.transform(captions).toarray()
        return torch.from_numpy(vectors * np.float32(np.sqrt(self.out_dim)))

    def state(self) -> tuple[dict[str, int], np.ndarray]:
        """The column of each term, and the inverse document frequencies (D,)."""
        vocabulary = {str(term): int(i) for term, i in self._vectorizer.vocabulary_.items()}
        return dict(sorted(vocabulary.items(), key=lambda item: item[1])), self._vectorizer.idf_

    def state_files(self) -> dict[str, bytes]:
        """The state as contents of files: the vocabulary as JSON, idf as a NumPy array."""
        vocabulary, idf = self.state()
        array = io.BytesIO()
        np.save(array, idf, allow_pickle=False)
        return {"tfidf.json": json.dumps(vocabulary).encode(), "tfidf_idf.npy": array.getvalue()}
