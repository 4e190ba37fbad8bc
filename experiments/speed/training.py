"""Figures of training encoders: an epoch against one of the Hugging Face Trainer."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import partial

import torch
from accelerate import Accelerator
from data_sets import DataSet, evenly
from encoders import CPU
from hugging_face import Given, trainer_side
from measuring import Side, alternate, middle, rate, ratios, timed
from processes import Peer
from results import Row, row
from workspace import ENCODERS, Workspace

from mmclf import compose
from mmclf.data.split import Parts
from mmclf.pipeline.encodings import ENCODINGS
from mmclf.pipeline.run_data import RunData
from mmclf.pipeline.stage_runner import deterministic
from mmclf.training.components import build_components
from mmclf.training.device import accelerator_on
from mmclf.training.fit import make_learner
from mmclf.training.fit_data import FitData

FIGURES = ("train_fp32", "train_bf16")
TRAINED = ("vision.trainable=true", "text.trainable=true")


def measure(work: Workspace, data: DataSet, wanted: Collection[str]) -> Iterator[Row]:
    """The wanted figures on one data set."""
    for figure in FIGURES:
        if figure in wanted:
            yield _measured(work, data, figure)


def _measured(work: Workspace, data: DataSet, figure: str) -> Row:
    precision = figure.removeprefix("train_")
    rows = evenly(len(data.samples), work.sizes.trained)
    given = Given(
        work.array(data),
        rows,
        [data.samples.captions[i] for i in rows],
        data.samples.labels[rows],
        precision,
        work.sizes.training_batch,
        work.fresh(),
    )
    make = partial(Peer, trainer_side, given)
    with (
        make() as theirs,
        make(keep_memory=True) as kept,
        accelerator_on(CPU, precision) as accelerator,
    ):
        sides: dict[str, Side] = {
            "ours": _ours(work, data, precision, accelerator),
            "Trainer": theirs,
            "Trainer, memory kept": kept,
        }
        seconds = alternate(f"{figure}, {data.name}", sides, work.sizes.rounds)
    ours, trainer, with_memory = seconds.values()
    return row(
        figure,
        data.name,
        ratios(trainer, ours),
        ours=rate(len(rows), ours, "samples"),
        theirs=rate(len(rows), trainer, "samples"),
        note=f"{len(rows)} samples in batches of {work.sizes.training_batch}. Over the Trainer "
        f"with mmclf's setting of the C library ({rate(len(rows), with_memory, 'samples')}): "
        f"{middle(ratios(with_memory, ours)):.2f}.",
    )


def _ours(work: Workspace, data: DataSet, precision: str, accelerator: Accelerator) -> Side:
    """What trains one further epoch by mmclf."""
    rows = evenly(len(data.samples), work.sizes.trained)
    batch = work.sizes.training_batch
    settings = [f"trainer.precision={precision}", f"trainer.batch_size={batch}"]
    config = compose([*data.overrides, *ENCODERS, *TRAINED, *settings]).config
    parts = Parts(rows, rows[:1], rows[:1])
    run_data = RunData(data.samples, parts, work.images(data), ())
    encodings = {name: ENCODINGS[name].of_run(config, run_data) for name in config.modalities}
    components = build_components(config, encodings, run_data.labels("train"), ())
    samples = data.samples
    fit_data = FitData(samples.ids, samples.labels, dict(parts.items()), {})
    training_set = fit_data.training_set(components, ["train"], CPU)
    learner = make_learner(components, fit_data, training_set, accelerator)
    generator = torch.Generator().manual_seed(config.seed)

    def epoch() -> float:
        with deterministic(config.seed, CPU):
            return timed(lambda: learner.epoch(training_set, generator, 1))

    return epoch
