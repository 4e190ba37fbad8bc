"""An explanation as a PNG file."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence

from mmclf.pipeline.explain.explanation import Explanation
from mmclf.plots.attributions import LabelRow, Words, attributions_figure

DOTS_PER_INCH = 120


def explanation_png(title: str, names: Sequence[str], explanation: Explanation) -> bytes:
    """The picture of an explanation, with the names of its K labels."""
    rows = [
        LabelRow(
            f"{name}  {explanation.probabilities[k]:.2f}",
            None if explanation.heat is None else explanation.heat[k],
            [Words(of.caption, of.spans, of.weights[:, k]) for of in explanation.captions],
            {modality: float(of[k]) for modality, of in explanation.whole.items()},
        )
        for k, name in enumerate(names)
    ]
    held = io.BytesIO()
    with warnings.catch_warnings():
        # A caption may be in letters that the font lacks: boxes stand for them.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure = attributions_figure(title, explanation.picture, rows)
        figure.savefig(held, format="png", dpi=DOTS_PER_INCH)
    return held.getvalue()
