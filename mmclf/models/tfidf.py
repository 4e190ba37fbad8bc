"""TF-IDF as a text encoder: fitted on the training captions, not trained with the head."""

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
    """Frequencies of words and word groups, weighted by their rarity (N, D).

    A caption's vector has length sqrt(D), so that its elements have a mean square of 1, as a
    layer's initial weights expect of their input; at unit length, training would take more steps.
    `ngram_max`: words in the longest group; `min_df`: captions that a term must stand in.
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
        """Learn vocabulary and rarities; raises InputError if no term stands in enough captions."""
        try:
            self._vectorizer.fit(captions)
        except ValueError as error:
            raise InputError(
                f"text=tfidf finds no term in {len(captions)} training captions ({error}): "
                "lower text.min_df, or check that the captions are words"
            ) from error
        return self

    def restore(self, vocabulary: Mapping[str, int], idf: NDArray[np.floating[Any]]) -> Tfidf:
        """Take on a `state()` instead of fitting; raises InputError if its two parts do not fit."""
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
        unit: NDArray[np.float32] = self._vectorizer.transform(captions).toarray()
        return torch.from_numpy(unit * np.float32(np.sqrt(self.out_dim)))

    def state(self) -> tuple[dict[str, int], np.ndarray]:
        """The column of every term, and the inverse document frequencies (D,)."""
        vocabulary = {str(term): int(i) for term, i in self._vectorizer.vocabulary_.items()}
        return dict(sorted(vocabulary.items(), key=lambda item: item[1])), self._vectorizer.idf_

    def state_files(self) -> dict[str, bytes]:
        """The state as files: the vocabulary as JSON, the rarities as an array of NumPy."""
        vocabulary, idf = self.state()
        array = io.BytesIO()
        np.save(array, idf, allow_pickle=False)
        return {"tfidf.json": json.dumps(vocabulary).encode(), "tfidf_idf.npy": array.getvalue()}
