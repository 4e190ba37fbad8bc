"""Restores a run's model from its artifacts, which are validated as untrusted input."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, TypeAdapter, ValidationError
from torch import nn

from mmclf.config import pydantic_messages
from mmclf.config.components import MODALITIES
from mmclf.config.moved_targets import moved_targets, notice, with_current_targets
from mmclf.config.schema import Head, Image, Node
from mmclf.config.setting_types import Count
from mmclf.config.signature_check import check_component
from mmclf.config.targets import build, resolve
from mmclf.errors import InputError
from mmclf.evaluation.threshold_search import Empty
from mmclf.models import weights
from mmclf.models.architecture import architecture_problems, without_written
from mmclf.models.build import make_model
from mmclf.models.classifier import Classifier
from mmclf.models.constant import Constant
from mmclf.models.encoders import is_fitted
from mmclf.models.tfidf import Tfidf
from mmclf.models.vision import TimmEncoder
from mmclf.pipeline.artifacts import MODEL_FORMAT
from mmclf.pipeline.predict.claims import check_classifier, check_encoders
from mmclf.storage.file_limits import MAX_PIXELS, RECORD_BYTES, check_size
from mmclf.storage.store.arrays import load_array

T = TypeVar("T")
ModelPrecision = Literal["fp32", "bf16", "fp16"]
Modality = Annotated[str, Field(pattern=f"^({'|'.join(MODALITIES)})$")]
Vocabulary = dict[str, Annotated[int, Field(strict=True)]]
Finite = Annotated[float, Field(allow_inf_nan=False, strict=True)]


@dataclass(frozen=True)
class EncoderRecord:
    """An encoder in `model.json`."""

    node: Node
    out_dim: Count
    trained: bool
    encoding_precision: ModelPrecision
    sha256: str | None = None
    architecture: Node | None = None
    copied: Annotated[bool, Field(strict=True)] = False


@dataclass(frozen=True)
class ModelRecord:
    """The content of `model.json`, of L labels; encoders are in the order of the fusion."""

    label_ids: list[str]
    label_names: list[str]
    thresholds: list[Finite]
    empty: Empty
    image: Image
    precision: ModelPrecision
    fusion: Node
    head: Head
    encoders: Annotated[dict[Modality, EncoderRecord], Field(min_length=1)]


@dataclass(frozen=True)
class RestoredModel:
    """A run's model.

    Args:
        record: the content of `model.json`.
        encoders: by modality, compute features (B, D_m).
        classifier: computes logits (B, L) of the features.

    """

    record: ModelRecord
    encoders: Mapping[str, Any]
    classifier: Classifier


def restore(folder: Path, allow: Sequence[str], model_types: Sequence[str] = ()) -> RestoredModel:
    """Restore the model in `folder`, the artifact `model` of a run.

    Every `_target_` is checked as in a config. Raises InputError for files that are missing,
    damaged or of another format, and for encoders whose weights differ from the run's.

    Args:
        folder: of the artifact.
        allow: modules of the user that targets may come from.
        model_types: of transformers, that are allowed beside MODEL_TYPES.

    """
    record = _read_record(folder / "model.json")
    _check_nodes(record, allow, model_types)
    path = folder / "classifier.safetensors"
    state = weights.read_state(path)
    count = sum(value.numel() for value in state.values())
    check_encoders(record, count, folder, model_types)
    encoders = {
        name: _encoder(name, encoder, folder, allow, model_types)
        for name, encoder in record.encoders.items()
    }
    trained = {
        name: encoders[name]
        for name, encoder_record in record.encoders.items()
        if encoder_record.trained
    }
    for name, encoder in trained.items():
        if not isinstance(encoder, nn.Module):
            raise _damaged(
                folder / "model.json",
                f"encoders.{name}.trained: found true, expected false for "
                f"{record.encoders[name].node['_target_']}, which is not trained",
            )
    check_classifier(record, count, folder, allow)
    dims = {name: encoder_record.out_dim for name, encoder_record in record.encoders.items()}
    model = make_model(record.fusion, record.head, dims, trained, len(record.label_ids), allow)
    weights.load_exactly(model, state, path)
    for name, encoder in encoders.items():
        if not record.encoders[name].trained:
            _check_weights(name, record.encoders[name], encoder)
    for module in (model, *encoders.values()):
        if isinstance(module, nn.Module):
            module.eval().requires_grad_(False)
    identities = {name: nn.Identity() for name in encoders}
    return RestoredModel(record, encoders, Classifier(identities, model.fusion, model.head))


def copied_weights(folder: Path, encoder: str) -> Path:
    """The file of a frozen encoder that is copied into the model."""
    return folder / f"{encoder}.safetensors"


def _read_record(path: Path) -> ModelRecord:
    content = _read_json(path)
    model_format = content.get("format") if isinstance(content, Mapping) else None
    if model_format != MODEL_FORMAT:
        raise InputError(
            f"{path} has the format {model_format!r}, expected {MODEL_FORMAT}: another version "
            "of mmclf wrote it; predict with that version, or do the run again"
        )
    for old in sorted({*moved_targets(content)}):
        sys.stderr.write(notice(old))
    record = _validate(with_current_targets(content), ModelRecord, path)
    if record.image.size == "auto":
        raise _damaged(path, "image.size: found auto, expected the pixels that it stood for")
    if record.image.size**2 > MAX_PIXELS:
        raise _damaged(path, f"image.size: found {record.image.size}, of more pixels than are read")
    counts = {len(record.label_ids), len(record.label_names), len(record.thresholds)}
    if len(counts) > 1:
        raise _damaged(
            path,
            f"found {len(record.label_ids)} label ids, {len(record.label_names)} names and "
            f"{len(record.thresholds)} thresholds, expected as many of each",
        )
    return record


def _read_json(path: Path) -> Any:
    check_size(path, RECORD_BYTES, "settings")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise _damaged(path, "there is no such file") from None
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(path, f"it cannot be read as JSON, {error}") from error


def _validate(value: object, expected: type[T], path: Path) -> T:
    try:
        return TypeAdapter(expected).validate_python(value)
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        location = ".".join(map(str, detail["loc"]))
        expectation = pydantic_messages.expected([detail], None) or detail["msg"]
        if detail["type"] == "missing":
            raise _damaged(path, f"{location} is missing") from error
        value_found = pydantic_messages.describe(detail["input"], [detail])
        raise _damaged(path, f"{location}: found {value_found}, expected {expectation}") from error


def _damaged(path: Path, reason: str) -> InputError:
    return InputError(f"{path} is damaged: {reason}; do the run again, or restore the file")


def _check_nodes(record: ModelRecord, allow: Sequence[str], model_types: Sequence[str]) -> None:
    """Raise InputError with a problem for each target or setting that a config may not have."""
    nodes = {"fusion": record.fusion} | {name: e.node for name, e in record.encoders.items()}
    problems = []
    for name, node in nodes.items():
        problems += check_component({"_target_": None} | node, name, name, allow)
    for name, encoder in record.encoders.items():
        if encoder.architecture is not None:
            of_encoder = architecture_problems(without_written(encoder.architecture), model_types)
            problems += [f"{name}: the architecture: {problem}" for problem in of_encoder]
    if problems:
        raise InputError(*problems)


def _encoder(
    name: str,
    record: EncoderRecord,
    folder: Path,
    allow: Sequence[str],
    model_types: Sequence[str],
) -> Any:
    node = record.node
    if record.architecture is not None:
        settings = {
            "architecture": without_written(record.architecture),
            "tokenizer": str(folder / "tokenizer"),
        }
        node = node | {"weights": "random"} | settings
    elif (record.trained or record.copied) and resolve(
        node["_target_"], name, allow
    ) is TimmEncoder:
        node = node | {"weights": "random"}
    encoder = build(node, name, allow, train_captions=(), allow_model_types=model_types)
    if record.copied and isinstance(encoder, nn.Module):
        path = copied_weights(folder, name)
        weights.load_exactly(encoder, weights.read_state(path), path)
    if isinstance(encoder, Tfidf):
        _restore_tfidf(encoder, folder)
    elif is_fitted(encoder) and not isinstance(encoder, Constant):
        raise InputError(
            f"{name}: {type(encoder).__name__} was fitted on the run's captions, and what it "
            "learnt was not kept: only that of mmclf.models.tfidf.Tfidf is"
        )
    if encoder.out_dim != record.out_dim:
        raise InputError(
            f"{name}: the encoder makes {encoder.out_dim} features, expected the run's "
            f"{record.out_dim}: its part, or a file of the run, has changed since"
        )
    return encoder


def _restore_tfidf(encoder: Tfidf, folder: Path) -> None:
    terms, path = folder / "tfidf.json", folder / "tfidf_idf.npy"
    vocabulary = _validate(_read_json(terms), Vocabulary, terms)
    try:
        idf = load_array(path)
    except (OSError, ValueError) as error:
        raise _damaged(path, f"it cannot be read as an array of NumPy ({error})") from error
    try:
        encoder.restore(vocabulary, idf)
    except InputError as error:
        raise _damaged(terms, f"with {path.name} beside it, {error}") from error


def _check_weights(name: str, record: EncoderRecord, encoder: Any) -> None:
    """Raise InputError if a frozen encoder's tensors differ from those of the run."""
    if not isinstance(encoder, nn.Module):
        return
    actual = weights.module_sha256(encoder)
    if actual != record.sha256:
        encoder_name = record.node.get("name", record.node["_target_"])
        source = record.node.get("weights", "its own")
        raise InputError(
            f"{name}: the tensors of the encoder {encoder_name} (weights: {source}) have the "
            f"sha256 {actual}, expected the run's {record.sha256}: its weights have changed "
            "since, or a library makes others; use the versions that the run's tag "
            "mmclf.versions names"
        )
