"""What a model's files name and hold is checked before it is used, and what is wrong is said."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from message_facts import Naming
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from written_models import BERT, TFIDF, TIMM, written

from mmclf.config.moved_targets import MOVED_MODULES
from mmclf.errors import InputError
from mmclf.pipeline.predict.restore import restore

pytestmark = pytest.mark.usefixtures("no_network")


class Wordless(nn.Module):
    """A part of the user's own."""

    out_dim = 3

    def __init__(self) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.arange(3.0))

    def tokenize(self, captions: list[str]) -> dict[str, Tensor]:
        return {"length": torch.tensor([[len(caption)] for caption in captions])}

    def forward(self, tokens: dict[str, Tensor]) -> Tensor:
        return tokens["length"] + self.bias


class Fitted(Wordless):
    """A part that learns from the training captions."""

    def fit(self, captions: list[str]) -> None: ...

    def transform(self, captions: list[str]) -> None: ...


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The artifact `model` of a run on TF-IDF."""
    return written(tmp_path_factory.mktemp("kept"), *TFIDF)[0]


@pytest.fixture
def folder(tmp_path: Path, kept: Path) -> Path:
    """A copy of it that may be damaged."""
    return Path(shutil.copytree(kept, tmp_path / "model"))


def changed(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = folder / "model.json"
    facts = json.loads(path.read_text())
    change(facts)
    path.write_text(json.dumps(facts))


def text_of(facts: dict[str, Any]) -> dict[str, Any]:
    encoder: dict[str, Any] = facts["encoders"]["text"]
    return encoder


# Targets


@pytest.mark.parametrize("trainable", [False, True])
@pytest.mark.hostile("encoders and weights")
def test_a_part_of_ones_own_needs_the_callers_word(tmp_path: Path, trainable: bool) -> None:
    settings = [f"~text.{name}" for name in ("max_features", "ngram_max", "min_df", "sublinear_tf")]
    own = (f"text={{_target_: {__name__}.Wordless}}", f"text.trainable={trainable}")
    folder, encoders, _ = written(tmp_path, *own, *settings, allow=(__name__,))
    actual = restore(folder, (__name__,)).encoders["text"]
    assert torch.equal(actual.bias, encoders["text"].bias)
    with pytest.raises(InputError, match=rf"text\._target_ '{__name__}\.Wordless' "):
        restore(folder, ())


def test_what_was_fitted_and_not_kept_is_said(folder: Path) -> None:
    changed(folder, lambda facts: text_of(facts).update(node={"_target_": f"{__name__}.Fitted"}))
    with pytest.raises(InputError, match=r"^text: Fitted "):
        restore(folder, (__name__,))


def test_a_target_that_has_moved_since_is_restored_with_a_line_of_notice(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(MOVED_MODULES, "mmclf.joining", "mmclf.models.fusion")
    path = folder / "model.json"
    text = path.read_text()
    assert "mmclf.models.fusion.Concat" in text
    path.write_text(text.replace("mmclf.models.fusion.Concat", "mmclf.joining.Concat"))
    assert restore(folder, []).record.fusion["_target_"] == "mmclf.models.fusion.Concat"
    (line,) = capsys.readouterr().err.splitlines()
    assert "mmclf.joining.Concat" in line


@pytest.mark.parametrize(
    ("architecture", "name"),
    [
        ({"auto_map": {"AutoModel": "modeling.Any"}}, "auto_map"),
        ({"attn_implementation": "kernels-community/any"}, "attn_implementation"),
        ({"text_config": [{"_experts_implementation": "any"}]}, "_experts_implementation"),
    ],
)
@pytest.mark.hostile("encoders and weights")
def test_an_architecture_names_no_code(
    folder: Path, architecture: dict[str, Any], name: str
) -> None:
    changed(folder, lambda facts: text_of(facts).update(architecture=architecture))
    with pytest.raises(InputError, match=f"architecture.*'{name}'"):
        restore(folder, ())


# What is damaged


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.update(format=1), Naming("model.json", "1", "2")),
        (lambda f: f.pop("format"), Naming("None", "2")),
        (lambda f: f.pop("thresholds"), Naming("model.json", "thresholds", "missing")),
        (lambda f: f.update(thresholds=[0.5]), Naming("2 label ids", "2 names", "1 thresholds")),
        (lambda f: f.update(thresholds=["a", 0.5]), Naming("thresholds.0", "'a'")),
        (lambda f: f.update(thresholds=[None, 0.5]), Naming("thresholds.0", "null")),
        (lambda f: f.update(thresholds=[float("nan"), 1]), Naming("thresholds.0", "finite")),
        (lambda f: f.update(empty="argmx"), Naming("empty", "'argmx'", "'argmax'")),
        (lambda f: f.update(precision="fp8"), Naming("precision", "'fp8'")),
        (lambda f: f["image"].update(size=0), Naming("image.size", "0")),
        (lambda f: f["image"].update(size="auto"), Naming("image.size", "auto")),
        (lambda f: f.update(encoders={}), Naming("encoders", "{}")),
        (lambda f: f.update(encoders={"sound": {}}), Naming("encoders.sound")),
        (lambda f: text_of(f).pop("encoding_precision"), Naming("encoding_precision", "missing")),
        (
            lambda f: text_of(f).update(out_dim=7),
            Naming("3 features", "7"),
        ),
        (lambda f: text_of(f)["node"].pop("_target_"), Naming("text._target_", "None")),
        (
            lambda f: text_of(f)["node"].update(min_df="x"),
            Naming("text.min_df", "'x'"),
        ),
        (lambda f: text_of(f)["node"].update(nmax=1), Naming("text.nmax")),
        (
            lambda f: f["fusion"].update(_target_="os.system"),
            Naming("fusion._target_", "'os.system'"),
        ),
        (
            lambda f: f["fusion"].update(_target_="torch.load"),
            Naming("fusion._target_", "'torch.load'"),
        ),
        (lambda f: f["head"].update(hidden=3), Naming("classifier.safetensors", "Classifier")),
    ],
)
@pytest.mark.hostile("runs of others")
def test_a_damaged_description_is_named(
    folder: Path, change: Callable[[dict[str, Any]], object], words: Naming
) -> None:
    changed(folder, change)
    with pytest.raises(InputError) as caught:
        restore(folder, ())
    assert str(caught.value) == words


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("model.json", None, Naming("model.json", "no such file")),
        ("model.json", b"{", Naming("model.json", "JSON", "Expecting")),
        ("model.json", b"\xff", Naming("model.json", "JSON", "'utf-8'")),
        ("model.json", b"[" * 100_000, Naming("model.json", "JSON")),
        ("model.json", b"[]", Naming("format", "None")),
        ("classifier.safetensors", None, Naming("classifier.safetensors")),
        ("classifier.safetensors", b"x", Naming("classifier.safetensors", "cannot be read")),
        ("tfidf.json", None, Naming("tfidf.json", "no such file")),
        ("tfidf.json", b'{"cat": "0"}', Naming("tfidf.json", "cat", "'0'")),
        ("tfidf.json", b'{"cat": 0}', Naming("tfidf_idf.npy", "float32 (3,)")),
        ("tfidf.json", b'{"a": 0, "b": 0, "c": 1}', Naming("TF-IDF")),
        ("tfidf_idf.npy", None, Naming("tfidf_idf.npy", "damaged")),
        ("tfidf_idf.npy", b"", Naming("tfidf_idf.npy", "damaged")),
        ("tfidf_idf.npy", pickle.dumps([1.0, 1.0, 1.0]), Naming("tfidf_idf.npy", "damaged")),
    ],
)
@pytest.mark.hostile("runs of others")
def test_a_damaged_file_is_named(
    folder: Path, file: str, content: bytes | None, words: Naming
) -> None:
    (folder / file).unlink()
    if content is not None:
        (folder / file).write_bytes(content)
    with pytest.raises(InputError) as caught:
        restore(folder, ())
    assert str(caught.value) == words


def test_a_lost_tokenizer_is_named(tmp_path: Path) -> None:
    folder, _, _ = written(tmp_path, *BERT)
    for file in (folder / "tokenizer").iterdir():
        file.unlink()
    with pytest.raises(InputError, match="tokenizer holds no tokenizer"):
        restore(folder, ())


def test_other_weights_of_a_frozen_encoder_are_found(tmp_path: Path) -> None:
    folder, _, _ = written(tmp_path, *TIMM, *BERT)
    changed(folder, lambda facts: text_of(facts).update(sha256="0" * 64))
    with pytest.raises(InputError) as caught:
        restore(folder, ())
    text = str(caught.value)
    assert text == Naming("text", "nobody/tiny", "random", "0" * 64)


def test_weights_that_lack_a_trained_encoder_do_not_fit(tmp_path: Path) -> None:
    folder, _, _ = written(tmp_path, *TIMM, "text=none", "vision.trainable=true")
    path = folder / "classifier.safetensors"
    kept = {k: v for k, v in load_file(path).items() if not k.startswith("encoders.")}
    save_file(kept, path)
    with pytest.raises(InputError, match=r"Classifier: missing: encoders\.vision"):
        restore(folder, ())
