"""Prediction from a tracked run, for notebooks: `load(run_id)` gives what predicts."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from mmclf.errors import InputError
from mmclf.evaluation.scores import probabilities_of
from mmclf.evaluation.thresholds import Floats, Labels, decide
from mmclf.pipeline.predict.forward import ForwardOptions, batch_size, logits_of
from mmclf.pipeline.predict.inputs import Captions, Pictures, PredictionInputs, parse_inputs
from mmclf.pipeline.predict.modalities import MODALITIES
from mmclf.pipeline.predict.restore import Restored, restore
from mmclf.storage.tracking import Tracker
from mmclf.training.device import check_precision, pick_device

Tell = Callable[[str], None]


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
            problems = [problem.replace(f"{folder}{os.sep}", "") for problem in error.problems]
            raise InputError(*(f"run {run.id}: {problem}" for problem in problems)) from error
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
            MODALITIES[name].to_device(encoder, device)

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
        samples = parse_inputs(images, captions)
        if len(samples) == 0:
            return np.zeros((0, len(self.label_ids)))
        self._tell_missing(samples)
        facts = self._facts
        features = {
            name: MODALITIES[name].features(
                self._encoders[name],
                samples,
                image=facts.image,
                store=self._store,
                options=self._options(facts.encoders[name].encoding_precision),
            )
            for name in self.modalities
        }
        logits = logits_of(self._top, features, self._options(facts.precision))
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

    def _options(self, precision: str) -> ForwardOptions:
        """How a pass runs that ran in `precision`; in fp32 where the device lacks that."""
        try:
            check_precision(precision, self._device)
        except InputError:
            precision = "fp32"
        return ForwardOptions(precision, self._device, batch_size(self._device))

    def _tell_missing(self, samples: PredictionInputs) -> None:
        missing = {name: MODALITIES[name].missing(samples) for name in self.modalities}
        if all(count == len(samples) for count in missing.values()):
            nouns = " or ".join(f"{MODALITIES[name].noun}s" for name in missing)
            raise InputError(f"the run {self.run_id} predicts from {nouns}: none is given")
        notes = [
            f"{count} of {len(samples)} samples have no {MODALITIES[name].noun}: "
            f"{MODALITIES[name].stand_in}"
            for name, count in missing.items()
            if count > 0
        ]
        if notes:
            self._tell("; ".join(notes))


def _warn(text: str) -> None:
    # Three up, past `_tell_missing` and `predict_proba`, stands who asked.
    warnings.warn(text, stacklevel=4)
