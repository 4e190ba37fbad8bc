"""The figure of encoding captions: sorted by length, against padding all to the longest."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from typing import Any

import torch
from data_sets import DataSet, evenly
from encoders import CPU, minilm, text_precision
from encoding import BATCH
from measuring import alternate, rate, ratios, timed
from results import Row, row
from workspace import Workspace

from mmclf.pipeline.stage_runner import PROBED, deterministic
from mmclf.training.encode import encode_captions
from mmclf.training.precision import Precision

FIGURES = ("captions",)


def measure(work: Workspace, data: DataSet, _wanted: Collection[str]) -> Iterator[Row]:
    """The figure on one data set."""
    encoder = minilm()
    captions = [data.captions[i] for i in evenly(len(data.captions), work.sizes.captions)]
    chosen = text_precision(encoder, data.samples.captions)
    longest = encoder.tokenize(data.captions)["input_ids"].shape[1]
    sides = {
        "ours": partial(_sorted, encoder, captions, chosen.precision),
        "all padded": partial(_padded, encoder, captions, longest),
    }
    ours, padded = alternate(f"captions, {data.name}", sides, work.sizes.pairs).values()
    lengths = encoder.tokenize(captions)["attention_mask"].sum(dim=1).float()
    yield row(
        "captions",
        data.name,
        ratios(padded, ours),
        ours=rate(len(captions), ours, "captions"),
        theirs=rate(len(captions), padded, "captions"),
        note=f"{len(captions)} of {len(data.captions)} captions in {chosen.precision} "
        f"({chosen.why}, of a batch of {PROBED}); a caption has "
        f"{lengths.mean():.1f} tokens in the mean, the longest of all {longest}.",
    )


def _sorted(encoder: Any, captions: Sequence[str], precision: Precision) -> float:
    with deterministic(0, CPU):
        return timed(
            lambda: encode_captions(
                encoder,
                captions,
                batch_size=BATCH,
                precision=precision,
                device=CPU,
                advance=lambda _: None,
            )
        )


@torch.inference_mode()
def _padded(encoder: Any, captions: Sequence[str], longest: int) -> float:
    started = time.perf_counter()
    tokens = encoder.tokenizer(
        list(captions),
        padding="max_length",
        truncation=True,
        max_length=longest,
        return_tensors="pt",
        return_token_type_ids=False,
    )
    batches = zip(*(tokens[name].split(BATCH) for name in NAMES), strict=True)
    torch.cat([encoder(dict(zip(NAMES, batch, strict=True))) for batch in batches])
    return time.perf_counter() - started


NAMES = ("input_ids", "attention_mask")
