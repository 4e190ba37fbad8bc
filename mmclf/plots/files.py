"""A figure as a file for a paper or slides: PDF with its letters, or PNG."""

from __future__ import annotations

import io
import warnings

import matplotlib as mpl
from matplotlib.figure import Figure

DOTS_PER_INCH = 200
# Neither a date nor a version: the same figure gives the same file.
METADATA = {
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "png": {"Software": None},
}


def to_pdf(figure: Figure) -> bytes:
    """The figure as PDF, its letters whole (TrueType), as publishers ask for."""
    return _saved(figure, "pdf")


def to_png(figure: Figure) -> bytes:
    """The figure as PNG of 200 dots an inch."""
    return _saved(figure, "png")


def _saved(figure: Figure, form: str) -> bytes:
    out = io.BytesIO()
    with mpl.rc_context({"pdf.fonttype": 42}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(out, format=form, dpi=DOTS_PER_INCH, metadata=METADATA[form])
    return out.getvalue()
