"""Prediction with the model of a tracked run: `load(run_id)` returns a Predictor."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mmclf.config.schema import Image
from mmclf.errors import InputError
from mmclf.evaluation.scores import probabilities_of
from mmclf.evaluation.thresholds import Floats, Labels, decide
from mmclf.pipeline.encodings import ENCODINGS
from mmclf.pipeline.predict.close_calls import close_calls
from mmclf.pipeline.predict.forward import ForwardOptions, forward_options, logits_of
from mmclf.pipeline.predict.inputs import CaptionsLike, ImagesLike, PredictionInputs, parse_inputs
from mmclf.pipeline.predict.restore import RestoredModel, restore
from mmclf.storage.tracking import Tracker
from mmclf.storage.tracking.session import Place, place_of
from mmclf.training.device import check_precision, pick_device

Notify = Callable[[str], None]


def load(
    run_id: str,
    *,
    tracking_uri: str | None = None,
    experiment: str | None = None,
    output_dir: str | os.PathLike[str] | None = None,
    device: str = "auto",
    allow_targets: Sequence[str] = (),
    allow_model_types: Sequence[str] = (),
) -> Predictor:
    """Load the predictor of a run.

    Raises InputError for an unknown run, and for a model that is missing, damaged, or cannot be
    rebuilt.

    Args:
        run_id: the run's id, or a prefix of it.
        tracking_uri: None for where this session tracked it; for another run MLFLOW_TRACKING_URI,
            or where that is not set the database in `output_dir`.
        experiment: of the run; None for MLFLOW_EXPERIMENT_NAME, else `mmclf`.
        output_dir: that the run was tracked in; None for `outputs`, unless it is of this session.
        device: `auto`, `cpu`, `cuda` or the like.
        allow_targets: modules of your own that the run's components may come from.
        allow_model_types: of transformers, that the run's text encoder may have beside the usual.

    >>> import mmclf
    >>> result = mmclf.run(mmclf.compose(["data.train=60", "data.test=20", "trainer.epochs=1"]))
    >>> predictor = mmclf.load(result.run_id)
    >>> predictor.predict_proba(captions=["a dog on a bench", "two cats"]).shape
    (2, 18)
    >>> [type(labels) for labels in predictor.predict(captions=["a dog on a bench"])]
    [<class 'tuple'>]

    """
    if not isinstance(run_id, str):
        raise InputError(f"run_id: found {run_id!r}, expected the id of a run, as Result.run_id")
    place = _place(run_id, tracking_uri, experiment, output_dir)
    tracker = Tracker(place.uri, place.experiment, Path(place.output_dir), create=False)
    try:
        run = tracker.find(run_id)
    except InputError as error:
        raise InputError(
            *(f"run_id={run_id!r}: {problem}" for problem in error.problems)
        ) from error
    return load_from(
        tracker, run.id, pick_device(device), allow_targets, model_types=allow_model_types
    )


def _place(
    run_id: str,
    tracking_uri: str | None,
    experiment: str | None,
    output_dir: str | os.PathLike[str] | None,
) -> Place:
    """Where a run is tracked: where it is said, else where this session did, else as usual."""
    if tracking_uri is None and experiment is None and output_dir is None:
        place = place_of(run_id)
        if place is not None:
            return place
    folder = "outputs" if output_dir is None else os.fspath(output_dir)
    if tracking_uri is None:
        tracking_uri = os.environ.get("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlflow.db")
    if experiment is None:
        experiment = os.environ.get("MLFLOW_EXPERIMENT_NAME", "mmclf")
    return Place(tracking_uri, experiment, folder)


def load_from(
    tracker: Tracker,
    run_id: str,
    device: torch.device,
    allow: Sequence[str],
    *,
    model_types: Sequence[str] = (),
    notify: Notify | None = None,
) -> Predictor:
    """Load the predictor of a run from a tracker.

    Args:
        tracker: of the run's experiment.
        run_id: the run's id, or a prefix of it.
        device: to compute on.
        allow: modules of your own that the run's components may come from.
        model_types: of transformers, that are allowed beside the usual.
        notify: as in Predictor.

    """
    run = tracker.find(run_id)
    with tempfile.TemporaryDirectory() as folder:
        model_folder = tracker.fetch(run, "model", Path(folder))
        try:
            # Weights are drawn before they are read: a caller's random state is to stay.
            with torch.random.fork_rng(devices=[]):
                restored = restore(model_folder, allow, model_types)
        except InputError as error:
            problems = [problem.replace(f"{folder}{os.sep}", "") for problem in error.problems]
            raise InputError(*(f"run {run.id}: {problem}" for problem in problems)) from error
    return Predictor(run.id, restored, device, notify=notify)


class Predictor:
    """Predicts the labels of images and captions with the model of a run.

    Images are paths, PIL images or arrays (H, W, 3) of uint8; captions are strings, or lists of the
    several captions of a sample, whose features are averaged. Both can be a sequence, a single one,
    or None. A missing image is replaced by the mean colour of the encoder,
    a missing caption by an empty one, with a notice. Modalities that the run did not use are
    ignored.

    A sample's labels do not depend on other samples, nor on its place among them; the last bits of
    its probabilities may depend on its place. They equal the run's up to rounding,
    which changes a probability by less than 1e-6 in fp32, and by up to 1e-3 if the run computed in
    bf16 or fp16; a device without these computes in fp32.

    Args:
        run_id: of the run.
        restored: its model.
        device: to compute on.
        notify: called with a notice about missing images or captions; None for a warning.

    Attributes:
        label_names: of the L labels.
        label_ids: of the L labels, as in the data source.
        thresholds: (L,).
        modalities: that the run used.
        classifier: computes logits (B, L) of features (B, D_m) by modality.
        device: that it computes on.

    """

    def __init__(
        self,
        run_id: str,
        restored: RestoredModel,
        device: torch.device,
        *,
        notify: Notify | None = None,
    ) -> None:
        record = restored.record
        self.run_id = run_id
        self.label_names = tuple(record.label_names)
        self.label_ids = tuple(record.label_ids)
        self.thresholds: Floats = np.asarray(record.thresholds, dtype=np.float64)
        self.modalities = tuple(restored.encoders)
        self._record, self._encoders = record, restored.encoders
        self.classifier, self.device = restored.classifier.to(device), device
        self._notify = notify if notify is not None else _warn
        for name, encoder in self._encoders.items():
            ENCODINGS[name].to_device(encoder, device)

    def predict(
        self, images: ImagesLike = None, captions: CaptionsLike = None, *, top: int = 0
    ) -> list[tuple[str, ...]]:
        """The names of each sample's labels, in the order of `label_names`.

        With `top`, instead of the labels that reach their threshold so many of the most probable
        ones, in that order. Raises InputError as `predict_proba` does.
        """
        probabilities = self.predict_proba(images, captions, top=top)
        return [
            tuple(self.label_names[j] for j in columns)
            for columns in self.chosen_labels(probabilities, top=top)
        ]

    def predict_proba(
        self, images: ImagesLike = None, captions: CaptionsLike = None, *, top: int = 0
    ) -> Floats:
        """Probabilities (N, L) of the labels; `top` as in `chosen_labels`, if that is to follow.

        Raises InputError for images that cannot be read, for different numbers of images and
        captions, and if all inputs that the run used are missing.
        """
        samples = parse_inputs(images, captions)
        if len(samples) == 0:
            return np.zeros((0, len(self.label_ids)))
        self._report_missing(samples)
        probabilities = self._probabilities(samples)
        rows = close_calls(probabilities, self.thresholds, self._record.empty, top=top)
        if len(rows) > 0:
            probabilities[rows] = self._probabilities(samples.take(rows), alone=True)
        return probabilities

    def _probabilities(self, samples: PredictionInputs, *, alone: bool = False) -> Floats:
        """Probabilities (N, L) of samples in batches, or each computed `alone`."""
        record = self._record
        features = {
            name: ENCODINGS[name].features(
                self._encoders[name],
                samples,
                image=record.image,
                options=self._options(record.encoders[name].encoding_precision, alone),
                purpose=", close calls alone" if alone else "",
            )
            for name in self.modalities
        }
        logits = logits_of(self.classifier, features, self._options(record.precision, alone))
        finite = logits.isfinite().all(dim=1)
        if not finite.all():
            rows = (~finite).nonzero().flatten().tolist()
            raise InputError(
                f"run {self.run_id}: the logits of {len(rows)} of {len(samples)} samples are not "
                f"finite, the first at index {rows[0]}: the run's weights are damaged"
            )
        return probabilities_of(logits.numpy())

    @property
    def image(self) -> Image:
        """How images are decoded."""
        return self._record.image

    def encoder(self, modality: str) -> Any:
        """The encoder of a modality that the run used."""
        return self._encoders[modality]

    def label_sets(self, probabilities: Floats) -> Labels:
        """Label sets (N, L) of 0 and 1 from probabilities (N, L), at the run's thresholds."""
        return decide(probabilities, self.thresholds, self._record.empty)

    def chosen_labels(self, probabilities: Floats, *, top: int = 0) -> list[NDArray[np.int64]]:
        """The columns of each sample's labels, or of its `top` most probable ones, best first."""
        if top > 0:
            return [*np.argsort(-probabilities, axis=1, kind="stable")[:, :top]]
        return [np.flatnonzero(label_set) for label_set in self.label_sets(probabilities)]

    def _options(self, precision: str, alone: bool) -> ForwardOptions:
        """The options of a forward pass in `precision`, or in fp32 if the device lacks it."""
        try:
            check_precision(precision, self.device)
        except InputError:
            precision = "fp32"
        return forward_options(precision, self.device, alone=alone)

    def _report_missing(self, samples: PredictionInputs) -> None:
        missing = {name: ENCODINGS[name].missing(samples) for name in self.modalities}
        if all(count == len(samples) for count in missing.values()):
            nouns = " or ".join(f"{ENCODINGS[name].noun}s" for name in missing)
            raise InputError(f"the run {self.run_id} predicts from {nouns}: none is given")
        notes = [
            f"{count} of {len(samples)} samples have no {ENCODINGS[name].noun}: "
            f"{ENCODINGS[name].stand_in}"
            for name, count in missing.items()
            if count > 0
        ]
        if notes:
            self._notify("; ".join(notes))


def _warn(text: str) -> None:
    # The caller of `predict_proba` is three frames above `_report_missing`.
    warnings.warn(text, stacklevel=4)
