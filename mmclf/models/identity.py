"""The identity of an encoder by content: its settings, its weights, and its code.

Nothing is built and torch is not imported, so that stored results are found quickly.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from inspect import getmro, isclass
from pathlib import Path
from typing import Any

from mmclf.config.schema import Node
from mmclf.config.targets import parameters, resolve
from mmclf.config.user_modules import source_files
from mmclf.errors import InputError
from mmclf.models.hub import HUGGING_FACE_FILES, TIMM_FILES, cached_hub_folder
from mmclf.models.package import package_location
from mmclf.models.source_code import code_digest, is_own
from mmclf.models.text_family import PoolingSetting, resolve_pooling
from mmclf.storage.store.file_hasher import FileHasher
from mmclf.storage.store.hashing import texts_digest
from mmclf.storage.store.json_cache import JsonCache

TIMM = "mmclf.models.vision.TimmEncoder"
HUGGING_FACE = "mmclf.models.text.HuggingFaceEncoder"
TFIDF = "mmclf.models.tfidf.Tfidf"
CONSTANT = "mmclf.models.constant.Constant"


@dataclass(frozen=True)
class Identity:
    """The identity of an encoder.

    Args:
        values: plain values that are equal for encoders that compute equal features.
        is_fitted: whether it is fitted to the training captions, as TF-IDF.
        takes_captions: whether its constructor takes them, to train a tokenizer.

    """

    values: Mapping[str, Any]
    is_fitted: bool = False
    takes_captions: bool = False


class Identities:
    """Determines the identities of encoders and other components.

    Args:
        hasher: hashes the files that settings name.
        cache: of the hub repositories of timm's model names.
        allow: the user's own modules.

    """

    def __init__(self, hasher: FileHasher, cache: JsonCache, allow: Sequence[str]) -> None:
        self._hasher, self._cache, self._allow = hasher, cache, tuple(allow)

    def encoder(self, node: Node, role: str) -> Identity | None:
        """The identity of a config node's encoder, or None if its weights are not available yet."""
        name = node["_target_"]
        if name not in (TIMM, HUGGING_FACE, TFIDF, CONSTANT):
            target = resolve(name, role, self._allow)
            name = f"{target.__module__}.{target.__qualname__}"
        if name == TFIDF:
            values = {"part": dict(node), "code": _code(TFIDF), **versions("scikit-learn")}
            return Identity(values, is_fitted=True)
        if name == CONSTANT:
            # It learns nothing, but an encoder with `fit` runs without batches and precisions.
            return Identity({"kind": CONSTANT, "code": _code(CONSTANT)}, is_fitted=True)
        if name == TIMM:
            return self._timm(node)
        if name == HUGGING_FACE:
            return self._hugging_face(node)
        return self._other_encoder(node, role)

    def part(self, node: Node) -> dict[str, Any]:
        """The identity of a component: its settings, the files they name by content, and its code.

        Only code of mmclf and of the user is included; libraries are identified by their versions.
        """
        targets = list(_targets(node))
        # A module of the user may import another, so all of them are included.
        is_users = any(_is_below(target, module) for target in targets for module in self._allow)
        return {
            "part": self._by_content(node),
            "code": {target: _code(target) for target in filter(is_own, targets)},
            "sources": {module: self._sources(module) for module in self._allow if is_users},
        }

    def _timm(self, node: Node) -> Identity | None:
        values = {
            "kind": TIMM,
            "name": node["name"],
            "code": _code(TIMM),
            **versions("torch", "timm"),
        }
        weights = node.get("weights", "hub")
        if weights == "random":
            return Identity(values | {"weights": "random"})
        if weights == "hub":
            folder = cached_hub_folder(self._timm_repository(node["name"]), TIMM_FILES)
            file = None if folder is None else folder / "model.safetensors"
        else:
            file = _weights_path(weights, node)
        return None if file is None else Identity(values | {"weights": self._content(file)})

    def _timm_repository(self, name: str) -> str:
        def compute() -> str:
            # Late: docs/architecture.md#late-imports
            from mmclf.models.vision import hub_repository

            return hub_repository(name)

        return str(self._cache.get_or_compute(f"{name} in timm {version('timm')}", compute))

    def _hugging_face(self, node: Node) -> Identity | None:
        values = {
            "kind": HUGGING_FACE,
            "code": _code(HUGGING_FACE),
            "max_length": node.get("max_length", 64),
            **versions("torch", "transformers", "tokenizers"),
        }
        tokenizer, weights = node.get("tokenizer"), node.get("weights", "hub")
        if tokenizer is not None:
            values["tokenizer"] = self._content(Path(tokenizer), HUGGING_FACE_FILES)
        if weights == "random":
            return self._random_text(node, values)
        if weights == "hub":
            folder = cached_hub_folder(node["name"], HUGGING_FACE_FILES)
        else:
            folder = _weights_path(weights, node)
        if folder is None:
            return None
        pooling = resolve_pooling(_pooling(node), architecture=None, folder=folder)
        content = self._content(folder, HUGGING_FACE_FILES)
        return Identity(values | {"pooling": pooling, "weights": content})

    def _random_text(self, node: Node, values: dict[str, Any]) -> Identity | None:
        architecture = node.get("architecture")
        config = None if architecture is not None else _cached_config(node["name"])
        if architecture is None and config is None:
            return None
        pooling = resolve_pooling(_pooling(node), architecture=architecture, folder=config)
        values |= {"weights": "random", "architecture": architecture, "pooling": pooling}
        try:
            folder: Path | None = package_location(node.get("package"))
        except InputError:
            folder = cached_hub_folder(node["name"], HUGGING_FACE_FILES, needed="*.json")
        if folder is not None:
            values["local"] = self._content(folder, HUGGING_FACE_FILES)
        # A tokenizer in the hub's cache may be incomplete, and is then not used.
        has_tokenizer = node.get("tokenizer") is not None or (
            folder is not None and node.get("package") is not None
        )
        return Identity(values, takes_captions=not has_tokenizer)

    def _other_encoder(self, node: Node, role: str) -> Identity | None:
        target = resolve(node["_target_"], role, self._allow)
        libraries = versions("torch", "torchvision", "timm", "transformers", "scikit-learn")
        values = {**self.part(node), **libraries}
        bases = {
            f"{base.__module__}.{base.__qualname__}"
            for base in (getmro(target) if isclass(target) else ())
        }
        for name, identify in ((TIMM, self._timm), (HUGGING_FACE, self._hugging_face)):
            if name in bases:
                base = identify(node)
                if base is None:
                    return None
                values["base"] = base.values
        return Identity(
            values,
            is_fitted=hasattr(target, "fit"),
            takes_captions="train_captions" in parameters(target),
        )

    def _sources(self, module: str) -> str:
        files = source_files(module)
        return self._digest_files([file.name for file in files], files)

    def _by_content(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {str(k): v if k == "_target_" else self._by_content(v) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._by_content(item) for item in value]
        if isinstance(value, str) and _is_file_name(value):
            return {"content": self._content(Path(value))}
        return value

    def _content(self, path: Path, patterns: Sequence[str] = ("*",)) -> str:
        """The digest of a file, or of the matching files below a folder with their names."""
        if not path.is_dir():
            return self._digest_files([""], [path])
        files = sorted({f for pattern in patterns for f in path.rglob(pattern) if f.is_file()})
        return self._digest_files([file.relative_to(path).as_posix() for file in files], files)

    def _digest_files(self, names: Sequence[str], files: Sequence[Path]) -> str:
        digests = [d if d is not None else "unreadable" for d in self._hasher.digests(files)]
        return texts_digest([*names, *digests])


def version(package: str) -> str | None:
    """The major and minor version of an installed package, as `2.12`."""
    try:
        return ".".join(metadata.version(package).split(".")[:2])
    except metadata.PackageNotFoundError:
        return None


def versions(*packages: str) -> dict[str, str | None]:
    """The major and minor version of each package, by its name."""
    return {package: version(package) for package in packages}


def _weights_path(weights: str, node: Node) -> Path:
    return package_location(node.get("package")) if weights == "package" else Path(weights)


def _pooling(node: Node) -> PoolingSetting:
    setting: PoolingSetting = node.get("pooling", "auto")
    return setting


def _cached_config(name: str) -> Path | None:
    return cached_hub_folder(name, ("config.json",), needed="config.json")


def _code(target: str) -> str:
    """The digest of the code of the module that defines a target of mmclf."""
    return code_digest(target.rpartition(".")[0])


def _targets(node: object) -> Iterator[str]:
    """Every `_target_` in a node, at any depth."""
    if isinstance(node, Mapping):
        if "_target_" in node:
            yield str(node["_target_"])
        for value in node.values():
            yield from _targets(value)
    elif isinstance(node, (list, tuple)):
        for value in node:
            yield from _targets(value)


def _is_below(target: str, module: str) -> bool:
    return target == module or target.startswith(f"{module}.")


def _is_file_name(text: str) -> bool:
    """Whether a setting names an existing file or folder; a plain word does not."""
    if os.sep not in text and not Path(text).suffix:
        return False
    try:
        return Path(text).exists()
    except (OSError, ValueError):  # too long for a name, or with a null character
        return False
