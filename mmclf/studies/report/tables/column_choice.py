"""The columns of a study's tables by short names, for whoever wants some of them."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence

import pandas as pd

from mmclf.errors import InputError, suggestion
from mmclf.studies.report.tables.cost_columns import COSTS, HEADINGS
from mmclf.studies.report.tables.study_tables import DIFFERENCE, P_VALUES, RATIO, SECONDS, STOPPED

MEAN = "mean"
# By its short name, the columns that stand for it, as far as a table has them.
SHORT_NAMES: Mapping[str, Sequence[str]] = {
    "arm": ("Arm", "Effect"),
    "n": ("n", "Seeds"),
    MEAN: (),  # the deciding metric, whose column is called after it
    "sd": ("SD",),
    "interval": ("CI low", "CI high"),
    "difference": DIFFERENCE,
    "verdict": ("Verdict",),
    "stopped": (STOPPED,),
    "p": P_VALUES,
    "time": (SECONDS,),
    "ratio": RATIO,
    "map": ("mAP", "mAP diff.", "mAP diff. low", "mAP diff. high"),
    "runs": ("Runs",),
    **{name: (column.heading,) for name, column in COSTS.items()},
}


def parse_columns(text: str | None) -> tuple[str, ...] | None:
    """The names in `arm,mean,p`; None for None. Raises InputError for an empty list."""
    if text is None:
        return None
    names = tuple(dict.fromkeys(name.strip().lower() for name in text.split(",") if name.strip()))
    if not names:
        raise InputError(f"--columns: found {text!r}, expected names such as arm,mean,difference,p")
    return names


def check_columns(names: Sequence[str] | None) -> None:
    """Raise InputError for a name that is no column of a study."""
    unknown = [name for name in names or () if name not in SHORT_NAMES]
    if unknown:
        raise InputError(
            *(f"--columns: {name!r}: {suggestion(name, SHORT_NAMES)}" for name in unknown)
        )


def chosen(table: pd.DataFrame, names: Sequence[str] | None, metric: str) -> pd.DataFrame:
    """The columns of a study's table with these short names, in their order.

    `metric`: that decides. A name that the table has no column of is left out. For None all, but
    for what is shown on request alone: costs beside time.
    """
    if names is None:
        return table.drop(columns=[*HEADINGS], errors="ignore")
    wanted = [
        column for name in names for column in (*SHORT_NAMES[name], *([metric] * (name == MEAN)))
    ]
    return table[[column for column in wanted if column in table]]


def chosen_by_heading(table: pd.DataFrame, names: Sequence[str] | None) -> pd.DataFrame:
    """The columns of any table by their headings, `test_f1` for `Test F1`, costs by short names.

    For None all but costs. Raises InputError for a name that is no column.
    """
    if names is None:
        return table.drop(columns=[*HEADINGS], errors="ignore")
    headings: dict[str, Hashable] = {
        name: of.heading for name, of in COSTS.items() if of.heading in table
    }
    headings |= {re.sub(r"\W+", "_", str(name)).strip("_").lower(): name for name in table}
    unknown = [name for name in names if name not in headings]
    if unknown:
        raise InputError(
            *(f"--columns: {name!r}: {suggestion(name, headings)}" for name in unknown)
        )
    return table[[headings[name] for name in names]]
