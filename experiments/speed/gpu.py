"""Figures on a GPU: EfficientNetV2-S with BERT on generated samples, trained and frozen."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Collection, Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from figures import GENERATED
from measuring import tell
from results import Row, row
from workspace import SIZE, Workspace

from mmclf import compose
from mmclf.config.schema import Config
from mmclf.config.targets import build
from mmclf.data.decoded_images import DecodedImages
from mmclf.data.images import Pictures
from mmclf.data.samples import Samples
from mmclf.data.split import stored_split
from mmclf.pipeline.evaluation import epoch_scores
from mmclf.pipeline.fit_result import SplitOutputs
from mmclf.pipeline.run_data import RunData
from mmclf.pipeline.stage_runner import deterministic, prepared
from mmclf.pipeline.stages import Planner
from mmclf.storage.store.entry import Stage, StageTiming
from mmclf.storage.store.file_hasher import FileHasher
from mmclf.storage.store.store import Store
from mmclf.training.device import device_name, pick_device

FIGURES = ("gpu_trainable", "gpu_frozen")
LABELS, LABEL_RATE, WORDS_A_CAPTION = 18, 0.15, (6, 16)
WARM_UP_BATCHES = 4
WORDS = ("a", "the", "man", "woman", "dog", "cat", "bus", "on", "near", "red", "street", "rides")
MODEL = (
    "vision=efficientnet_v2_s",
    "vision.weights=random",
    "text=bert",
    "text.weights=random",
    "split=random",
)
TRAINED = ("vision.trainable=true", "text.trainable=true", "trainer.precision=bf16")
SMI = ("nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "-lms", "200")


def measure(work: Workspace, wanted: Collection[str]) -> Iterator[Row]:
    """The wanted figures, if there is a GPU."""
    if not torch.cuda.is_available():
        tell("no GPU is there: its figures are left out")
        return
    pictures = _generated(work.fresh() / "pictures.npy", work.sizes.gpu_samples)
    for figure in FIGURES:
        if figure in wanted:
            yield measured(work, figure, pictures, torch.device("cuda"))


def measured(work: Workspace, figure: str, pictures: Pictures, device: torch.device) -> Row:
    """One figure, after a pass over a few of the pictures that is thrown away."""
    sizes = work.sizes
    settings = [*MODEL, *(TRAINED if figure == "gpu_trainable" else ())]
    settings += [f"{name}.batch_size={sizes.gpu_batch}" for name in ("encode", "trainer")]
    _computed(work, [*settings, "trainer.epochs=1"], pictures[: WARM_UP_BATCHES * sizes.gpu_batch])
    busy = Busy(device)
    seconds, timings = _computed(work, [*settings, f"trainer.epochs={sizes.gpu_epochs}"], pictures)
    told = ", ".join(f"{timing.stage} {timing.seconds:.1f} s" for timing in timings)
    lead = "fit" if figure == "gpu_trainable" else "vision"
    (images,) = (timing for timing in timings if timing.stage == lead)
    return row(
        figure,
        GENERATED,
        [seconds],
        ours=f"{images.count / images.seconds:.0f} images/s",
        theirs="",
        note=f"{len(pictures)} samples, {sizes.gpu_epochs} epochs. Of it {told}. Device busy: "
        f"{busy.share()}.",
        ran_on=device_name(device),
    )


def _computed(
    work: Workspace, overrides: Collection[str], pictures: Pictures
) -> tuple[float, list[StageTiming]]:
    """The seconds of a run's computation with an empty store, and what its stages cost."""
    folder = work.fresh()
    config = compose([*overrides, f"output_dir={folder}"]).config
    device = pick_device(config.device)
    store = Store(folder / "store", device_name(device))
    material = _material(config, pictures, store)
    sums = FileHasher(store.folder / "sums")
    planner = Planner(config, material, sums, device_name(device))

    def on_epoch(number: int, train: SplitOutputs, val: SplitOutputs) -> None:
        epoch_scores(material, train, val)
        tell(f"epoch {number}")

    with deterministic(config.seed, device):
        started = time.perf_counter()
        found = prepared(config, material, planner, store, device).outcome(on_epoch)
        seconds = time.perf_counter() - started
    return seconds, [
        timing for timing in found.timings if timing.stage in ("fit", "vision", "text")
    ]


def _material(config: Config, pictures: Pictures, store: Store) -> RunData:
    """Samples of the pictures with captions and labels drawn at random."""
    count = len(pictures)
    rng = np.random.default_rng(0)
    labels = (rng.random((count, LABELS)) < LABEL_RATE).astype(np.uint8)
    names = tuple(map(str, range(LABELS)))
    samples = Samples(
        ids=tuple(map(str, range(count))),
        images=tuple(Path(f"{number}.jpg") for number in range(count)),
        captions=tuple(
            " ".join(rng.choice(WORDS, rng.integers(*WORDS_A_CAPTION))) for _ in range(count)
        ),
        labels=labels,
        label_ids=names,
        label_names=names,
        own_val=np.zeros(count, dtype=bool),
        own_test=np.zeros(count, dtype=bool),
    )
    drawn = stored_split(samples, store, seed=config.seed, **asdict(config.split))
    stage = Stage("pictures", 0, {"generated": count})
    timing = StageTiming(stage.name, stage.key, 0.0, count, "", None)
    gallery = DecodedImages(stage, {}, timing, lambda: pictures)
    return RunData(samples, drawn.value, gallery, build(config.threshold, "threshold"), ())


def _generated(file: Path, count: int) -> Pictures:
    """Random pictures as an array on disk, memory-mapped as decoded ones are."""
    shape = (count, SIZE, SIZE, 3)
    pictures: Pictures = np.lib.format.open_memmap(file, mode="w+", dtype=np.uint8, shape=shape)
    rng = np.random.default_rng(0)
    for row_number in range(count):
        pictures[row_number] = rng.integers(0, 256, shape[1:], dtype=np.uint8)
    return pictures


class Busy:
    """The share of time that a device is busy from now on, as nvidia-smi samples it."""

    def __init__(self, device: torch.device) -> None:
        self._process: subprocess.Popen[str] | None = None
        if device.type == "cuda":
            name = f"GPU-{torch.cuda.get_device_properties(device).uuid}"
            self._process = subprocess.Popen(  # noqa: S603
                [*SMI, "-i", name], stdout=subprocess.PIPE, text=True
            )

    def share(self) -> str:
        """The mean until now in words; it is no longer sampled."""
        if self._process is None:
            return "not sampled"
        self._process.terminate()
        out, _ = self._process.communicate()
        sampled = [int(line) for line in out.split() if line.isdigit()]
        return f"{sum(sampled) / len(sampled):.0f} % of the time" if sampled else "not sampled"
