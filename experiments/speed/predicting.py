"""The figure of predicting: from files to labels, against encoding the same samples."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch
from data_sets import DataSet, evenly
from encoders import CPU, minilm, vision_encoder
from encoding import BATCH, CLEAN
from measuring import alternate, rate, ratios, timed
from results import Row, row
from workspace import Workspace

import mmclf
from mmclf import compose
from mmclf.pipeline.stage_runner import deterministic
from mmclf.storage.tracking import TrackedRun, Tracker
from mmclf.training.encode import encode_captions, encode_images

FIGURES = ("predict",)


def measure(work: Workspace, data: DataSet, _wanted: Collection[str]) -> Iterator[Row]:
    """The figure on one data set, by a run on it with lite0 and MiniLM."""
    folder = work.run_of(data)
    run = _run_in(folder)
    rows = evenly(len(data.samples), work.sizes.images)
    paths = [data.samples.images[i] for i in rows]
    captions = [data.samples.captions[i] for i in rows]
    predictor = mmclf.load(run.id, output_dir=folder, device="cpu")
    vision = vision_encoder("lite0").to(memory_format=torch.channels_last)
    text, pictures = minilm(), work.pictures(data)
    precisions: dict[str, Any] = {
        name: run.tags[f"mmclf.precision.{name}"] for name in ("vision", "text")
    }

    def encode() -> None:
        settings: dict[str, Any] = {"batch_size": BATCH, "device": CPU, "advance": lambda _: None}
        with deterministic(0, CPU):
            precision = precisions["vision"]
            encode_images(vision, pictures, rows, make_view=CLEAN, precision=precision, **settings)
            encode_captions(text, captions, precision=precisions["text"], **settings)

    sides = {
        "ours": lambda: timed(partial(predictor.predict, paths, captions)),
        "encoding": lambda: timed(encode),
    }
    ours, encoded = alternate(f"predict, {data.name}", sides, work.sizes.pairs).values()
    yield row(
        "predict",
        data.name,
        ratios(encoded, ours),
        ours=rate(len(rows), ours, "samples"),
        theirs=rate(len(rows), encoded, "samples"),
        note=f"{len(rows)} of {len(data.samples)} samples, images in {precisions['vision']}, "
        f"captions in {precisions['text']}.",
    )


def _run_in(folder: Path) -> TrackedRun:
    config = compose([f"output_dir={folder}"]).config
    tracker = Tracker(config.tracking.uri, config.tracking.experiment, folder, create=False)
    return tracker.runs()[0]
