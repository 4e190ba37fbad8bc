"""What an encoder is, by content: its settings, its weights, and the code that makes it.

Nothing is built, and torch is not waited for, so that what is stored is found at once.
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
from mmclf.models.package import package_place
from mmclf.models.source_code import code_digest, is_own
from mmclf.storage.store.file_hasher import FileHasher
from mmclf.storage.store.hashing import texts_digest
from mmclf.storage.store.json_cache import JsonCache

TIMM = "mmclf.models.vision.TimmEncoder"
HUGGING_FACE = "mmclf.models.text.HuggingFaceEncoder"
TFIDF = "mmclf.models.tfidf.Tfidf"
CONSTANT = "mmclf.models.constant.Constant"


@dataclass(frozen=True)
class Identity:
    """`about`: plain values that are the same for encoders that make the same features.

    `is_fitted`: it learns from the training captions, as TF-IDF; `takes_captions`: it is built of
    them, as a tokenizer of random weights.
    """

    about: Mapping[str, Any]
    is_fitted: bool = False
    takes_captions: bool = False


class Identities:
    """Finds out what encoders and other parts are.

    Args:
        hasher: hashes the files that settings name.
        cache: remembers which repository of the hub a name of timm's stands for.
        allow: the user's own modules.

    """

    def __init__(self, hasher: FileHasher, cache: JsonCache, allow: Sequence[str]) -> None:
        self._hasher, self._cache, self._allow = hasher, cache, tuple(allow)

    def encoder(self, node: Node, role: str) -> Identity | None:
        """What the encoder of a config node is, or None if its weights are not at hand yet."""
        name = node["_target_"]
        if name not in (TIMM, HUGGING_FACE, TFIDF, CONSTANT):
            target = resolve(name, role, self._allow)
            name = f"{target.__module__}.{target.__qualname__}"
        if name == TFIDF:
            about = {"part": dict(node), "code": _code(TFIDF), **versions("scikit-learn")}
            return Identity(about, is_fitted=True)
        if name == CONSTANT:
            # Nothing is learnt, but what has a fit is run without batches and precisions, as it is.
            return Identity({"kind": CONSTANT, "code": _code(CONSTANT)}, is_fitted=True)
        if name == TIMM:
            return self._timm(node)
        if name == HUGGING_FACE:
            return self._hugging_face(node)
        return self._other(node, role)

    def part(self, node: Node) -> dict[str, Any]:
        """A part's settings, those that name files by their content, and its code.

        The code counts where it is mmclf's or the user's own; a library's version stands elsewhere.
        """
        targets = list(_targets(node))
        # One module of the user's own may import another, so all of them count.
        is_users = any(_is_below(target, module) for target in targets for module in self._allow)
        return {
            "part": self._by_content(node),
            "code": {target: _code(target) for target in filter(is_own, targets)},
            "sources": {module: self._sources(module) for module in self._allow if is_users},
        }

    def _timm(self, node: Node) -> Identity | None:
        about = {
            "kind": TIMM,
            "name": node["name"],
            "code": _code(TIMM),
            **versions("torch", "timm"),
        }
        weights = node.get("weights", "hub")
        if weights == "random":
            return Identity(about | {"weights": "random"})
        if weights == "hub":
            folder = cached_hub_folder(self._timm_repository(node["name"]), TIMM_FILES)
            file = None if folder is None else folder / "model.safetensors"
        else:
            file = _weights_path(weights, node)
        return None if file is None else Identity(about | {"weights": self._content(file)})

    def _timm_repository(self, name: str) -> str:
        def ask_timm() -> str:
            # Late, as timm takes seconds to import: it is asked once for a name.
            from mmclf.models.vision import hub_repository

            return hub_repository(name)

        return str(self._cache.get_or_compute(f"{name} in timm {version('timm')}", ask_timm))

    def _hugging_face(self, node: Node) -> Identity | None:
        about = {
            "kind": HUGGING_FACE,
            "code": _code(HUGGING_FACE),
            "pooling": node.get("pooling", "mean"),
            "max_length": node.get("max_length", 64),
            **versions("torch", "transformers", "tokenizers"),
        }
        tokenizer, weights = node.get("tokenizer"), node.get("weights", "hub")
        if tokenizer is not None:
            about["tokenizer"] = self._content(Path(tokenizer), HUGGING_FACE_FILES)
        if weights == "random":
            return self._random_text(node, about)
        if weights == "hub":
            folder = cached_hub_folder(node["name"], HUGGING_FACE_FILES)
        else:
            folder = _weights_path(weights, node)
        if folder is None:
            return None
        return Identity(about | {"weights": self._content(folder, HUGGING_FACE_FILES)})

    def _random_text(self, node: Node, about: dict[str, Any]) -> Identity:
        about |= {"weights": "random", "architecture": node.get("architecture")}
        try:
            local: Path | None = package_place(node.get("package"))
        except InputError:
            local = cached_hub_folder(node["name"], HUGGING_FACE_FILES, needed="*.json")
        if local is not None:
            about["local"] = self._content(local, HUGGING_FACE_FILES)
        # A tokenizer out of the hub's cache may be another model's part only, and is then refused.
        is_sure = node.get("tokenizer") is not None or (
            local is not None and node.get("package") is not None
        )
        return Identity(about, takes_captions=not is_sure)

    def _other(self, node: Node, role: str) -> Identity | None:
        target = resolve(node["_target_"], role, self._allow)
        libraries = versions("torch", "torchvision", "timm", "transformers", "scikit-learn")
        about = {**self.part(node), **libraries}
        bases = {
            f"{base.__module__}.{base.__qualname__}"
            for base in (getmro(target) if isclass(target) else ())
        }
        for name, of_base in ((TIMM, self._timm), (HUGGING_FACE, self._hugging_face)):
            if name in bases:
                base = of_base(node)
                if base is None:
                    return None
                about["base"] = base.about
        return Identity(
            about,
            is_fitted=hasattr(target, "fit"),
            takes_captions="train_captions" in parameters(target),
        )

    def _sources(self, module: str) -> str:
        files = source_files(module)
        return self._together([file.name for file in files], files)

    def _by_content(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {str(k): v if k == "_target_" else self._by_content(v) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._by_content(item) for item in value]
        if isinstance(value, str) and _is_file_name(value):
            return {"content": self._content(Path(value))}
        return value

    def _content(self, path: Path, patterns: Sequence[str] = ("*",)) -> str:
        """The content of a file, or of the files below a folder that match, with their names."""
        if not path.is_dir():
            return self._together([""], [path])
        files = sorted({f for pattern in patterns for f in path.rglob(pattern) if f.is_file()})
        return self._together([file.relative_to(path).as_posix() for file in files], files)

    def _together(self, names: Sequence[str], files: Sequence[Path]) -> str:
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
    return package_place(node.get("package")) if weights == "package" else Path(weights)


def _code(target: str) -> str:
    """The digest of the code of the module that a target of mmclf's own lies in."""
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
    """Whether a setting names a file or folder that there is; a plain word never does."""
    if os.sep not in text and not Path(text).suffix:
        return False
    try:
        return Path(text).exists()
    except (OSError, ValueError):  # too long for a name, or with a null character
        return False
