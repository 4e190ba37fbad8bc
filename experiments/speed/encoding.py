"""Figures of encoding images: from the decoded array, from files, and against plain timm."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from data_sets import DataSet, evenly
from encoders import CPU, Chosen, vision_encoder, vision_precision
from measuring import Side, alternate, in_seconds, middle, rate, ratios, timed
from numpy.typing import NDArray
from plain_timm import plain_side
from processes import Peer
from results import Row, row
from torch import Tensor
from workspace import SIZE, Workspace, decode_into

from mmclf import compose
from mmclf.data.augment import augment_view
from mmclf.data.images import Pictures, read_image
from mmclf.pipeline.stage_runner import PROBED, deterministic
from mmclf.training.encode import encode_images, standardise
from mmclf.training.precision import autocast

FIGURES = (
    "encode_array_lite0",
    "encode_array_mobilenet_v3",
    "encode_files_lite0",
    "encode_plain_lite0",
    "encode_plain_mobilenet_v3",
)
BATCH = compose().config.encode.batch_size
CLEAN = partial(augment_view, view=0, padding=0, horizontal_flip=0.0, vertical_flip=0.0, seed=0)
READ_ALONE = 200  # files, to learn what decoding costs one core


@dataclass(frozen=True)
class Case:
    """An encoder, as a run has it, and the images that it is measured on."""

    encoder: Any
    name: str
    chosen: Chosen
    data: DataSet
    pictures: Pictures
    rows: NDArray[np.int64]
    work: Workspace

    @property
    def paths(self) -> list[Path]:
        """The files of the images."""
        return [self.data.paths[i] for i in self.rows]

    def title(self, figure: str) -> str:
        """What is told of a figure while it is measured."""
        return f"{figure}, {self.data.name}"

    @property
    def about(self) -> str:
        """What there is to know of the measured work."""
        chosen = self.chosen
        images = f"{len(self.rows)} of {len(self.pictures)} images"
        return f"{images} in {chosen.precision} ({chosen.why}, of a batch of {PROBED})"

    def rate(self, seconds: Sequence[float]) -> str:
        """The median rate in words."""
        return rate(len(self.rows), seconds, "images")


def measure(work: Workspace, data: DataSet, wanted: Collection[str]) -> Iterator[Row]:
    """The wanted figures on one data set."""
    for name in ("lite0", "mobilenet_v3"):
        names = {figure for figure in FIGURES if figure.endswith(name)} & set(wanted)
        if not names:
            continue
        case = _case(work, data, name)
        if f"encode_array_{name}" in names:
            yield from_array(case)
        if f"encode_files_{name}" in names:
            yield from_files(case)
        if f"encode_plain_{name}" in names:
            yield over_plain(case)


def _case(work: Workspace, data: DataSet, name: str) -> Case:
    encoder = vision_encoder(name).to(memory_format=torch.channels_last)
    pictures = work.pictures(data)
    rows = evenly(len(pictures), work.sizes.images)
    chosen = vision_precision(encoder, pictures, rows)
    return Case(encoder, name, chosen, data, pictures, rows, work)


def from_array(case: Case) -> Row:
    """Encoding from the decoded array over the encoder alone."""
    figure = f"encode_array_{case.name}"
    sides = {
        "ours": partial(_encoded, case, case.pictures, case.rows),
        "encoder alone": partial(_alone, case, _standardised(case)),
    }
    seconds = alternate(case.title(figure), sides, case.work.sizes.pairs)
    ours, alone = seconds.values()
    return row(
        figure,
        case.data.name,
        ratios(alone, ours),
        ours=case.rate(ours),
        theirs=case.rate(alone),
        note=f"{case.about}.",
    )


def from_files(case: Case) -> Row:
    """Decoding files for the first time and encoding them over the encoder alone."""
    figure = f"encode_files_{case.name}"
    decoding: list[float] = []
    sides = {
        "ours": partial(_decoded_and_encoded, case, decoding),
        "encoder alone": partial(_alone, case, _standardised(case)),
    }
    seconds = alternate(case.title(figure), sides, case.work.sizes.pairs)
    ours, alone = seconds.values()
    one_core = _decoding_of_one_core(case)
    cores = os.cpu_count() or 1  # as many threads decode
    bound = middle(alone) / (middle(alone) + one_core / cores)
    return row(
        figure,
        case.data.name,
        ratios(alone, ours),
        ours=case.rate(ours),
        theirs=case.rate(alone),
        note=f"{case.about}; of {in_seconds(ours)} decoding took {in_seconds(decoding[1:])}. "
        f"One core decodes and resizes these files in {one_core:.2f} s, {cores} cores at best in "
        f"{one_core / cores:.2f} s, and the encoder alone takes {in_seconds(alone)}: "
        f"the bound is {bound:.2f}.",
    )


def over_plain(case: Case) -> Row:
    """Encoding from the decoded array over timm as it is mostly used."""
    figure = f"encode_plain_{case.name}"
    make = partial(Peer, plain_side, case.name, case.paths, BATCH)
    with make() as plain, make(keep_memory=True) as kept:
        sides: dict[str, Side] = {
            "ours": partial(_encoded, case, case.pictures, case.rows),
            "plain timm": plain,
            "plain timm, memory kept": kept,
            "ours from files": partial(_decoded_and_encoded, case, []),
        }
        seconds = alternate(case.title(figure), sides, case.work.sizes.pairs)
    ours, theirs, with_memory, from_files = seconds.values()
    return row(
        figure,
        case.data.name,
        ratios(theirs, ours),
        ours=case.rate(ours),
        theirs=case.rate(theirs),
        note=f"{case.about}. Over the baseline with mmclf's setting of the C library "
        f"({case.rate(with_memory)}): {middle(ratios(with_memory, ours)):.2f}. With decoding "
        f"included ({case.rate(from_files)}): {middle(ratios(theirs, from_files)):.2f}, over the "
        f"baseline with that setting {middle(ratios(with_memory, from_files)):.2f}.",
    )


def _standardised(case: Case) -> Tensor:
    """The pictures as the encoder takes them, in memory: (N, 3, H, W), channels_last."""
    return standardise(case.encoder, torch.from_numpy(case.pictures[case.rows]))


def _encoded(case: Case, pictures: Pictures, rows: NDArray[np.int64]) -> float:
    with deterministic(0, CPU):
        return timed(
            lambda: encode_images(
                case.encoder,
                pictures,
                rows,
                make_view=CLEAN,
                batch_size=BATCH,
                precision=case.chosen.precision,
                device=CPU,
                advance=lambda _: None,
            )
        )


@torch.inference_mode()
def _alone(case: Case, pictures: Tensor) -> float:
    started = time.perf_counter()
    with autocast(case.chosen.precision, CPU):
        for batch in torch.split(pictures, BATCH):
            case.encoder(batch)
    return time.perf_counter() - started


def _decoded_and_encoded(case: Case, decoding: list[float]) -> float:
    """The seconds of both together; those of decoding are added to `decoding`."""
    folder = case.work.fresh()
    try:
        started = time.perf_counter()
        pictures = decode_into(folder, case.paths).pictures
        decoding.append(time.perf_counter() - started)
        return decoding[-1] + _encoded(case, pictures, np.arange(len(pictures)))
    finally:
        shutil.rmtree(folder)


def _decoding_of_one_core(case: Case) -> float:
    """The seconds that one thread would take to decode and resize all files, by some of them."""
    paths = case.paths[:: max(1, len(case.paths) // READ_ALONE)]
    seconds = [timed(lambda: [read_image(path, SIZE) for path in paths]) for _ in range(4)]
    return middle(seconds[1:]) * len(case.paths) / len(paths)
