"""A figure as the text of an SVG file."""

from __future__ import annotations

import io
import warnings

import matplotlib as mpl
from matplotlib.figure import Figure

from mmclf.plots.words import plain


def to_svg(figure: Figure, title: str, description: str) -> str:
    """The figure as SVG, its letters as text; the same figure gives the same text.

    The file holds its `title` and its `description` in words for whoever cannot see it.
    """
    out = io.StringIO()
    metadata = {"Title": plain(title), "Description": plain(description)}
    settings = {"svg.fonttype": "none", "svg.hashsalt": title}
    with mpl.rc_context(settings), warnings.catch_warnings():
        # Whoever shows it has other fonts than the one in which matplotlib measures.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, **metadata})
    return out.getvalue()
