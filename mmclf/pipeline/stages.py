"""The stages of a run, known before anything is computed, and without waiting for torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mmclf.config.schema import Config
from mmclf.models.identity import Identities, Identity
from mmclf.pipeline import stage_keys
from mmclf.pipeline.run_data import RunData
from mmclf.storage.store.entry import Stage
from mmclf.storage.store.file_hasher import FileHasher
from mmclf.storage.store.json_cache import JsonCache

Precision = Literal["fp32", "bf16"]


@dataclass(frozen=True)
class Plan:
    """The stages of a run: features of the frozen encoders (of images by view), fit, decide.

    `precisions`: in which the frozen encoders compute; `tested`: the test set judged once more,
    where `at_test` drops or shuffles a modality.
    """

    features: Mapping[str, tuple[Stage, ...]]
    precisions: Mapping[str, Precision]
    fit: Stage
    tested: Stage | None
    decide: Stage


class Planner:
    """Plans a run on `hardware`; what is found out on the way is remembered below `store.dir`."""

    def __init__(self, config: Config, material: RunData, sums: FileHasher, hardware: str) -> None:
        self._config, self._material, self._hardware = config, material, hardware
        # Not below a store that is off: the precision is a choice, which must not vary with it.
        folder = Path(config.store.dir) / "memory"
        self.precisions = JsonCache(folder / "precision.json")
        self._identities = Identities(sums, JsonCache(folder / "hub.json"), config.allow_targets)

    def plan(self) -> Plan | None:
        """The plan, or None while weights or the precision of an encoder are not known yet."""
        config, material = self._config, self._material
        features: dict[str, tuple[Stage, ...]] = {}
        precisions: dict[str, Precision] = {}
        inputs: dict[str, Any] = {}
        for modality in config.modalities:
            identity = self._identities.encoder(config.encoder(modality).part, modality)
            if identity is None:
                return None
            if config.encoder(modality).trainable:
                inputs[modality] = self._raw(modality, identity)
                continue
            precision = self._precision(modality, identity)
            if precision is None:
                return None
            precisions[modality] = precision
            features[modality] = self._features(modality, identity, precision)
            inputs[modality] = [stage.key for stage in features[modality]]
        fit = stage_keys.fit_stage(
            config,
            material.samples,
            material.parts,
            inputs,
            self._identities,
            material.threshold.empty,
        )
        tested = stage_keys.tested_stage(config, fit)
        decide = stage_keys.decide_stage(config, fit, tested, material.samples, self._identities)
        return Plan(features, precisions, fit, tested, decide)

    def precision_name(self, modality: str) -> str:
        """Under what the precision of an encoder, whose weights are at hand, is remembered."""
        identity = self._identities.encoder(self._config.encoder(modality).part, modality)
        assert identity is not None
        return self._name(modality, identity)

    def _name(self, modality: str, identity: Identity) -> str:
        size = self._config.image.size if modality == "vision" else None
        return stage_keys.precision_name(identity, size, self._hardware)

    def _precision(self, modality: str, identity: Identity) -> Precision | None:
        if identity.is_fitted:
            return "fp32"
        wanted = self._config.encode.precision
        if wanted != "auto":
            return wanted
        measured = self.precisions.recall(self._name(modality, identity))
        return None if measured is None else "bf16" if measured["bf16"] else "fp32"

    def _features(
        self, modality: str, identity: Identity, precision: Precision
    ) -> tuple[Stage, ...]:
        material = self._material
        if modality == "text":
            return (stage_keys.text_stage(identity, material.samples, material.parts, precision),)
        gallery = material.gallery
        assert gallery is not None
        return stage_keys.vision_stages(
            identity,
            gallery.stage,
            gallery.unreadable,
            material.samples,
            self._config.augment,
            precision,
        )

    def _raw(self, modality: str, identity: Identity) -> dict[str, Any]:
        config, material = self._config, self._material
        if modality == "text":
            return stage_keys.raw_captions(identity, material.samples, material.parts, config)
        assert material.gallery is not None
        return stage_keys.raw_pictures(identity, material.gallery.stage, config)
