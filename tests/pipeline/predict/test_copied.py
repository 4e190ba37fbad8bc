"""A model with its frozen encoders copied into it needs nothing else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from written_models import BERT, CAPTIONS, TFIDF, TIMM, written

from mmclf.errors import InputError
from mmclf.models.describe import tokenizer_files
from mmclf.models.description import write_files
from mmclf.pipeline.predict.copied import copy_encoders
from mmclf.pipeline.predict.restore import restore

pytestmark = pytest.mark.usefixtures("no_network")


@pytest.fixture
def elsewhere(tmp_path: Path) -> list[str]:
    """Overrides of encoders whose weights are files, outside of the run's."""
    _, encoders, _ = written(tmp_path / "first", *TIMM, *BERT)
    vision, text = tmp_path / "weights" / "vision.safetensors", tmp_path / "weights" / "text"
    vision.parent.mkdir()
    state = encoders["vision"].model.state_dict()
    save_file({name: value + 0.01 for name, value in state.items()}, vision)
    with torch.no_grad():
        for weight in encoders["text"].parameters():
            weight.add_(0.01)
    encoders["text"].model.save_pretrained(text)
    write_files(text.parent, tokenizer_files(encoders["text"].tokenizer))
    shutil.copytree(text.parent / "tokenizer", text, dirs_exist_ok=True)
    return [*TIMM[:2], f"vision.weights={vision}", *BERT[:2], f"text.weights={text}"]


def test_copied_encoders_are_those_that_were_named(tmp_path: Path, elsewhere: list[str]) -> None:
    folder, encoders, model = written(tmp_path / "second", *elsewhere)
    copy_encoders(folder, ())
    shutil.rmtree(tmp_path / "weights")
    restored = restore(folder, ())
    with torch.inference_mode():
        pictures = torch.randn(2, 3, 64, 64)
        assert torch.equal(restored.encoders["vision"](pictures), encoders["vision"](pictures))
        tokens = restored.encoders["text"].tokenize(CAPTIONS[2:3])
        assert torch.equal(restored.encoders["text"](tokens), encoders["text"](tokens))
        features = {name: torch.randn(2, one.out_dim) for name, one in encoders.items()}
        assert torch.equal(restored.classifier(features), model(features))


def test_without_the_copies_the_weights_are_missed(tmp_path: Path, elsewhere: list[str]) -> None:
    folder, _, _ = written(tmp_path / "second", *elsewhere)
    shutil.rmtree(tmp_path / "weights")
    with pytest.raises(InputError):
        restore(folder, ())


def test_a_changed_copy_is_refused(tmp_path: Path, elsewhere: list[str]) -> None:
    folder, _, _ = written(tmp_path / "second", *elsewhere)
    copy_encoders(folder, ())
    state = load_file(folder / "vision.safetensors")
    name = next(iter(state))
    save_file(state | {name: state[name] + 1}, folder / "vision.safetensors")
    with pytest.raises(InputError):
        restore(folder, ())


def test_what_is_trained_or_no_network_is_not_copied_again(tmp_path: Path) -> None:
    folder, _, _ = written(tmp_path, *TIMM, "vision.trainable=true", *TFIDF)
    before = {path.name for path in folder.iterdir()}
    copy_encoders(folder, ())
    assert {path.name for path in folder.iterdir()} == before
    record = json.loads((folder / "model.json").read_text())
    assert not any("copied" in encoder for encoder in record["encoders"].values())
