"""The stages of a run and their keys, which are determined before anything is computed.

A key covers all that determines a stage's result, and nothing else: not the device, workers, the
batch size of encoding, folders, tracking or progress.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from mmclf.config.components import groups_of
from mmclf.config.schema import Config
from mmclf.data.samples import Samples
from mmclf.models.identity import Identities, Identity, version, versions
from mmclf.models.source_code import code_digest
from mmclf.pipeline.modalities import MODALITIES
from mmclf.pipeline.run_data import RunData
from mmclf.storage.store.entry import Stage
from mmclf.storage.store.file_hasher import FileHasher
from mmclf.storage.store.hashing import array_digest, digest, texts_digest
from mmclf.storage.store.json_cache import JsonCache

Precision = Literal["fp32", "bf16"]


@dataclass(frozen=True)
class StageKind:
    """A stage by its name.

    Args:
        version: raised when the stage computes something else of the same arguments.
        time: the tracked time, `time/{time}_s`, that its seconds are part of.

    """

    version: int
    time: Literal["encode", "fit", "decide"]


# A new stage is an entry here.
STAGES: Mapping[str, StageKind] = {
    **{name: StageKind(modality.version, "encode") for name, modality in MODALITIES.items()},
    "fit": StageKind(1, "fit"),
    "tested": StageKind(1, "decide"),
    "decide": StageKind(1, "decide"),
}
COST_VERSION = 1  # of a stage that is measured, not computed, and part of no time
VERSIONS: Mapping[str, int] = {name: kind.version for name, kind in STAGES.items()}
CLASSIFIER = "mmclf.models.build"  # whose code, with that of classifier and head, is in a fit's key
EVALUATION = "mmclf.evaluation.evaluate"  # whose code, with that of the metrics, is in decide's key


@dataclass(frozen=True)
class RunStages:
    """The stages of a run.

    Args:
        features: of the frozen encoders by modality, a stage for each view.
        precisions: of the frozen encoders by modality.
        fit: the trained model and its logits.
        tested: the test set's logits with `at_test` applied; None if it changes no modality.
        decide: thresholds and metrics.

    """

    features: Mapping[str, tuple[Stage, ...]]
    precisions: Mapping[str, Precision]
    fit: Stage
    tested: Stage | None
    decide: Stage

    @property
    def cost(self) -> Stage:
        """What a prediction by the fit costs; found on one hardware, and kept for all."""
        return Stage("cost", COST_VERSION, {"fit": self.fit.key})


class StageResolver:
    """Determines the stages of a run; caches what it looks up below `store.dir`.

    Args:
        config: of the run.
        data: of the run.
        empty: what a prediction without labels becomes.
        hasher: hashes the files that settings name.
        hardware: description of the device.
        processes: that compute them together.

    """

    def __init__(
        self,
        config: Config,
        data: RunData,
        empty: str,
        hasher: FileHasher,
        hardware: str,
        processes: int = 1,
    ) -> None:
        self._config, self._data, self._empty, self._hardware = config, data, empty, hardware
        self._processes = processes
        # Also with cache=off: the precision is a choice that must not vary between runs.
        folder = Path(config.store.dir) / "memory"
        self.precisions = JsonCache(folder / "precision.json")
        self.costs = JsonCache(folder / "cost.json")
        self._identities = Identities(hasher, JsonCache(folder / "hub.json"), config.allow_targets)

    def resolve(self) -> RunStages | None:
        """The stages, or None while the weights or the precision of an encoder are unknown."""
        config, data = self._config, self._data
        features: dict[str, tuple[Stage, ...]] = {}
        precisions: dict[str, Precision] = {}
        inputs: dict[str, Any] = {}
        for name in config.modalities:
            modality, identity = MODALITIES[name], self._identity(name)
            if identity is None:
                return None
            if config.encoder(name).trainable:
                inputs[name] = modality.raw_input(config, data, identity)
                continue
            precision = self._precision(name, identity)
            if precision is None:
                return None
            precisions[name] = precision
            features[name] = modality.feature_stages(config, data, identity, precision)
            inputs[name] = [stage.key for stage in features[name]]
        fit = self._fit(inputs)
        tested = _ablation_stage(config, fit, data)
        return RunStages(features, precisions, fit, tested, self._decide(fit, tested))

    def precision_name(self, modality: str) -> str:
        """The cache key of the precision of an encoder, whose weights must be available."""
        identity = self._identity(modality)
        assert identity is not None
        size = MODALITIES[modality].input_size(self._config)
        return precision_name(identity, size, self._hardware)

    def _identity(self, modality: str) -> Identity | None:
        return self._identities.encoder(self._config.encoder(modality).part, modality)

    def _precision(self, modality: str, identity: Identity) -> Precision | None:
        if identity.is_fitted:
            return "fp32"
        requested = self._config.encode.precision
        if requested != "auto":
            return requested
        measured = self.precisions.get(self.precision_name(modality))
        return None if measured is None else "bf16" if measured["bf16"] else "fp32"

    def _fit(self, inputs: Mapping[str, Any]) -> Stage:
        """The stage of the trained model and its logits.

        `empty` is in its key only if the monitored metric depends on it.

        Args:
            inputs: by modality, the keys of its features, or the arguments of its raw inputs.

        """
        config, data, part = self._config, self._data, self._identities.part
        empty_counts = config.trainer.monitor == "val/f1_samples_fitted"
        arguments = {
            "inputs": inputs,
            "labels": array_digest(data.samples.labels),
            "parts": {name: array_digest(rows) for name, rows in data.parts.items()},
            **{group: part(config.component(group)) for group in groups_of("fit")},
            "head": asdict(config.head),
            "classifier": code_digest(CLASSIFIER),
            "trainer": config.trainer.fitting,
            "empty": self._empty if empty_counts else None,
            "seed": config.seed,
            **versions("torch"),
        }
        if empty_counts and data.samples.has_unlabelled:
            # Samples-F1 once gave 0 to a sample without labels for which nothing is predicted.
            arguments["zero_division"] = 1
        if self._processes > 1 and any(config.encoder(m).trainable for m in config.modalities):
            # An encoder's batch statistics are those of a process's share of the batch.
            arguments["processes"] = self._processes
        return _stage("fit", arguments)

    def _decide(self, fit: Stage, tested: Stage | None) -> Stage:
        """The stage of thresholds and metrics; `tested` unless the test logits are the fit's."""
        config, part = self._config, self._identities.part
        arguments = {
            "fit": fit.key,
            **{group: part(config.component(group)) for group in groups_of("decide")},
            "evaluation": code_digest(EVALUATION),
            "label_names": list(self._data.samples.label_names),
            **versions("scikit-learn"),
        }
        if tested is not None:
            arguments["tested"] = tested.key
        return _stage("decide", arguments)


def _stage(name: str, arguments: Mapping[str, Any]) -> Stage:
    return Stage(name, STAGES[name].version, arguments)


def _ablation_stage(config: Config, fit: Stage, data: RunData) -> Stage | None:
    """The stage of the test logits with modalities dropped or shuffled, or None if none is."""
    changes = config.at_test.changes
    if not changes:
        return None
    arguments: dict[str, Any] = {"fit": fit.key, "changes": changes, "seed": None}
    if "shuffled" in changes.values():
        arguments["seed"] = config.seed
        groups = data.samples.group_numbers[data.parts.test]
        if len(np.unique(groups)) < len(groups):
            arguments["groups"] = array_digest(groups)
    return _stage("tested", arguments)


def data_digest(samples: Samples) -> str:
    """The digest of a data set's ids, captions and labels."""
    content: dict[str, Any] = {
        "ids": texts_digest(samples.ids),
        # Sorted, as an arm may shuffle them among the samples.
        "captions": texts_digest(sorted(samples.captions)),
        "labels": array_digest(samples.labels),
        "names": list(samples.label_names),
    }
    if samples.other_captions:
        content["other_captions"] = sorted(map(texts_digest, samples.other_captions))
    return digest(content)


def precision_name(identity: Identity, size: int | None, hardware: str) -> str:
    """The cache key of an encoder's precision; `size` of images in pixels."""
    pixels = "" if size is None else f", {size} px"
    return f"{digest(identity.values)}{pixels} on {hardware}, torch {version('torch')}"
