"""What an encoder is, by content, wherever its weights lie."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, NoReturn

import pytest
from model_folders import (
    FILES,
    PACKAGE,
    TEXT_NODE,
    about,
    cached,
    empty_cache,
    installed,
    model,
    new_identities,
)

from mmclf.config.schema import Node
from mmclf.errors import InputError
from mmclf.models import vision
from mmclf.models.constant import Constant
from mmclf.models.identity import CONSTANT, TFIDF, TIMM, Identities, Identity, version
from mmclf.models.source_code import code_digest
from mmclf.storage.store.file_hasher import FileHasher
from mmclf.storage.store.json_cache import JsonCache

TIMM_NODE: Node = {"_target_": TIMM, "name": "resnet18", "weights": "random", "package": None}

pytestmark = pytest.mark.usefixtures("no_network")
cache = pytest.fixture(autouse=True)(empty_cache)
identities = pytest.fixture(new_identities)


def short(package: str) -> str:
    return ".".join(metadata.version(package).split(".")[:2])


def test_a_version_is_its_major_and_minor_number(monkeypatch: pytest.MonkeyPatch) -> None:
    assert version("no-such-package") is None
    monkeypatch.setattr(metadata, "version", lambda _: "2.12.1+cu130")
    assert version("torch") == "2.12"


# Vision


def test_random_weights_are_identified_by_model_and_libraries(
    identities: Identities,
) -> None:
    built = identities.encoder(TIMM_NODE, "vision")
    assert built == Identity(
        {
            "kind": "mmclf.models.vision.TimmEncoder",
            "name": "resnet18",
            "weights": "random",
            "code": code_digest("mmclf.models.vision"),
            "torch": short("torch"),
            "timm": short("timm"),
        }
    )
    assert built != identities.encoder({**TIMM_NODE, "name": "resnet34"}, "vision")


def test_a_checkpoint_is_identified_by_its_content_not_its_place(
    identities: Identities, tmp_path: Path
) -> None:
    (tmp_path / "a.pth").write_text("weights")
    (tmp_path / "inner").mkdir()
    shutil.copy(tmp_path / "a.pth", tmp_path / "inner" / "b.bin")

    def found(path: Path) -> Mapping[str, Any]:
        return about(identities.encoder({**TIMM_NODE, "weights": str(path)}, "vision"))

    first = found(tmp_path / "a.pth")
    assert found(tmp_path / "inner" / "b.bin") == first
    (tmp_path / "a.pth").write_text("weightS")
    assert found(tmp_path / "a.pth") != first
    assert str(tmp_path) not in str(first)


def test_pretrained_weights_are_known_once_they_are_in_the_cache(
    identities: Identities, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = {**TIMM_NODE, "name": "resnet18.a1_in1k", "weights": "hub"}
    assert identities.encoder(node, "vision") is None
    remembered = {f"resnet18.a1_in1k in timm {short('timm')}": "timm/resnet18.a1_in1k"}
    assert JsonCache(tmp_path / "hub.json").all() == remembered
    weights = cached(cache, "timm/resnet18.a1_in1k") / "model.safetensors"
    actual = about(identities.encoder(node, "vision"))
    assert actual == about(identities.encoder({**node, "weights": str(weights)}, "vision"))

    def never(_: str) -> NoReturn:
        pytest.fail("timm was asked again")

    monkeypatch.setattr(vision, "hub_repository", never)
    again = Identities(FileHasher(tmp_path / "sums"), JsonCache(tmp_path / "hub.json"), [])
    assert about(again.encoder(node, "vision")) == actual
    weights.write_text("retrained")
    assert about(again.encoder(node, "vision")) != actual


def test_what_else_is_in_a_vision_models_repository_does_not_count(
    identities: Identities, cache: Path
) -> None:
    node = {**TIMM_NODE, "name": "resnet18.a1_in1k", "weights": "hub"}
    folder = cached(cache, "timm/resnet18.a1_in1k")
    built = identities.encoder(node, "vision")
    (folder / "README.md").write_text("words")
    assert identities.encoder(node, "vision") == built


def test_a_package_is_identified_by_the_content_of_its_weights(
    identities: Identities, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(tmp_path, monkeypatch)
    package = {**PACKAGE, "path": "own_net/model/model.safetensors"}
    node = {**TIMM_NODE, "weights": "package", "package": package}
    file = tmp_path / "site" / "own_net" / "model" / "model.safetensors"
    actual = about(identities.encoder(node, "vision"))
    assert actual == about(identities.encoder({**TIMM_NODE, "weights": str(file)}, "vision"))
    file.write_text("damaged")
    assert about(identities.encoder(node, "vision")) != actual


@pytest.mark.parametrize(("node", "role"), [(TIMM_NODE, "vision"), (TEXT_NODE, "text")])
def test_a_package_that_is_not_installed_is_named(
    identities: Identities, node: Node, role: str
) -> None:
    with pytest.raises(InputError, match="package own-net, "):
        identities.encoder({**node, "weights": "package", "package": PACKAGE}, role)


# Text


@pytest.mark.parametrize("source", ["path", "hub", "package"])
def test_a_text_models_folder_is_identified_by_the_content_of_all_its_files(
    identities: Identities,
    tmp_path: Path,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    source: str,
) -> None:
    copy = model(tmp_path / "copy")
    node = {**TEXT_NODE, "weights": source}
    if source == "hub":
        assert identities.encoder(node, "text") is None
        folder = cached(cache, "some/net")
    elif source == "package":
        installed(tmp_path, monkeypatch)
        folder = tmp_path / "site" / "own_net" / "model"
        node["package"] = PACKAGE
    else:
        folder = model(tmp_path / "model")
        node["weights"] = str(folder)
    built = identities.encoder(node, "text")
    assert built is not None
    assert (built.is_fitted, built.takes_captions) == (False, False)
    assert identities.encoder({**node, "weights": str(copy)}, "text") == built
    for name, text in FILES.items():
        (folder / name).write_text(f"other {text}")
        assert identities.encoder(node, "text") != built
        (folder / name).write_text(text)
    assert identities.encoder(node, "text") == built
    (folder / "config.json").rename(folder / "tokenizer" / "config.json")
    assert identities.encoder(node, "text") != built


def test_a_pretrained_models_architecture_is_not_asked_for(
    identities: Identities, tmp_path: Path
) -> None:
    node = {**TEXT_NODE, "weights": str(model(tmp_path / "model"))}
    built = identities.encoder(node, "text")
    assert identities.encoder({**node, "architecture": None, "name": "b"}, "text") == built


@pytest.mark.parametrize(
    "changed",
    [
        {"pooling": "cls"},
        {"max_length": 32},
        {"architecture": {"model_type": "bert", "hidden_size": 32}},
        {"architecture": None},
    ],
    ids=str,
)
def test_a_random_text_model_is_identified_by_its_settings(
    identities: Identities, changed: dict[str, Any]
) -> None:
    built = identities.encoder(TEXT_NODE, "text")
    assert identities.encoder(dict(TEXT_NODE), "text") == built
    assert identities.encoder({**TEXT_NODE, **changed}, "text") != built


def test_a_random_text_models_defaults_are_those_of_the_class(identities: Identities) -> None:
    few = {key: TEXT_NODE[key] for key in ("_target_", "name", "weights", "architecture")}
    assert identities.encoder(few, "text") == identities.encoder(TEXT_NODE, "text")


def test_a_random_text_model_takes_captions_unless_a_tokenizer_is_surely_at_hand(
    identities: Identities, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    actual = [identities.encoder(TEXT_NODE, "text")]
    cached(cache, "some/net")
    actual.append(identities.encoder(TEXT_NODE, "text"))
    installed(tmp_path, monkeypatch, vocab="c d")
    actual.append(identities.encoder({**TEXT_NODE, "package": PACKAGE}, "text"))
    tokenizer = model(tmp_path / "tokenizer")
    actual.append(identities.encoder({**TEXT_NODE, "tokenizer": str(tokenizer)}, "text"))
    assert [one is not None and one.takes_captions for one in actual] == [True, True, False, False]
    assert len({str(about(one)) for one in actual}) == 4
    (tokenizer / "config.json").write_text("other")
    assert identities.encoder({**TEXT_NODE, "tokenizer": str(tokenizer)}, "text") != actual[-1]


def test_tfidf_is_fitted_and_identified_by_its_settings(identities: Identities) -> None:
    node: Node = {"_target_": TFIDF, "min_df": 2}
    assert identities.encoder(node, "text") == Identity(
        {
            "part": {"_target_": TFIDF, "min_df": 2},
            "code": code_digest("mmclf.models.tfidf"),
            "scikit-learn": short("scikit-learn"),
        },
        is_fitted=True,
    )
    assert identities.encoder({**node, "min_df": 3}, "text") != identities.encoder(node, "text")


# Other parts


def test_a_constant_is_the_same_for_all(identities: Identities) -> None:
    assert f"{Constant.__module__}.{Constant.__qualname__}" == CONSTANT
    built = identities.encoder({"_target_": CONSTANT}, "text")
    code = code_digest("mmclf.models.constant")
    assert built == Identity({"kind": CONSTANT, "code": code}, is_fitted=True)


def test_a_setting_that_names_a_file_is_identified_by_the_files_content(
    identities: Identities, tmp_path: Path
) -> None:
    one, same, other = (tmp_path / name for name in ("one", "same", "other"))
    for path, text in ((one, "1 2"), (same, "1 2"), (other, "1 3")):
        path.write_text(text)

    def part(path: Path) -> dict[str, Any]:
        return identities.part({"_target_": "a.B", "inner": [{"path": str(path)}]})

    assert part(one) == part(same) != part(other)
    assert part(tmp_path / "nowhere")["part"]["inner"] == [{"path": str(tmp_path / "nowhere")}]


def test_a_word_that_happens_to_be_a_folder_is_a_word(
    identities: Identities, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("raw", "sqrt"):
        (tmp_path / name).mkdir()
    forms = [
        identities.part({"_target_": "mmclf.models.losses.WeightedBCE", "form": form})
        for form in ("raw", "sqrt")
    ]
    assert forms[0] != forms[1]


def test_a_target_that_is_not_allowed_is_refused(identities: Identities) -> None:
    for node in ({"_target_": "os.system"}, {**TIMM_NODE, "_target_": "mmclf.models.vision.Path"}):
        with pytest.raises(InputError, match="_target_"):
            identities.encoder(node, "vision")
