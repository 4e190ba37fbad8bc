"""Files of ONNX from a restored model, checked against torch before they are left."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from mmclf.errors import InputError
from mmclf.pipeline.predict.onnx_graphs import Graph, head_graph, whole_graph
from mmclf.pipeline.predict.restore import RestoredModel

TOLERANCE = 1e-4
OPSET = 18
OUTPUTS = ("logits", "probabilities")
CHECKED = (1, 2, 5)  # sizes of batches, of which the exporter sees one
EXAMPLE = 2


def export_onnx(restored: RestoredModel, folder: Path, run_id: str) -> dict[Path, float]:
    """Write `head.onnx` and `model.onnx` to `folder`; gives how far each is from torch at most.

    Both take batches of any size, and hold labels, thresholds and the image's size as metadata.
    Raises InputError if onnx, onnxscript or onnxruntime is not installed, a part of the model
    cannot be exported, or a file computes something else than torch does.

    Args:
        restored: the model, on the CPU.
        folder: is made if need be; files of these names are replaced.
        run_id: of its run.

    """
    check_installed()
    folder.mkdir(parents=True, exist_ok=True)
    graphs = {"head.onnx": head_graph(restored), "model.onnx": whole_graph(restored)}
    metadata = _metadata(restored, run_id)
    return {
        folder / name: _export(graph, folder / name, metadata) for name, graph in graphs.items()
    }


def check_installed() -> None:
    """Raise InputError unless all that an export needs is installed."""
    try:
        import onnx
        import onnxruntime
        import onnxscript
    except ImportError as error:
        raise InputError(
            f"--format onnx: {error.name} is not installed: pip install 'mmclf[onnx]'"
        ) from error
    del onnx, onnxruntime, onnxscript


def _export(graph: Graph, path: Path, metadata: Mapping[str, str]) -> float:
    """Write a graph by the first exporter whose file computes what torch does; the distance."""
    # By tracing it takes a tenth of the time; what a trace cannot express the other may.
    for exporter in (_trace, _program):
        try:
            path.unlink(missing_ok=True)
            with _quiet(), torch.inference_mode(False), torch.no_grad():
                exporter(graph, path)
            _write_metadata(path, metadata)
            return _checked(graph, path)
        except InputError as error:
            problem, cause = str(error), error.__cause__
        # Exporters raise all kinds of errors for what they cannot express.
        except Exception as error:
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            reason, cause = (lines or [type(error).__name__])[0][:200], error
            problem = (
                f"{path.name}: torch cannot express the model in ONNX ({reason}): head.onnx holds "
                "what was trained on features of frozen encoders"
            )
    path.unlink(missing_ok=True)
    raise InputError(problem) from cause


def _trace(graph: Graph, path: Path) -> None:
    """Write what one pass computes (TorchScript)."""
    example = graph.example(EXAMPLE)
    free = zip(graph.inputs, _free_dimensions(example), strict=True)
    torch.onnx.export(
        graph.module,
        example,
        str(path),
        input_names=list(graph.inputs),
        output_names=list(OUTPUTS),
        dynamic_axes={**dict(free), **{name: {0: "batch"} for name in OUTPUTS}},
        opset_version=OPSET,
        dynamo=False,
    )


def _program(graph: Graph, path: Path) -> None:
    """Write what the code computes, as torch's compiler reads it."""
    example = graph.example(EXAMPLE)
    dimensions = {name: torch.export.Dim(name) for name in ("batch", "tokens")}
    shapes = tuple(
        {axis: dimensions[name] for axis, name in free.items()}
        for free in _free_dimensions(example)
    )
    program = torch.onnx.export(
        graph.module,
        example,
        input_names=graph.inputs,
        output_names=OUTPUTS,
        dynamic_shapes=(shapes,),
        opset_version=OPSET,
        dynamo=True,
        verbose=False,
    )
    assert program is not None
    program.save(str(path))


def _free_dimensions(example: Sequence[torch.Tensor]) -> list[dict[int, str]]:
    """The dimensions of the inputs that may have any size: samples, and tokens of captions."""
    return [
        {0: "batch"}
        | ({1: "tokens"} if tensor.ndim == 2 and not tensor.is_floating_point() else {})
        for tensor in example
    ]


def _write_metadata(path: Path, metadata: Mapping[str, str]) -> None:
    import onnx

    model = onnx.load(str(path))
    onnx.helper.set_model_props(model, dict(metadata))
    onnx.save(model, str(path))


def _checked(graph: Graph, path: Path) -> float:
    """The largest difference to torch; raises InputError, and removes the file, if it is large."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    wanted = [value.name for value in session.get_inputs()]
    worst = 0.0
    for count in CHECKED:
        inputs = graph.example(count)
        with torch.inference_mode():
            expected = graph.module(*inputs)
        named = dict(zip(graph.inputs, inputs, strict=True))
        computed = session.run(list(OUTPUTS), {name: named[name].numpy() for name in wanted})
        for of_torch, of_onnx in zip(expected, computed, strict=True):
            worst = max(worst, float(np.abs(of_torch.numpy() - of_onnx).max()))
    if not worst <= TOLERANCE:
        path.unlink()
        raise InputError(
            f"{path.name}: onnxruntime is {worst:.2g} from torch, expected at most {TOLERANCE:g}: "
            "the file is removed; other versions of torch or onnxruntime may do"
        )
    return worst


def _metadata(restored: RestoredModel, run_id: str) -> dict[str, str]:
    record = restored.record
    values = {
        "run_id": run_id,
        "label_names": record.label_names,
        "label_ids": record.label_ids,
        "thresholds": record.thresholds,
        "empty": record.empty,
        "image_size": record.image.pixels if "vision" in record.encoders else None,
        "image_crop": record.image.crop,
    }
    return {f"mmclf.{key}": json.dumps(value) for key, value in values.items()}


@contextmanager
def _quiet() -> Iterator[None]:
    """Suppress the exporter's warnings, which are about its own insides."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
