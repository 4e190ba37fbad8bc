"""The fingerprint of a study: digests of its data, files and the user's code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mmclf.config.components import COMPONENTS
from mmclf.config.schema import Config
from mmclf.config.targets import build
from mmclf.data.image_locations import image_digests
from mmclf.data.samples import Samples
from mmclf.models.identity import Identities
from mmclf.models.source_code import code_digest
from mmclf.pipeline.stages import EVALUATION, VERSIONS, data_digest
from mmclf.storage.store.file_hasher import FileHasher
from mmclf.storage.store.hashing import array_digest, digest, texts_digest
from mmclf.storage.store.json_cache import JsonCache
from mmclf.studies.arms import PlannedStudy


@dataclass(frozen=True)
class StudyFingerprint:
    """Digests of what the arms of a study read.

    Args:
        data: digest of the data alone, the same for every study of them that uses images.
        whole: digest of all inputs; it changes if a finished run would have other results.

    """

    data: str
    whole: str


def study_fingerprint(planned: PlannedStudy) -> StudyFingerprint:
    """Compute the fingerprint of a study.

    It covers the data of every arm, images if an arm uses them, files that settings name and the
    user's modules by content, the versions of the stages, and the code of the metrics. Versions of
    libraries are not in it: runs of other versions are reported, not run again.
    """
    configs = [arm.config for arm in planned.arms]
    base = planned.base.config
    store = Path(base.store.dir)
    hasher = FileHasher(store / "sums")
    identities = Identities(hasher, JsonCache(store / "memory" / "hub.json"), base.allow_targets)
    sources = _data(configs, hasher)
    content = {
        "data": sources,
        "parts": [_parts(config, identities) for config in configs],
        "stages": VERSIONS,
        "evaluation": code_digest(EVALUATION),
    }
    return StudyFingerprint(sources[0] if len(sources) == 1 else digest(sources), digest(content))


def _data(configs: Sequence[Config], hasher: FileHasher) -> list[str]:
    by_source: dict[str, list[Config]] = {}
    for config in configs:
        by_source.setdefault(digest(config.data.part), []).append(config)
    return [_source(readers, hasher) for readers in by_source.values()]


def _source(configs: Sequence[Config], hasher: FileHasher) -> str:
    """The digest of a data source as the configs with it read it."""
    first = configs[0]
    samples: Samples = build(first.data.part, "data", first.allow_targets)
    # In order: a caption's sample matters for what is learnt from it.
    texts = [data_digest(samples), texts_digest(samples.captions)]
    texts += map(texts_digest, samples.other_captions)
    if samples.are_grouped:
        texts.append(array_digest(samples.group_numbers))
    if all(config.vision.is_none for config in configs):
        return digest(texts)
    digests = image_digests(samples.images, hasher)
    images = [value if value is not None else "" for value in digests]
    return digest([*texts, texts_digest(images)])


def _parts(config: Config, identities: Identities) -> list[object]:
    groups = [group for group in COMPONENTS if group != "data"]
    return [identities.part(config.component(group)) for group in groups]
