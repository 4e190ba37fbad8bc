"""The figures of the benchmark: what each is, what it is to reach, and how it is made."""

from __future__ import annotations

from dataclasses import dataclass

DEMO, REAL, GENERATED = "demo", "real", "generated"


@dataclass(frozen=True)
class Figure:
    """A ratio, ours over theirs unless `unit` says seconds; reached from `at_least` or `at_most`.

    `only_on`: the data that the reach is stated for, None for all.
    """

    name: str
    title: str
    how: str
    at_least: float | None = None
    at_most: float | None = None
    unit: str = ""
    only_on: str | None = None

    @property
    def reach(self) -> str:
        """The reach in words."""
        if self.at_least is not None:
            return f">= {self.at_least:.2f}{self.unit}"
        return f"<= {self.at_most:.2f}{self.unit}" if self.at_most is not None else "reported"

    def is_met(self, value: float, data: str) -> bool | None:
        """Whether a measured value reaches it; None where no reach is stated."""
        if self.only_on not in (None, data):
            return None
        if self.at_least is not None:
            return value >= self.at_least
        return value <= self.at_most if self.at_most is not None else None


ARRAY_HOW = (
    "`encode_images` on the memory-mapped uint8 array (clean view), within the settings of a run, "
    "over the encoder alone on the same pictures as one standardised float tensor in memory; "
    "the same batches, precision and `channels_last`. Evenly spaced images of the data, see below."
)
PLAIN_HOW = (
    "The encode step from the decoded array, over timm's model in fp32 and NCHW that a torch "
    "`DataLoader` feeds (2 workers; Pillow, torchvision's Resize, ToTensor and Normalize on each "
    "JPEG file). The baseline has a process of its own, which waits while ours is timed, as "
    "mmclf's setting of the C library (freed memory is kept) holds for a process; the notes give "
    "the ratio to a baseline with that setting as well, and ours with decoding included."
)
TRAIN_HOW = (
    "One epoch of `Learner` over one of the Hugging Face `Trainer` (its own `train_runtime`), "
    "evaluation apart: the same encoders, head, rows of the decoded array, captions and batch "
    "size. There items are standardised and tokenised one by one, captions padded by batch, AdamW "
    "and all else at its defaults. The baseline has a process of its own, without mmclf's setting "
    "of the C library; the notes give the ratio to one with it."
)

CPU = (
    Figure(
        "encode_array_lite0",
        "encoding rate from the decoded array / the encoder's own on a tensor in memory, lite0",
        ARRAY_HOW,
        at_least=0.90,
    ),
    Figure(
        "encode_array_mobilenet_v3",
        "the same, mobilenet_v3",
        "As for lite0, with random weights.",
        at_least=0.90,
    ),
    Figure(
        "encode_files_lite0",
        "encoding rate from JPEG files, the first time / the encoder's own, lite0",
        "`decode_images` into a fresh store (hashing the files, decoding, writing, syncing and "
        "hashing the array) and `encode_images` from it, over the encoder alone on a tensor in "
        "memory. The encoder keeps all cores busy, so decoding, at best divided among them, comes "
        "on top of it: that is the bound in the notes.",
        at_least=0.85,
    ),
    Figure(
        "encode_plain_lite0",
        "encoding rate / plain timm in fp32, NCHW, with a PIL loader of 2 workers, lite0",
        PLAIN_HOW,
        at_least=2.0,
    ),
    Figure(
        "encode_plain_mobilenet_v3",
        "the same, mobilenet_v3",
        "As for lite0, with random weights.",
        at_least=2.0,
    ),
    Figure(
        "captions",
        "captions a second / padding everything to the longest in fp32, MiniLM",
        "`encode_captions` over the same encoder, batch size and process with every caption padded "
        "to the longest of all captions of the data (at most 64 tokens), in fp32; tokenising "
        "counts on both sides.",
        at_least=4.0,
    ),
    Figure(
        "predict",
        "samples predicted from files / encoded from the decoded array, lite0 and MiniLM",
        "`mmclf.load(run_id).predict(images, captions)` of a run's files, decoding, logits and the "
        "samples computed again alone included, over `encode_images` on the decoded array and "
        "`encode_captions` in the same precisions.",
        at_least=0.80,
    ),
    Figure(
        "fit",
        "fit on features, time / a hand-written loop of the same mathematics and evaluations",
        "`fit_model` over a plain torch loop with `torch.optim.Adam` at its defaults on features "
        "in memory (lite0 and MiniLM, 1664 to 512 to labels; batch 64, 10 epochs, the same "
        "batches, dropout and initialisation). On both sides train and val are evaluated and "
        "scored after every epoch by mmclf's own functions and the best weights kept; the test "
        "logits of both were found equal to 1e-4.",
        at_most=1.15,
    ),
    Figure(
        "fused_heads",
        "8 heads trained one by one / as one batched model, steps alone",
        "The head of `fit` with 8 learning rates, batch 64, the same batches for all: 8 loops with "
        "torch's fused Adam, one after the other, over one loop whose hidden layers are a single "
        "product and whose update is Adam's with a learning rate each. A launcher that fuses heads "
        "would be worth it from 3 on.",
        at_least=3.0,
    ),
    Figure(
        "train_fp32",
        "a training epoch, samples a second / the Hugging Face Trainer, lite0 and MiniLM, fp32",
        TRAIN_HOW,
        at_least=1.5,
    ),
    Figure("train_bf16", "the same, both in bf16", "As in fp32.", at_least=1.0),
    Figure(
        "warm_run",
        "a warm identical run, wall time of the command / the cold one",
        "`mmclf vision=efficientnet_lite0 text=minilm` as a process, twice, in a fresh output "
        "folder. A small cold run and a reading of all files before were thrown away.",
        at_most=0.08,
        only_on=REAL,
    ),
    Figure(
        "sweep_24",
        "a sweep of 24 runs (4 losses x 3 dropouts x 2 seeds) / 24 times one cold run",
        "`mmclf -m` in a fresh output folder, beside one cold run of the same round.",
        at_most=0.08,
    ),
    Figure(
        "further_run",
        "each further run of it / a hand-written fit with the same evaluations",
        "From the start of one run to the start of the next, in the database of the sweep, over "
        "the hand-written loop of `fit` with the run's loss, dropout and seed on the sweep's own "
        "features, timed right after it. n is the number of runs.",
        at_most=1.3,
    ),
    Figure(
        "further_run_s",
        "the same, difference",
        "The same pairs, their difference in seconds.",
        at_most=1.0,
        unit=" s",
    ),
    Figure(
        "first_seed",
        "what the first run of a process computes, in seconds / what the next seed's does, TF-IDF",
        "`mmclf -m vision=none text=tfidf seed=0,1` in a fresh output folder: `time/cold_s` of the "
        "one over that of the other. What a process pays at first use is paid before the clocks.",
        at_most=1.5,
    ),
    Figure(
        "sweep_thresholds",
        "a sweep of 6 thresholds / one cold run",
        "`mmclf -m threshold.value=0.3,0.4,0.45,0.5,0.55,0.6` in a fresh output folder, beside one "
        "cold run of the same round.",
        at_most=1.3,
    ),
    Figure(
        "memory",
        "peak anonymous memory of encoding 10,000 images / of 1,000, lite0",
        "The largest RssAnon of a fresh process, sampled every 20 ms, that decodes the files and "
        "encodes them by `decode_images` and `ImageEncoding.encode`, libraries included; files are "
        "taken anew from the first where the data has fewer.",
        at_most=1.2,
    ),
    Figure(
        "tracking_share",
        "MLflow and logging, share of a warm run's wall time",
        "Imports of mlflow and all calls of `mmclf.storage.tracking`, timed within a warm run of "
        "the command, over the wall time of its process.",
    ),
)
GPU = (
    Figure(
        "gpu_trainable",
        "25,000 samples x 10 epochs of EfficientNetV2-S with BERT, both trained, batch 256, bf16",
        "What a run computes with an empty store from generated pictures of 224 x 224 as a decoded "
        "array, captions of 13.5 tokens and random weights, with the evaluations of train and val "
        "and the scores of every epoch. Extrapolated as the notes say. The share of time that the "
        "device is busy is sampled by nvidia-smi, all epochs but the first.",
        at_most=150,
        unit=" s",
    ),
    Figure(
        "gpu_frozen",
        "the same, both frozen",
        "The same with frozen encoders: pictures and captions are encoded once and stored, and the "
        "head is fitted, 10 epochs. A small run before was thrown away.",
        at_most=60,
        unit=" s",
    ),
    Figure(
        "gpu_heads_256",
        "a sweep of 24 heads on the features of 25,000 samples (1,280 + 768), 10 epochs, batch 256",
        "`fit_model` on features, 4 losses x 3 dropouts x 2 seeds, one after the other, with the "
        "evaluations and scores of every epoch; nothing is stored or tracked.",
        unit=" s",
    ),
    Figure("gpu_heads_64", "the same, batch 64", "The same.", unit=" s"),
    Figure(
        "gpu_encode_v2_s",
        "encoding rate / plain timm in fp32 and NCHW, EfficientNetV2-S",
        "`encode_images` from the memory-mapped array in the precision that mmclf measures to be "
        "best, over timm's model by hand: batches out of the same array, standardised on the "
        "device. torch's own settings there: fp32 convolutions may take TF32.",
        at_least=1.5,
    ),
    Figure("gpu_encode_resnet50", "the same, ResNet-50", "The same.", at_least=1.5),
    Figure(
        "gpu_encode_bert",
        "captions a second / plain transformers in fp32, BERT",
        "`encode_captions` over transformers by hand: batches in the order of the data, tokenised "
        "and padded to their longest caption.",
        at_least=1.5,
    ),
    Figure(
        "gpu_bf16",
        "validation mAP of a task that can be learnt, trained in bf16 - in fp32, in points",
        "The same model, data, seeds and steps; a value for each seed.",
    ),
)
ALL = (*CPU, *GPU)
BY_NAME = {figure.name: figure for figure in ALL}
