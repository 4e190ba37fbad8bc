"""A run's model, built again from what the run left behind, which is read as anybody's input."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import numpy as np
from pydantic import Field, TypeAdapter, ValidationError
from torch import nn

from mmclf.config import pydantic_messages
from mmclf.config.moved_targets import moved_targets, notice, with_current_targets
from mmclf.config.schema import Count, Head, Image, Node
from mmclf.config.signature_check import check_component
from mmclf.config.targets import build, resolve
from mmclf.errors import InputError
from mmclf.evaluation.threshold_search import Empty
from mmclf.models import weights
from mmclf.models.build import make_model
from mmclf.models.classifier import Classifier
from mmclf.models.constant import Constant
from mmclf.models.encoders import is_fitted
from mmclf.models.tfidf import Tfidf
from mmclf.models.vision import TimmEncoder
from mmclf.pipeline.artifacts import MODEL_FORMAT

T = TypeVar("T")
Precision = Literal["fp32", "bf16", "fp16"]
Modality = Annotated[str, Field(pattern="^(vision|text)$")]
Terms = dict[str, Annotated[int, Field(strict=True)]]
Finite = Annotated[float, Field(allow_inf_nan=False, strict=True)]


@dataclass(frozen=True)
class EncoderFacts:
    """What `model.json` says of an encoder."""

    node: Node
    out_dim: Count
    trained: bool
    encoding_precision: Precision
    sha256: str | None = None
    architecture: Node | None = None


@dataclass(frozen=True)
class ModelFacts:
    """What `model.json` says; thresholds of L labels, encoders in the order of the fusion."""

    label_ids: list[str]
    label_names: list[str]
    thresholds: list[Finite]
    empty: Empty
    image: Image
    precision: Precision
    fusion: Node
    head: Head
    encoders: Annotated[dict[Modality, EncoderFacts], Field(min_length=1)]


@dataclass(frozen=True)
class Restored:
    """A run's model; `top` makes logits (B, L) of the features (B, D_m) that `encoders` make."""

    facts: ModelFacts
    encoders: Mapping[str, Any]
    top: Classifier


def restore(folder: Path, allow: Sequence[str]) -> Restored:
    """The model in `folder`, the artifact `model` of a run.

    `allow`: the caller's own modules; what a run names as `_target_` is proved as in a config.
    Raises InputError for files that are missing, damaged or of another format, and for encoders
    whose weights are not those that the run had.
    """
    facts = _read_facts(folder / "model.json")
    _check_nodes(facts, allow)
    encoders = {
        name: _encoder(name, encoder, folder, allow) for name, encoder in facts.encoders.items()
    }
    trained = {name: encoders[name] for name, known in facts.encoders.items() if known.trained}
    dims = {name: known.out_dim for name, known in facts.encoders.items()}
    model = make_model(facts.fusion, facts.head, dims, trained, len(facts.label_ids), allow)
    path = folder / "classifier.safetensors"
    weights.load_exactly(model, weights.read_state(path), path)
    for name, encoder in encoders.items():
        if not facts.encoders[name].trained:
            _check_weights(name, facts.encoders[name], encoder)
    for module in (model, *encoders.values()):
        if isinstance(module, nn.Module):
            module.eval().requires_grad_(False)
    identities = {name: nn.Identity() for name in encoders}
    return Restored(facts, encoders, Classifier(identities, model.fusion, model.head))


def _read_facts(path: Path) -> ModelFacts:
    found = _read_json(path)
    given = found.get("format") if isinstance(found, Mapping) else None
    if given != MODEL_FORMAT:
        raise InputError(
            f"{path} has the format {given!r}, expected {MODEL_FORMAT}: another version of mmclf "
            "wrote it; predict with that version, or do the run again"
        )
    for old in sorted({*moved_targets(found)}):
        sys.stderr.write(notice(old))
    facts = _validated(with_current_targets(found), ModelFacts, path)
    counts = {len(facts.label_ids), len(facts.label_names), len(facts.thresholds)}
    if len(counts) > 1:
        raise _damaged(
            path,
            f"found {len(facts.label_ids)} label ids, {len(facts.label_names)} names and "
            f"{len(facts.thresholds)} thresholds, expected as many of each",
        )
    return facts


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise _damaged(path, "there is no such file") from None
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(path, f"it cannot be read as JSON, {error}") from error


def _validated(value: object, expected: type[T], path: Path) -> T:
    try:
        return TypeAdapter(expected).validate_python(value)
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        where = ".".join(map(str, detail["loc"]))
        wanted = pydantic_messages.expected([detail], None) or detail["msg"]
        if detail["type"] == "missing":
            raise _damaged(path, f"{where} is missing") from error
        told = pydantic_messages.describe(detail["input"], [detail])
        raise _damaged(path, f"{where}: found {told}, expected {wanted}") from error


def _damaged(path: Path, what: str) -> InputError:
    return InputError(f"{path} is damaged: {what}; do the run again, or restore the file")


def _check_nodes(facts: ModelFacts, allow: Sequence[str]) -> None:
    """Raise InputError, a finding for each, for targets and settings that no config could have."""
    nodes = {"fusion": facts.fusion} | {name: e.node for name, e in facts.encoders.items()}
    problems = []
    for name, node in nodes.items():
        problems += check_component({"_target_": None} | node, name, name, allow)
    for name, encoder in facts.encoders.items():
        # Transformers would fetch and run the code that one of these names.
        problems += [
            f"{name}: the architecture has the setting {key!r}, which can name code: remove it"
            for key in _keys(encoder.architecture)
            if "implementation" in key or key == "auto_map"
        ]
    if problems:
        raise InputError(*problems)


def _keys(settings: object) -> Iterator[str]:
    """Every key in `settings`, at any depth."""
    if isinstance(settings, Mapping):
        for key, value in settings.items():
            yield str(key)
            yield from _keys(value)
    elif isinstance(settings, list):
        for value in settings:
            yield from _keys(value)


def _encoder(name: str, facts: EncoderFacts, folder: Path, allow: Sequence[str]) -> Any:
    node = facts.node
    if facts.architecture is not None:
        own = {"architecture": facts.architecture, "tokenizer": str(folder / "tokenizer")}
        node = node | {"weights": "random"} | own
    elif facts.trained and resolve(node["_target_"], name, allow) is TimmEncoder:
        node = node | {"weights": "random"}
    encoder = build(node, name, allow, train_captions=())
    if isinstance(encoder, Tfidf):
        _restore_tfidf(encoder, folder)
    elif is_fitted(encoder) and not isinstance(encoder, Constant):
        raise InputError(
            f"{name}: {type(encoder).__name__} was fitted on the run's captions, and what it "
            "learnt was not kept: only that of mmclf.models.tfidf.Tfidf is"
        )
    if encoder.out_dim != facts.out_dim:
        raise InputError(
            f"{name}: the encoder makes {encoder.out_dim} features, expected the run's "
            f"{facts.out_dim}: its part, or a file of the run, has changed since"
        )
    return encoder


def _restore_tfidf(encoder: Tfidf, folder: Path) -> None:
    terms, path = folder / "tfidf.json", folder / "tfidf_idf.npy"
    vocabulary = _validated(_read_json(terms), Terms, terms)
    try:
        idf = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise _damaged(path, "it cannot be read as an array of NumPy") from error
    try:
        encoder.restore(vocabulary, idf)
    except InputError as error:
        raise _damaged(terms, f"with {path.name} beside it, {error}") from error


def _check_weights(name: str, facts: EncoderFacts, encoder: Any) -> None:
    """Raise InputError unless a frozen encoder's tensors are those of the run."""
    if not isinstance(encoder, nn.Module):
        return
    found = weights.module_sha256(encoder)
    if found != facts.sha256:
        called = facts.node.get("name", facts.node["_target_"])
        source = facts.node.get("weights", "its own")
        raise InputError(
            f"{name}: the tensors of the encoder {called} (weights: {source}) have the sha256 "
            f"{found}, expected the run's {facts.sha256}: its weights have changed since, or a "
            "library makes others; use the versions that the run's tag mmclf.versions names"
        )
