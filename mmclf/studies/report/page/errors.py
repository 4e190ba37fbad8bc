"""What a study's page says of errors, and the table of confused labels."""

from __future__ import annotations

import pandas as pd

from mmclf.plots.words import counted, points, quoted
from mmclf.studies.report.errors.error_result import ErrorResult, ShownLabel
from mmclf.studies.report.page.tables import Column, PageTable
from mmclf.studies.report.tables.rendering import in_digits

METHOD = (
    "Confident learning (Northcutt, Jiang and Chuang, JAIR 70, 2021), each label against the rest "
    "(Thyagarajan et al., arXiv:2211.13895)"
)


def errors_words(errors: ErrorResult) -> str:
    """Whose errors they are."""
    return (
        f"The errors of {quoted(errors.arm)}, the arm with the best mean, on "
        f"{counted(errors.samples, 'test sample')}; of {counted(errors.seeds, 'seed')} an error "
        "counts where more than half make it, and probabilities are means."
    )


def cost_words(label: ShownLabel) -> str:
    """What a label's errors cost."""
    return f"costs {points(label.cost, signed=False)} points of samples-F1"


def pairs_page_table(errors: ErrorResult) -> PageTable | None:
    """A row a pair of confused labels; None without any."""
    if not errors.pairs:
        return None
    frame = pd.DataFrame(
        [
            {
                "Pair": f"{pair.missed} and {pair.instead}",
                "Missed": pair.missed,
                "Instead": pair.instead,
                "Samples": float(pair.count),
                "Share": pair.count / pair.missed_count,
            }
            for pair in errors.pairs
        ]
    )
    columns = [
        Column("Missed", "Missed"),
        Column("Instead", "Predicted instead"),
        Column("Samples", "Samples", "", in_digits(0)),
        Column("Share", "Of those missed", "", lambda share: f"{100 * share:.0f} %"),
    ]
    return PageTable("pairs-table", columns, frame, "Pair")
