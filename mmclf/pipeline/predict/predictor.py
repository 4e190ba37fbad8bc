"""Prediction from a tracked run, for notebooks: `load(run_id)` gives what predicts."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from mmclf.errors import InputError
from mmclf.evaluation.scores import probabilities_of
from mmclf.evaluation.thresholds import Floats, Labels, decide
from mmclf.pipeline.predict import forward
from mmclf.pipeline.predict.inputs import Captions, Given, Pictures, decoded, given
from mmclf.pipeline.predict.restore import Restored, restore
from mmclf.progress import progress_bar
from mmclf.storage.tracking import Tracker
from mmclf.training.device import check_precision, pick_device

Tell = Callable[[str], None]

STAND_INS = {
    "vision": ("image", "a grey picture, the mean that its encoder expects, stands in"),
    "text": ("caption", "an empty one stands in"),
}


def load(
    run_id: str,
    *,
    tracking_uri: str | None = None,
    experiment: str = "mmclf",
    output_dir: str | os.PathLike[str] = "outputs",
    device: str = "auto",
    allow_targets: Sequence[str] = (),
) -> Predictor:
    """The predictor of a run: its id, or the beginning of it.

    The run is looked for in `tracking_uri`, or where that is None in the database of `output_dir`.
    `allow_targets`: modules of your own whose parts the run may name. Raises InputError for a run
    that there is not, or whose model is missing, damaged, or cannot be built as it was.
    """
    folder = Path(output_dir)
    uri = tracking_uri if tracking_uri is not None else f"sqlite:///{folder}/mlflow.db"
    tracker = Tracker(uri, experiment, folder, create=False)
    return load_from(tracker, run_id, pick_device(device), allow_targets)


def load_from(
    tracker: Tracker,
    run_id: str,
    device: torch.device,
    allow: Sequence[str],
    *,
    store: Path | None = None,
    tell: Tell | None = None,
) -> Predictor:
    """As `load`; `store` and `tell` as Predictor takes them."""
    run = tracker.find(run_id)
    with tempfile.TemporaryDirectory() as folder:
        fetched = tracker.fetch(run, "model", Path(folder))
        try:
            restored = restore(fetched, allow)
        except InputError as error:
            told = [problem.replace(f"{folder}{os.sep}", "") for problem in error.problems]
            raise InputError(*(f"run {run.id}: {problem}" for problem in told)) from error
    return Predictor(run.id, restored, device, store=store, tell=tell)


class Predictor:
    """Predicts the labels of images and captions as the run `run_id` did.

    Images are paths, PIL images or arrays (H, W, 3) of uint8, captions are texts: a sequence of
    each, or a single one. A missing one is None, or all of them are: a picture of the mean colour
    that the encoder expects stands in, or an empty caption, and that is told. What the run did not
    use is ignored.

    A sample's prediction does not depend on the others that it is given with. It is the run's own
    but for rounding, which changes a probability by less than 1e-6 in fp32, and by up to 1e-3 where
    the run computed in bf16 or fp16; a device that lacks these computes in fp32.

    `label_names`, `label_ids` and `thresholds` (L,) are in the order of the columns. `store`: the
    folder of a store that keeps decoded pictures; `tell` gets what is missing, by default as a
    warning.
    """

    def __init__(
        self,
        run_id: str,
        restored: Restored,
        device: torch.device,
        *,
        store: Path | None = None,
        tell: Tell | None = None,
    ) -> None:
        facts = restored.facts
        self.run_id = run_id
        self.label_names = tuple(facts.label_names)
        self.label_ids = tuple(facts.label_ids)
        self.thresholds: Floats = np.asarray(facts.thresholds, dtype=np.float64)
        self.modalities = tuple(restored.encoders)
        self._facts, self._encoders, self._top = facts, restored.encoders, restored.top.to(device)
        self._device, self._store = device, store
        self._tell = tell if tell is not None else _warn
        for name, encoder in self._encoders.items():
            if isinstance(encoder, nn.Module):
                encoder.to(device)
            if name == "vision":
                encoder.to(memory_format=torch.channels_last)

    def predict(self, images: Pictures = None, captions: Captions = None) -> list[tuple[str, ...]]:
        """The names of each sample's labels, in the order of `label_names`.

        Raises InputError as `predict_proba` does.
        """
        chosen = self.label_sets(self.predict_proba(images, captions))
        return [tuple(self.label_names[j] for j in np.flatnonzero(row)) for row in chosen]

    def predict_proba(self, images: Pictures = None, captions: Captions = None) -> Floats:
        """Probabilities (N, L) of the labels.

        Raises InputError for images that cannot be read, for images and captions that are not as
        many, and where all that the run used is missing.
        """
        samples = given(images, captions)
        if len(samples) == 0:
            return np.zeros((0, len(self.label_ids)))
        self._tell_missing(samples)
        features = {
            name: self._of_images(samples) if name == "vision" else self._of_captions(samples)
            for name in self.modalities
        }
        logits = forward.logits_of(self._top, features, **self._how(self._facts.precision))
        finite = logits.isfinite().all(dim=1)
        if not finite.all():
            rows = (~finite).nonzero().flatten().tolist()
            raise InputError(
                f"run {self.run_id}: the logits of {len(rows)} of {len(samples)} samples are not "
                f"finite, the first at index {rows[0]}: the run's weights are damaged"
            )
        return probabilities_of(logits.numpy())

    def label_sets(self, probabilities: Floats) -> Labels:
        """Label sets (N, L) of 0 and 1 from probabilities (N, L), by the run's thresholds."""
        return decide(probabilities, self.thresholds, self._facts.empty)

    def _of_images(self, samples: Given) -> Tensor:
        image, facts = self._facts.image, self._facts.encoders["vision"]
        with (
            decoded(samples.images, size=image.size, crop=image.crop, store=self._store) as found,
            progress_bar("encoding images", len(samples)) as advance,
        ):
            how = self._how(facts.encoding_precision)
            encoder = self._encoders["vision"]
            return forward.picture_features(encoder, *found, **how, advance=advance)

    def _of_captions(self, samples: Given) -> Tensor:
        captions = [text if text is not None else "" for text in samples.captions]
        encoder, facts = self._encoders["text"], self._facts.encoders["text"]
        if hasattr(encoder, "transform"):
            features: Tensor = encoder.transform(captions)
            return features
        with progress_bar("encoding captions", len(samples)) as advance:
            how = self._how(facts.encoding_precision)
            return forward.caption_features(encoder, captions, **how, advance=advance)

    def _how(self, precision: str) -> forward.How:
        try:
            check_precision(precision, self._device)
        except InputError:
            precision = "fp32"
        return {
            "precision": precision,
            "device": self._device,
            "size": forward.block_size(self._device),
        }

    def _tell_missing(self, samples: Given) -> None:
        missing = {
            "vision": sum(image is None for image in samples.images),
            "text": sum(text is None or not text.strip() for text in samples.captions),
        }
        used = {name: missing[name] for name in self.modalities}
        if all(count == len(samples) for count in used.values()):
            nouns = " or ".join(f"{STAND_INS[name][0]}s" for name in used)
            raise InputError(f"the run {self.run_id} predicts from {nouns}: none is given")
        told = [
            f"{count} of {len(samples)} samples have no {STAND_INS[name][0]}: {STAND_INS[name][1]}"
            for name, count in used.items()
            if count > 0
        ]
        if told:
            self._tell("; ".join(told))


def _warn(text: str) -> None:
    # Three up, past what told it and predict_proba, stands who asked.
    warnings.warn(text, stacklevel=4)
