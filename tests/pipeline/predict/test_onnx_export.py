"""Files of ONNX compute what torch does, for batches of any size."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn
from written_models import BERT, TFIDF, TIMM, written

from mmclf.errors import InputError
from mmclf.pipeline.predict import onnx_export
from mmclf.pipeline.predict.onnx_graphs import head_graph, whole_graph
from mmclf.pipeline.predict.restore import RestoredModel, restore

pytestmark = pytest.mark.usefixtures("no_network")


def session(path: Path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def test_the_graphs_are_the_model_in_tensors(tmp_path: Path) -> None:
    folder, encoders, model = written(tmp_path, *TIMM, *BERT, "image.size=32")
    restored = restore(folder, ())
    head, whole = head_graph(restored), whole_graph(restored)
    assert head.inputs == ("vision_features", "text_features")
    assert whole.inputs == ("image", "input_ids", "attention_mask")
    with torch.inference_mode():
        features = head.example(3)
        expected = model(dict(zip(("vision", "text"), features, strict=True)))
        logits, probabilities = head.module(*features)
        assert torch.equal(logits, expected)
        assert torch.equal(probabilities, expected.sigmoid())
        image, *tokens = whole.example(3)
        assert image.shape == (3, 32, 32, 3)
        text = encoders["text"](dict(zip(("input_ids", "attention_mask"), tokens, strict=True)))
        colours = (image.float() / 255 - torch.tensor(encoders["vision"].mean)) / torch.tensor(
            encoders["vision"].std
        )
        vision = encoders["vision"](colours.permute(0, 3, 1, 2))
        actual, _ = whole.module(image, *tokens)
        assert torch.allclose(actual, model({"vision": vision, "text": text}), atol=1e-5)


def test_what_is_no_network_is_an_input(tmp_path: Path) -> None:
    folder, _, _ = written(tmp_path, *TIMM, *TFIDF, "image.size=32")
    assert whole_graph(restore(folder, ())).inputs == ("image", "text_features")


@pytest.mark.slow
@pytest.mark.parametrize(
    "overrides", [(*TIMM, *BERT, "image.size=32"), TFIDF, (*TIMM, *BERT, "fusion=late")]
)
def test_both_files_compute_what_torch_does(tmp_path: Path, overrides: tuple[str, ...]) -> None:
    folder, _, _ = written(tmp_path, *overrides)
    restored = restore(folder, ())
    distances = onnx_export.export_onnx(restored, tmp_path / "out", "0123")
    assert [path.name for path in distances] == ["head.onnx", "model.onnx"]
    for path, graph in zip(distances, (head_graph(restored), whole_graph(restored)), strict=True):
        for count in (1, 3, 7):
            inputs = graph.example(count)
            with torch.inference_mode():
                logits, probabilities = graph.module(*inputs)
            named = {
                name: tensor.numpy() for name, tensor in zip(graph.inputs, inputs, strict=True)
            }
            outputs = session(path).run(["logits", "probabilities"], named)
            assert np.abs(outputs[0] - logits.numpy()).max() <= 1e-4
            assert np.abs(outputs[1] - probabilities.numpy()).max() <= 1e-4
        messages = {
            metadata_prop.key: metadata_prop.value
            for metadata_prop in onnx.load(path).metadata_props
        }
        assert json.loads(messages["mmclf.label_names"]) == ["cat", "dog"]
        assert json.loads(messages["mmclf.thresholds"]) == [0.25, 1 / 3]
        assert json.loads(messages["mmclf.run_id"]) == "0123"


def small(tmp_path: Path) -> RestoredModel:
    folder, _, _ = written(tmp_path, *TFIDF, "head.hidden=null")
    return restore(folder, ())


class Doubled(nn.Module):
    """A module whose result changes from call to call, as no file's does."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module, self.calls = module, 0

    def forward(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        self.calls += 1
        logits, probabilities = self.module(*inputs)
        return logits * self.calls, probabilities


@pytest.mark.slow
def test_a_file_that_differs_is_not_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import dataclasses

    graph = head_graph(small(tmp_path))
    changing = dataclasses.replace(graph, module=Doubled(graph.module))
    monkeypatch.setattr(onnx_export, "head_graph", lambda _: changing)
    with pytest.raises(InputError) as raised:
        onnx_export.export_onnx(small(tmp_path / "again"), tmp_path / "out", "0123")
    assert "head.onnx" in str(raised.value)
    assert not (tmp_path / "out" / "head.onnx").exists()


@pytest.mark.parametrize("library", ["onnx", "onnxruntime", "onnxscript"])
def test_a_library_that_is_missing_is_named_with_its_extra(
    library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(InputError) as raised:
        onnx_export.check_installed()
    assert library in str(raised.value)
    assert "mmclf[onnx]" in str(raised.value)
