"""Figures as files for papers and slides."""

from __future__ import annotations

import numpy as np

from mmclf.plots.files import to_pdf, to_png
from mmclf.plots.label_scores import label_scores_figure


def test_a_pdf_has_its_letters_whole_and_is_the_same_each_time() -> None:
    figure = label_scores_figure(["cat", "狗"], {"base": np.asarray([0.5, 0.25])})
    first, second = to_pdf(figure), to_pdf(figure)
    assert first == second
    assert first.startswith(b"%PDF-")
    assert b"/Type3" not in first
    assert b"CreationDate" not in first


def test_a_png_is_the_same_each_time() -> None:
    figure = label_scores_figure(["cat"], {"base": np.asarray([0.5])})
    assert to_png(figure).startswith(b"\x89PNG")
    assert to_png(figure) == to_png(figure)
