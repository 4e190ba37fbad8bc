"""Figures on a GPU: EfficientNetV2-S with BERT trained and frozen, heads, encoding, bf16."""

from __future__ import annotations

import itertools
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import mkdtemp

import gpu_case
import gpu_plain
import torch
from figures import GENERATED
from gpu_case import Scores, TimedRun
from gpu_data import Data, learnable_data, random_data
from gpu_watch import Busy, forget_peak, peak
from measuring import Side, alternate, middle, rate, ratios, tell, timed
from results import Row, row
from sizes import GpuSizes

from mmclf.training.device import device_name

SAMPLES, EPOCHS, HEADS = 25_000, 10, 24  # what figures are reported for, whatever part is measured
VISION = ("vision=efficientnet_v2_s", "vision.weights=random")
TEXT = ("text=bert", "text.weights=random", "+text.architecture.vocab_size=30522")
TRAINED = ("vision.trainable=true", "text.trainable=true", "trainer.precision=bf16")
WIDTHS = {"vision": 1280, "text": 768}  # of their features
SWEEP = tuple(
    (f"loss={loss}", f"head.dropout={dropout}", f"seed={seed}")
    for loss, dropout, seed in itertools.product(
        ("bce", "weighted_bce", "focal", "asymmetric"), (0.0, 0.2, 0.5), (0, 1)
    )
)
PLAIN = {"efficientnet_v2_s": "tf_efficientnetv2_s", "resnet50": "resnet50"}
SMALL_BERT = (
    "text=bert",
    "text.weights=random",
    "+text.architecture.hidden_size=128",
    "+text.architecture.num_hidden_layers=2",
    "+text.architecture.num_attention_heads=2",
    "+text.architecture.intermediate_size=512",
)


@dataclass
class Bench:
    """What all figures share: the device, the sizes, a folder, the generated samples."""

    device: torch.device
    sizes: GpuSizes
    folder: Path
    seconds_left: Callable[[], float]  # until the script is to be done

    @cached_property
    def data(self) -> Data:
        """As many samples as figures are reported for, or fewer to try the script."""
        tell("generating samples")
        return random_data(self.folder / "pictures.npy", self.sizes.samples, self.sizes.picture)

    def fresh(self) -> Path:
        """A new empty folder."""
        return Path(mkdtemp(dir=self.folder))

    def row(self, figure: str, values: list[float], ours: str, theirs: str, note: str) -> Row:
        """A row of this device."""
        return row(
            figure,
            GENERATED,
            values,
            ours=ours,
            theirs=theirs,
            note=note,
            ran_on=device_name(self.device),
        )


def encode_images(bench: Bench, figure: str, name: str) -> Row:
    """The rate of encoding pictures over timm by hand, in fp32 and under bf16 autocast."""
    device, size = bench.device, bench.sizes.batch
    data = bench.data.first(bench.sizes.encoded)
    encoder = gpu_case.vision_encoder(
        [f"vision={name}", "vision.weights=random", *bench.sizes.smaller_vision]
    )
    gain = gpu_case.vision_precision(encoder, data, device)
    chosen = gpu_case.chosen_precision(gain)
    plain = gpu_plain.timm_model(PLAIN[name], device)

    def by_hand(bf16: bool) -> Side:
        return lambda: timed(
            lambda: gpu_plain.image_features(plain, data.pictures, size, device, bf16=bf16)
        )

    sides = {
        "mmclf": lambda: timed(
            lambda: gpu_case.encoded_images(encoder, data, chosen, size, device)
        ),
        "fp32 by hand": by_hand(False),
        "bf16 by hand": by_hand(True),
    }
    return _encoding(bench, figure, sides, len(data.pictures), "images", gain)


def encode_captions(bench: Bench, figure: str) -> Row:
    """The rate of encoding captions over transformers by hand."""
    device, size = bench.device, bench.sizes.batch
    data = bench.data.first(bench.sizes.encoded)
    encoder = gpu_case.text_encoder([*TEXT, *bench.sizes.smaller_text], data.captions)
    gain = gpu_case.text_precision(encoder, data, device)
    chosen = gpu_case.chosen_precision(gain)

    def by_hand(bf16: bool) -> Side:
        return lambda: timed(
            lambda: gpu_plain.caption_features(
                encoder.model, encoder.tokenizer, data.captions, size, device, bf16=bf16
            )
        )

    sides = {
        "mmclf": lambda: timed(
            lambda: gpu_case.encoded_captions(encoder, data, chosen, size, device)
        ),
        "fp32 by hand": by_hand(False),
        "bf16 by hand": by_hand(True),
    }
    return _encoding(bench, figure, sides, len(data.captions), "captions", gain)


def _encoding(
    bench: Bench,
    figure: str,
    sides: Mapping[str, Side],
    count: int,
    what: str,
    gain: gpu_case.PrecisionGain,
) -> Row:
    seconds = alternate(figure, sides, bench.sizes.rounds)
    ours, plain, rough = seconds.values()
    by_hand = ratios(rough, ours)
    return bench.row(
        figure,
        ratios(plain, ours),
        rate(count, ours, what),
        rate(count, plain, what),
        f"{count} {what} in batches of {bench.sizes.batch}, ours in "
        f"{gpu_case.chosen_precision(gain)} (bf16 was {gain['gain']} times as fast as "
        f"fp32 when measured, the least cosine {gain['cosine']}). Under bf16 autocast by "
        f"hand {rate(count, rough, what)}: ours over it {middle(by_hand):.2f} ({min(by_hand):.2f} "
        f"to {max(by_hand):.2f}).",
    )


def trainable(bench: Bench, figure: str) -> Row:
    """Both encoders trained end to end, extrapolated to all `SAMPLES` and `EPOCHS`."""
    sizes, device = bench.sizes, bench.device
    data = bench.data.first(sizes.trained)
    settings = [*VISION, *TEXT, *sizes.smaller_vision, *sizes.smaller_text, *TRAINED]
    settings += [f"{name}.batch_size={sizes.batch}" for name in ("encode", "trainer")]
    watch: list[Busy] = []
    forget_peak(device)

    def on_epoch(number: int) -> None:
        tell(f"epoch {number}")
        if number == 1:
            watch.append(Busy(device))

    ran = gpu_case.run_stages(
        [*settings, f"trainer.epochs={sizes.epochs}"], data, bench.fresh(), device, on_epoch
    )
    phases, scale = ran.phases, SAMPLES / data.train
    steps, evaluated = phases.steps[1:], len(data.captions) - data.val  # train and val
    evaluations = [sum(phases.evaluations[i : i + 2]) for i in range(2, 2 * sizes.epochs, 2)]
    fixed = ran.seconds - sum(ran.epochs[1:]) - middle(ran.epochs[1:])
    return bench.row(
        figure,
        [fixed + EPOCHS * scale * epoch for epoch in ran.epochs[1:]],
        f"{data.train / middle(steps):.0f} images/s trained, "
        f"{evaluated / middle(evaluations):.0f} images/s evaluated",
        "",
        f"Extrapolated from {len(steps)} epochs of {data.train} samples after a first one, with "
        f"{data.val} to validate and to test. An epoch: steps {_in_s(steps)}, evaluations "
        f"{_in_s(evaluations)}, scores {_in_s(phases.scoring[1:])}; all else once "
        f"{fixed:.1f} s (before the first step {ran.before:.1f} s, after the last epoch "
        f"{ran.after:.1f} s, the rest in the first epoch). Device busy {watch[0].share()} of the "
        f"time, peak memory {peak(device)}.",
    )


def frozen(bench: Bench, figure: str) -> Row:
    """Both encoders frozen: each sample encoded once, the head fitted."""
    sizes, device, data = bench.sizes, bench.device, bench.data
    settings = [
        *VISION,
        *TEXT,
        *sizes.smaller_vision,
        *sizes.smaller_text,
        f"trainer.epochs={EPOCHS}",
    ]
    settings += [f"{name}.batch_size={sizes.batch}" for name in ("encode", "trainer")]
    gpu_case.run_stages(settings, data.first(2 * sizes.batch), bench.fresh(), device)
    watch = Busy(device)
    runs = [_reported(gpu_case.run_stages(settings, data, bench.fresh(), device), figure)]
    while len(runs) < sizes.rounds - 1 and bench.seconds_left() > 2 * runs[0].seconds:
        runs.append(_reported(gpu_case.run_stages(settings, data, bench.fresh(), device), figure))
    timings = {timing.stage: timing for timing in runs[-1].timings}
    scale = SAMPLES / data.train
    parts = ", ".join(f"{stage} {timing.seconds:.1f} s" for stage, timing in timings.items())
    vision = timings["vision"]
    return bench.row(
        figure,
        [scale * ran.seconds for ran in runs],
        f"{vision.count / vision.seconds:.0f} images/s encoded",
        "",
        f"{data.train} samples that train and {len(data.captions)} encoded, {EPOCHS} epochs. "
        f"Of the last run {parts}; {_phases(runs[-1])}. Device busy {watch.share()} of the time.",
    )


def heads(bench: Bench, figure: str, batch_size: int) -> Row:
    """A sweep of heads on features, one after the other, each epoch evaluated and scored."""
    data, device = bench.data, bench.device
    generator = torch.Generator().manual_seed(0)
    features = {
        name: [torch.randn(len(data.captions), width, generator=generator)]
        for name, width in WIDTHS.items()
    }
    common = [*VISION, *TEXT, f"trainer.batch_size={batch_size}"]
    gpu_case.run_fit([*common, "trainer.epochs=1"], data, features, device)
    allowed = bench.seconds_left() - bench.sizes.heads_s
    runs: list[TimedRun] = []
    for own in SWEEP:
        settings = [*common, f"trainer.epochs={bench.sizes.head_epochs}", *own]
        runs.append(_reported(gpu_case.run_fit(settings, data, features, device), figure))
        if bench.seconds_left() < allowed:
            break
    seconds = [ran.seconds for ran in runs]
    scale = HEADS * (EPOCHS / bench.sizes.head_epochs) * (SAMPLES / data.train)
    return bench.row(
        figure,
        [scale * second for second in seconds],
        f"{middle(seconds):.2f} s a head",
        "",
        f"{len(runs)} of {HEADS} heads measured, {bench.sizes.head_epochs} epochs of {data.train} "
        f"samples; each value is a head's time, {HEADS} times. The last head: {_phases(runs[-1])}.",
    )


def bf16(bench: Bench, figure: str) -> Row:
    """The scores of a task that can be learnt, trained in bf16 and in fp32."""
    data = learnable_data(bench.sizes.learnt, bench.sizes.picture)
    common = ["vision=resnet18", "vision.weights=random", *SMALL_BERT, *TRAINED[:2]]
    common += ["vision.lr=1e-3", "text.lr=3e-4", f"encode.batch_size={bench.sizes.batch}"]
    common += ["trainer.batch_size=128", f"trainer.epochs={bench.sizes.learnt_epochs}"]
    by_precision: dict[str, list[Scores]] = {"bf16": [], "fp32": []}
    for seed in range(bench.sizes.rounds):
        for name, scores in by_precision.items():
            settings = [*common, f"trainer.precision={name}", f"seed={seed}"]
            ran = _reported(gpu_case.run_fit(settings, data, {}, bench.device), f"{figure}, {name}")
            scores.append(ran.scores)
    pairs = list(zip(by_precision["bf16"], by_precision["fp32"], strict=True))
    return bench.row(
        figure,
        [100 * (ours["val/map"] - theirs["val/map"]) for ours, theirs in pairs],
        _scores(by_precision["bf16"]),
        _scores(by_precision["fp32"]),
        f"ResNet-18 with a BERT of 2 layers from random weights, {bench.sizes.learnt_epochs} "
        f"epochs of {data.train} generated samples, {data.val} to validate; the differences of the "
        f"seeds in loss: {_differences(pairs, 'val/loss')}; in samples-F1: "
        f"{_differences(pairs, 'val/f1_samples')}.",
    )


FIGURES: Mapping[str, Callable[[Bench, str], Row]] = {
    "gpu_encode_v2_s": lambda bench, name: encode_images(bench, name, "efficientnet_v2_s"),
    "gpu_encode_resnet50": lambda bench, name: encode_images(bench, name, "resnet50"),
    "gpu_encode_bert": encode_captions,
    "gpu_trainable": trainable,
    "gpu_frozen": frozen,
    "gpu_heads_256": lambda bench, name: heads(bench, name, 256),
    "gpu_heads_64": lambda bench, name: heads(bench, name, 64),
    "gpu_bf16": bf16,
}


def measure(bench: Bench, wanted: Mapping[str, float]) -> Iterator[Row | None]:
    """The wanted figures, None for one that fails or that the seconds left are too few for."""
    for name, needed in wanted.items():
        left = bench.seconds_left()
        if left < needed:
            tell(f"{name} is left out: {left:.0f} s are left, it needs {needed:.0f} s")
            yield None
            continue
        try:
            yield FIGURES[name](bench, name)
        except Exception:  # the other figures are measured all the same
            traceback.print_exc()
            yield None
        if bench.device.type == "cuda":
            torch.cuda.empty_cache()


def _reported(ran: TimedRun, what: str) -> TimedRun:
    tell(f"{what}: {ran.seconds:.2f} s; {_phases(ran)}")
    return ran


def _phases(ran: TimedRun) -> str:
    phases = ran.phases
    return (
        f"steps {sum(phases.steps):.2f} s, evaluations {sum(phases.evaluations):.2f} s, scores "
        f"{sum(phases.scoring):.2f} s"
    )


def _in_s(seconds: list[float]) -> str:
    return f"{middle(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f})"


def _scores(scores: list[Scores]) -> str:
    loss, ranked, f1 = (
        middle([score[f"val/{name}"] for score in scores]) for name in ("loss", "map", "f1_samples")
    )
    return f"loss {loss:.4f}, mAP {ranked:.4f}, samples-F1 {f1:.4f}"


def _differences(pairs: list[tuple[Scores, Scores]], key: str) -> str:
    return ", ".join(f"{ours[key] - theirs[key]:+.4f}" for ours, theirs in pairs)
