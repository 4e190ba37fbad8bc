"""The figures of a run, each drawn once: what is drawn of the same numbers is the same."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from mmclf.data.samples import Samples
from mmclf.data.split import Parts, label_shares
from mmclf.models.identity import versions
from mmclf.plots.label_shares import label_shares_figure
from mmclf.plots.learning_curves import learning_curves_figure
from mmclf.storage.stopwatch import Stopwatch
from mmclf.storage.store.entry import Entry, Stage
from mmclf.storage.store.stage_result import Computed
from mmclf.storage.store.store import Store

VERSION = 3
DOTS_PER_INCH = 160
LABEL_SHARES = "label_shares.json"
CURVES = ("train/loss", "val/loss", "train/f1_samples", "val/f1_samples")


class PictureSerializer:
    """A PNG file in the store."""

    def write(self, picture: bytes, folder: Path) -> None:
        """Write it to `folder`."""
        (folder / "picture.png").write_bytes(picture)

    def read(self, entry: Entry) -> bytes:
        """Read it back."""
        return entry.read("picture.png")


def write_figures(
    folder: Path,
    samples: Samples,
    parts: Parts,
    history: Sequence[Mapping[str, float]],
    store: Store,
) -> None:
    """`figures/`: the label shares of the split, and the learning curves of `history` by epoch.

    The shares lie there as numbers too.
    """
    target = folder / "figures"
    target.mkdir()
    shares = label_shares(samples.labels, parts)
    content = {
        "labels": list(samples.label_names),
        "shares": {part: values.tolist() for part, values in shares.items()},
    }
    text = json.dumps(content, ensure_ascii=False)
    (target / LABEL_SHARES).write_text(text, encoding="utf-8")
    curves = {key: [epoch[key] for epoch in history] for key in CURVES}

    def draw_shares() -> Figure:
        return label_shares_figure(samples.label_names, shares)

    def draw_curves() -> Figure:
        of_one_seed = {key: [list(enumerate(curve, start=1))] for key, curve in curves.items()}
        return learning_curves_figure({"": of_one_seed})

    for name, numbers, draw in (
        ("label_shares", content, draw_shares),
        ("learning_curves", curves, draw_curves),
    ):
        (target / f"{name}.png").write_bytes(stored_picture(name, numbers, draw, store))


def stored_picture(
    name: str, numbers: Mapping[str, Any], draw: Callable[[], Figure], store: Store
) -> bytes:
    """The figure `name` of some numbers as a PNG file, out of the store if it was drawn before."""
    arguments = {"figure": name, "numbers": numbers, **versions("matplotlib")}

    def drawn() -> Computed[bytes]:
        clock, held = Stopwatch(), io.BytesIO()
        draw().savefig(held, format="png", dpi=DOTS_PER_INCH)
        return Computed(held.getvalue(), clock.elapsed(), 1, ())

    return store.get_or_compute(
        Stage("figure", VERSION, arguments), PictureSerializer(), drawn
    ).value
