"""How often intervals cover and families err, in simulated studies of which all is known.

    python experiments/statistics/simulate.py [TABLE ...]

Writes a CSV for each table beside this file, and prints it: family_wise_error, skewed_samples,
f1_coverage.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from f1_studies import AVERAGES, FEW_SAMPLES, REGIMES, estimated, true_difference
from normal_studies import Cell, simulate, skewed_coverage

from mmclf.storage import environment

FOLDER = Path(__file__).parent
SEEDS, ARMS, SHARES = (2, 3, 5, 10), (7, 63), (0.1, 0.5, 0.9, 0.99)
STUDIES = 4_000
WORST_STUDIES = 20_000  # of the cells that come nearest to 5 % or beyond
F1_STUDIES = 500
SKEWNESSES, SKEW_STUDIES = (0, 1, 2, 3, 4, 6), 20_000
Row = dict[str, float | str]


def main() -> None:
    """Make the tables that the command line names, or all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=", ".join(TABLES))
    names = parser.parse_args().tables or list(TABLES)
    print(f"{environment.describe_cpu()}; {environment.versions()}", flush=True)
    print(f"{datetime.now(UTC):%Y-%m-%d}, commit {environment.commit()}", flush=True)
    for name in names:
        started = time.monotonic()
        table = pd.DataFrame(list(TABLES[name]()))
        table.to_csv(FOLDER / f"{name}.csv", index=False)
        print(table.to_string(index=False))
        print(f"{name}: {time.monotonic() - started:.0f} s", flush=True)


def family_wise_error() -> Iterator[Row]:
    """Of normal studies; the worst cells of each number of seeds once more, with more studies."""
    for seeds in SEEDS:
        cells = [Cell(seeds, arms, share) for arms in ARMS for share in SHARES]
        simulated = {cell: simulate(cell, STUDIES) for cell in cells}
        worst = max(cells, key=lambda cell: simulated[cell].error)
        for cell in cells:
            yield _family_row(cell, STUDIES, simulated[cell].error, simulated[cell].coverage)
        again = simulate(worst, WORST_STUDIES, seed=1)
        yield _family_row(worst, WORST_STUDIES, again.error, again.coverage)


def _family_row(cell: Cell, studies: int, error: float, coverage: float) -> Row:
    return {
        "seeds": cell.seeds,
        "arms": cell.arms,
        "seeds_share": cell.share,
        "studies": studies,
        "family_wise_error": error,
        "coverage": round(coverage, 5),
    }


def skewed_samples() -> Iterator[Row]:
    """Coverage with a hundred samples, whose differences are skewed."""
    for seeds in (3, 5):
        for share in (0.0, 0.1, 0.5, 0.9):
            for skewness in SKEWNESSES:
                covered = skewed_coverage(seeds, share, skewness, groups=100, studies=SKEW_STUDIES)
                yield {
                    "seeds": seeds,
                    "seeds_share": share,
                    "skewness": skewness,
                    "studies": SKEW_STUDIES,
                    "coverage": covered,
                }


def f1_coverage() -> Iterator[Row]:
    """Coverage of F1s of simulated label sets."""
    for name, regime in (REGIMES | FEW_SAMPLES).items():
        for seeds in (3, 5, 10):
            studies = [estimated(regime, seeds, number) for number in range(F1_STUDIES)]
            for average in AVERAGES:
                truth = true_difference(regime, seeds, average)
                estimates = [one[average] for one in studies]
                yield {
                    "regime": name.removeprefix("few "),
                    "samples": regime.samples,
                    "hard": round(regime.hard, 3),
                    "seeds": seeds,
                    "metric": f"f1_{average}",
                    "seeds_share": round(
                        float(np.median([one.seed_share for one in estimates])), 3
                    ),
                    "studies": F1_STUDIES,
                    "coverage": float(np.mean([one.p_beyond(truth) >= 0.05 for one in estimates])),
                }


TABLES: Mapping[str, Callable[[], Iterator[Row]]] = {
    "family_wise_error": family_wise_error,
    "skewed_samples": skewed_samples,
    "f1_coverage": f1_coverage,
}

if __name__ == "__main__":
    main()
