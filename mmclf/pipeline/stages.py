"""The stages of a run and their keys, known before anything is computed.

In a key is all that decides a stage's result, and nothing else: not the device, workers, the batch
size of encoding, folders, tracking or progress.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from mmclf.config.components import groups_of
from mmclf.config.schema import Config
from mmclf.data.samples import Samples
from mmclf.models.identity import Identities, Identity, version, versions
from mmclf.models.source_code import code_digest
from mmclf.pipeline.modalities import MODALITIES, TEXT_VERSION, VISION_VERSION
from mmclf.pipeline.run_data import RunData
from mmclf.storage.store.entry import Stage
from mmclf.storage.store.file_hasher import FileHasher
from mmclf.storage.store.hashing import array_digest, digest, texts_digest
from mmclf.storage.store.json_cache import JsonCache

Precision = Literal["fp32", "bf16"]

# Raise one when its stage computes something else of the same arguments.
VERSIONS: Mapping[str, int] = {
    "vision": VISION_VERSION,
    "text": TEXT_VERSION,
    "fit": 1,
    "tested": 1,
    "decide": 1,
}
CLASSIFIER = "mmclf.models.classifier"  # whose code, with that of the head, is in a fit's key


@dataclass(frozen=True)
class RunStages:
    """The stages of a run, each a result to be had from the store or computed.

    Args:
        features: of the frozen encoders, by modality, a stage for each view.
        precisions: in which the frozen encoders compute.
        fit: the trained model and its logits.
        tested: the test set's logits once more, where `at_test` drops or shuffles a modality.
        decide: thresholds and metrics.

    """

    features: Mapping[str, tuple[Stage, ...]]
    precisions: Mapping[str, Precision]
    fit: Stage
    tested: Stage | None
    decide: Stage


class StageResolver:
    """Finds the stages of a run on `hardware`; `empty`: what a prediction without labels becomes.

    What is found out on the way is remembered below `store.dir`.
    """

    def __init__(
        self, config: Config, data: RunData, empty: str, hasher: FileHasher, hardware: str
    ) -> None:
        self._config, self._data, self._empty, self._hardware = config, data, empty, hardware
        # Not below a store that is off: the precision is a choice, which must not vary with it.
        folder = Path(config.store.dir) / "memory"
        self.precisions = JsonCache(folder / "precision.json")
        self._identities = Identities(hasher, JsonCache(folder / "hub.json"), config.allow_targets)

    def resolve(self) -> RunStages | None:
        """The stages, or None while weights or the precision of an encoder are not known yet."""
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
        tested = _tested(config, fit)
        return RunStages(features, precisions, fit, tested, self._decide(fit, tested))

    def precision_name(self, modality: str) -> str:
        """Under what the precision of an encoder, whose weights are there, is remembered."""
        identity = self._identity(modality)
        assert identity is not None
        size = MODALITIES[modality].input_size(self._config)
        return precision_name(identity, size, self._hardware)

    def _identity(self, modality: str) -> Identity | None:
        return self._identities.encoder(self._config.encoder(modality).part, modality)

    def _precision(self, modality: str, identity: Identity) -> Precision | None:
        if identity.is_fitted:
            return "fp32"
        wanted = self._config.encode.precision
        if wanted != "auto":
            return wanted
        measured = self.precisions.get(self.precision_name(modality))
        return None if measured is None else "bf16" if measured["bf16"] else "fp32"

    def _fit(self, inputs: Mapping[str, Any]) -> Stage:
        """The trained model and its logits.

        `inputs`, by modality: the keys of its features, or what is known of its raw inputs. What
        becomes of a prediction without labels counts where it chooses the epoch.
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
            "trainer": asdict(config.trainer),
            "empty": self._empty if empty_counts else None,
            "seed": config.seed,
            **versions("torch"),
        }
        return _stage("fit", arguments)

    def _decide(self, fit: Stage, tested: Stage | None) -> Stage:
        """Thresholds and metrics; `tested` where the test set's logits are not the fit's."""
        config, part = self._config, self._identities.part
        arguments = {
            "fit": fit.key,
            **{group: part(config.component(group)) for group in groups_of("decide")},
            "label_names": list(self._data.samples.label_names),
            **versions("scikit-learn"),
        }
        if tested is not None:
            arguments["tested"] = tested.key
        return _stage("decide", arguments)


def _stage(name: str, arguments: Mapping[str, Any]) -> Stage:
    return Stage(name, VERSIONS[name], arguments)


def _tested(config: Config, fit: Stage) -> Stage | None:
    """The test set's logits with modalities dropped or shuffled, or None where none is."""
    changes = config.at_test.changes
    if not changes:
        return None
    seed = config.seed if "shuffled" in changes.values() else None
    return _stage("tested", {"fit": fit.key, "changes": changes, "seed": seed})


def data_digest(samples: Samples) -> str:
    """What a data set is, whatever becomes of it: its ids, captions and labels."""
    return digest(
        {
            "ids": texts_digest(samples.ids),
            # In any order: an arm may have them shuffled among the samples.
            "captions": texts_digest(sorted(samples.captions)),
            "labels": array_digest(samples.labels),
            "names": list(samples.label_names),
        }
    )


def precision_name(identity: Identity, size: int | None, hardware: str) -> str:
    """Under what the precision of an encoder is remembered; `size` of images, in pixels."""
    pixels = "" if size is None else f", {size} px"
    return f"{digest(identity.values)}{pixels} on {hardware}, torch {version('torch')}"
