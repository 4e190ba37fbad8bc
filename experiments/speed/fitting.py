"""The figure of fitting on features: against a hand-written loop."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import torch
from data_sets import DataSet
from fit_case import fit_case
from measuring import alternate, in_seconds, ratios
from results import Row, row
from workspace import ENCODERS, Workspace

FIGURES = ("fit",)
TOLERANCE = 1e-4


def measure(work: Workspace, data: DataSet, _wanted: Collection[str]) -> Iterator[Row]:
    """The figure on one data set."""
    folder = work.run_of(data)
    case = fit_case([*data.overrides, *ENCODERS, f"output_dir={folder}"])
    (_, ours), (_, by_hand) = case.by_mmclf(), case.by_hand()
    difference = (ours - by_hand).abs().max().item()
    if not torch.allclose(ours, by_hand, rtol=0, atol=TOLERANCE):
        raise RuntimeError(f"the hand-written fit differs by {difference:.1e}: another mathematics")
    sides = {"ours": lambda: case.by_mmclf()[0], "by hand": lambda: case.by_hand()[0]}
    seconds = alternate(f"fit, {data.name}", sides, work.sizes.pairs)
    run_data = case.data
    yield row(
        "fit",
        data.name,
        ratios(seconds["ours"], seconds["by hand"]),
        ours=in_seconds(seconds["ours"]),
        theirs=in_seconds(seconds["by hand"]),
        note=f"{len(run_data.parts.train)} samples to train, {len(run_data.parts.val)} to "
        f"validate; the test logits differ by {difference:.1e} at most.",
    )
