"""Explains samples by the model of a tracked run, whatever its encoders are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit
from torch import Tensor

from mmclf.models.encoders import is_fitted
from mmclf.models.tfidf import Tfidf
from mmclf.pipeline.explain import occlusion
from mmclf.pipeline.explain.explanation import Explanation, WordWeights
from mmclf.pipeline.predict.forward import (
    caption_features,
    forward_options,
    image_features,
    logits_of,
)
from mmclf.pipeline.predict.inputs import ImageLike, decoded
from mmclf.pipeline.predict.predictor import Predictor
from mmclf.training.encode import IMAGENET_MEAN

Floats = NDArray[np.float64]
Features = Mapping[str, Tensor]
# The fall (W, K) of the logits where W other features (W, D) of a modality stand.
Drops = Callable[[str, Tensor], Floats]
MOST = 6  # labels


@dataclass(frozen=True)
class Explainer:
    """Explains the labels of samples, in fp32 whatever the run computed in.

    A part of a picture is painted in the mean colour of its encoder, a word is left out. For TF-IDF
    a term's feature is set to 0 and the others stay: with a linear head on concatenated features
    that is its weight times its feature, and exact.
    """

    predictor: Predictor

    def explain(
        self, image: ImageLike | None, captions: Sequence[str], *, top: int = 0
    ) -> Explanation:
        """Explain one sample; raises InputError for an image that cannot be read.

        Args:
            image: of the sample; None for a missing one.
            captions: all that it has.
            top: so many of the most probable labels; 0 for those predicted, and the next one.

        """
        texts = [*captions] or [""]
        picture = self._decoded(image)
        features: dict[str, Tensor] = {}
        for name in self.predictor.modalities:
            features[name] = (
                self._of_pictures([picture])
                if name == "vision"
                else self._of_captions(texts).mean(dim=0, keepdim=True)
            )
        logits = self._logits(features)[0]
        probabilities: Floats = expit(logits)
        labels = self._labels(probabilities, top)

        def drops(name: str, changed: Tensor) -> Floats:
            if len(changed) == 0:
                return np.zeros((0, len(labels)))
            others = {key: of.expand(len(changed), -1) for key, of in features.items()}
            fall: Floats = logits[labels] - self._logits({**others, name: changed})[:, labels]
            return fall

        heat = None
        if picture is not None:
            parts = [*occlusion.without_parts(picture, self._mean_colour())]
            heat = occlusion.heat_of(drops("vision", self._of_pictures(parts)))
        words = self._words(texts, drops) if "text" in features else []
        whole = {name: drops(name, self._missing(name))[0] for name in features}
        return Explanation(labels, probabilities[labels], picture, heat, words, whole)

    def _labels(self, probabilities: Floats, top: int) -> NDArray[np.int64]:
        """The columns of the labels to explain, the most probable first."""
        order = np.argsort(-probabilities, kind="stable")
        if top > 0:
            return order[:top]
        predicted = self.predictor.label_sets(probabilities[None])[0].astype(bool)
        following = order[~predicted[order]][:1]
        return np.asarray([*order[predicted[order]], *following], dtype=np.int64)[:MOST]

    def _words(self, texts: Sequence[str], drops: Drops) -> list[WordWeights]:
        """What speaks in each of a sample's captions, whose features are averaged."""
        encoder = self.predictor.encoder("text")
        of_word = self._by_term if isinstance(encoder, Tfidf) else self._by_word
        return [of_word(texts, number, drops) for number in range(len(texts))]

    def _by_word(self, texts: Sequence[str], number: int, drops: Drops) -> WordWeights:
        """By leaving out each word of a caption."""
        text = texts[number]
        spans = occlusion.word_spans(text)
        changed = self._of_captions([*occlusion.without_words(text), *texts])
        left_out, whole = changed[: len(spans)], changed[len(spans) :]
        others = whole.sum(dim=0) - whole[number]
        return WordWeights(text, spans, drops("text", (left_out + others) / len(texts)))

    def _by_term(self, texts: Sequence[str], number: int, drops: Drops) -> WordWeights:
        """By setting the feature of each term of a caption to 0; its words share what it does."""
        text, encoder = texts[number], self.predictor.encoder("text")
        spans, terms = occlusion.term_words(text, encoder.state()[0])
        features = self._of_captions(texts)
        mean = features.mean(dim=0)
        changed = mean.repeat(len(terms), 1)
        columns = torch.tensor([*terms], dtype=torch.long)
        changed[torch.arange(len(terms)), columns] -= features[number, columns] / len(texts)
        by_term = drops("text", changed)
        weights = np.zeros((len(spans), by_term.shape[1]))
        for drop, words in zip(by_term, terms.values(), strict=True):
            np.add.at(weights, words, drop / len(words))
        return WordWeights(text, spans, weights)

    def _decoded(self, image: ImageLike | None) -> NDArray[np.uint8] | None:
        if image is None or "vision" not in self.predictor.modalities:
            return None
        settings = self.predictor.image
        (picture,) = decoded([image], size=settings.pixels, crop=settings.crop)
        return picture

    def _missing(self, name: str) -> Tensor:
        """The features (1, D) of a missing input of a modality."""
        return self._of_pictures([None]) if name == "vision" else self._of_captions([""])

    def _mean_colour(self) -> NDArray[np.uint8]:
        mean = getattr(self.predictor.encoder("vision"), "mean", IMAGENET_MEAN)
        return np.round(255 * np.asarray(mean)).astype(np.uint8)

    def _of_pictures(self, pictures: Sequence[NDArray[np.uint8] | None]) -> Tensor:
        """Features (N, D) of decoded pictures."""
        return image_features(
            self.predictor.encoder("vision"),
            pictures,
            count=len(pictures),
            pixels=self.predictor.image.pixels,
            options=forward_options("fp32", self.predictor.device),
            advance=_ignore,
        )

    def _of_captions(self, captions: Sequence[str]) -> Tensor:
        """Features (N, D) of captions."""
        encoder = self.predictor.encoder("text")
        if is_fitted(encoder):
            return encoder.transform(captions)
        options = forward_options("fp32", self.predictor.device)
        return caption_features(encoder, captions, options=options, advance=_ignore)

    def _logits(self, features: Features) -> Floats:
        """Logits (N, L) of features (N, D_m) by modality, in the order of the fusion."""
        ordered = {name: features[name] for name in self.predictor.modalities}
        options = forward_options("fp32", self.predictor.device)
        return logits_of(self.predictor.classifier, ordered, options).numpy().astype(np.float64)


def _ignore(_count: int) -> None:
    """Show no progress: a sample takes about a second."""
