"""README.md of the measured rows: what was measured where, the table, and how each was made."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from figures import ALL, BY_NAME, Figure
from results import Row

BOUNDS, MENDS = "bounds.md", "mends.md"
COLUMNS = ["figure", "data", "reach", "median (min to max, n)", "ours", "the other side", "met"]
HEAD = """\
# Speed: how close to the hardware?

Each figure is a ratio of two sides that were timed side by side in one run, in alternation, with
the first of each thrown away. A row gives the median of the ratios of the pairs, the least and
the most, and their number n; both sides are medians. `demo` are the 1,600 generated pictures of
`make demo`, `real` is a slice of the COMP5329 competition in DIR: 8,000 labelled rows, 10,000
images. Images are read from the system's cache, temporary files lie on the disk.
"""
COMMANDS = """\
## Command

```sh
make bench DATA=DIR
.venv/bin/python experiments/speed/bench.py --data DIR --only NAME ...   # some figures anew
```

`results.csv` holds the same rows, each with its date, commit, hardware and versions. No other work
ran on the machine; other guests of its host are not excluded.
"""
GPU_HEAD = """\
## On a GPU

Samples are generated, weights random. Times in seconds are of one card that does nothing else.
"""
GPU_COMMANDS = """\
```sh
make gpu-wheels       # on a machine with a network: what a machine without one lacks, into .whl
make bench-gpu        # under 8 minutes; GPU_PYTHON=python3 where .whl is installed for that Python
```

`gpu.csv` holds the same rows, each with its date, commit, card and versions.
"""


@dataclass(frozen=True)
class Texts:
    """What is written by hand: what bounds each figure, and what was mended for a GPU."""

    bounds: Mapping[str, str]
    mends: str


def readme(rows: Sequence[Row], texts: Texts, gpu_rows: Sequence[Row] = ()) -> str:
    """The whole text, of the rows measured on a CPU and of those measured on a GPU."""
    gpu = [GPU_HEAD, _table(gpu_rows), GPU_COMMANDS, _circumstances(gpu_rows, "###"), texts.mends]
    every = [*rows, *gpu_rows]
    measured = {row.figure for row in every}
    return "\n".join(
        [
            HEAD,
            _table(rows),
            COMMANDS,
            _circumstances(rows, "##"),
            *(gpu if gpu_rows else []),
            "## How each figure was made\n",
            *(_section(figure, every, texts.bounds) for figure in ALL if figure.name in measured),
        ]
    )


def read_texts(folder: Path) -> Texts:
    """The texts of bounds.md and mends.md."""
    mends = folder / MENDS
    return Texts(_bounds(folder), mends.read_text(encoding="utf-8") if mends.is_file() else "")


def _bounds(folder: Path) -> dict[str, str]:
    """What bounds each figure: the paragraphs below its name as a heading in bounds.md."""
    path = folder / BOUNDS
    if not path.is_file():
        return {}
    pieces = re.split(r"^## +(\S+) *\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    sections = dict(zip(pieces[1::2], (text.strip() for text in pieces[2::2]), strict=True))
    unknown = sorted(sections.keys() - BY_NAME.keys())
    if unknown:
        raise ValueError(f"{BOUNDS}: there are no figures {', '.join(unknown)}")
    return sections


def _table(rows: Iterable[Row]) -> str:
    lines = [COLUMNS, ["---", "---", "---", "---", "---:", "---:", "---"]]
    lines += [_cells(row) for row in rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _cells(row: Row) -> list[str]:
    figure = BY_NAME[row.figure]
    met = figure.is_met(row.median, row.data)
    stated = figure.only_on in (None, row.data)
    return [
        figure.title,
        row.data,
        figure.reach if stated else "reported",
        f"{_number(row.median, figure)} ({_number(row.low, figure)} to "
        f"{_number(row.high, figure)}, n = {row.n})",
        row.ours,
        row.theirs,
        {True: "yes", False: "**no**", None: ""}[met],
    ]


def _number(value: float, figure: Figure) -> str:
    return f"{value:.3f}" if abs(value) < 0.2 and not figure.unit else f"{value:.2f}{figure.unit}"


def _circumstances(rows: Sequence[Row], level: str) -> str:
    """Hardware, versions, dates and commits; measured once where all rows agree."""
    lines = [f"{level} Hardware and versions\n"]
    for hardware in dict.fromkeys(row.hardware for row in rows):
        own = [row for row in rows if row.hardware == hardware]
        dates, commits, versions = (
            "; ".join(sorted({getattr(row, name) for row in own}))
            for name in ("date", "commit", "versions")
        )
        lines.append(f"{hardware}; measured on {dates} at {commits}; {versions}.\n")
    return "\n".join(lines)


def _section(figure: Figure, rows: Iterable[Row], bounds: Mapping[str, str]) -> str:
    own = [row for row in rows if row.figure == figure.name]
    lines = [f"**{figure.title}** (`{figure.name}`). {figure.how}\n"]
    lines += [f"- {row.data}: {row.note}" for row in own if row.note]
    missed = any(figure.is_met(row.median, row.data) is False for row in own)
    if figure.name in bounds or missed:
        text = bounds.get(figure.name, f"not said yet in {BOUNDS}.")
        lines.append(f"\nWhat bounds it: {text}")
    return "\n".join(lines) + "\n"
