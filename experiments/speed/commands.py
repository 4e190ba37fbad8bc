"""Figures of the command as a whole process: a warm run, and sweeps in one command."""

from __future__ import annotations

import itertools
import re
import shutil
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from data_sets import DataSet
from fit_case import fit_case
from measuring import in_seconds, ratios, tell
from processes import run_command, run_python
from results import Row, row
from workspace import ENCODERS, Workspace

from mmclf import compose
from mmclf.storage.tracking import TrackedRun, Tracker

FURTHER = ("further_run", "further_run_s")
FIGURES = ("warm_run", "sweep_24", *FURTHER, "first_seed", "sweep_thresholds")
LOSSES, DROPOUTS, SEEDS = "bce,weighted_bce,focal,asymmetric", "0.0,0.2,0.4", "0,1"
SWEEP = (f"loss={LOSSES}", f"head.dropout={DROPOUTS}", f"seed={SEEDS}")
RUNS = 24
CAPTIONS = ("vision=none", "text=tfidf")
THRESHOLDS = "threshold.value=0.3,0.4,0.45,0.5,0.55,0.6"


@dataclass
class Times:
    """Wall times of commands by their names, a value a round, and of each further run."""

    commands: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    further: list[float] = field(default_factory=list)
    by_hand: list[float] = field(default_factory=list)
    seeds: list[list[float]] = field(default_factory=list)
    imports: str = ""


def measure(work: Workspace, data: DataSet, wanted: Collection[str]) -> Iterator[Row]:
    """The wanted figures on one data set."""
    times = Times()
    _warm_up(work, data)
    for number in range(1, work.sizes.rounds + 1):
        tell(f"commands, {data.name}: round {number}")
        if "first_seed" in wanted:
            times.seeds.append(_two_seeds(work, data))
        if set(wanted) & set(FIGURES) != {"first_seed"}:
            _single(work, data, times, "warm_run" in wanted)
        if "sweep_thresholds" in wanted:
            _sweep(work, data, times, "thresholds", (THRESHOLDS,))
        if {"sweep_24", *FURTHER} & set(wanted):
            _sweep(work, data, times, "sweep", SWEEP)
    for figure in FIGURES:
        if figure in wanted:
            yield _row(figure, data, times)


def _warm_up(work: Workspace, data: DataSet) -> None:
    """Bring the libraries and the data into the system's cache."""
    folder = work.fresh()
    small = ("data=demo", "data.train=160", "data.test=40")
    run_command(*small, *ENCODERS, f"output_dir={folder}")
    for path in data.paths:
        path.read_bytes()
    shutil.rmtree(folder)


def _single(work: Workspace, data: DataSet, times: Times, warm: bool) -> None:
    """A cold run, and the same again."""
    folder = work.fresh()
    command = (*data.overrides, *ENCODERS, f"output_dir={folder}")
    _run(times, "cold", command)
    if warm:
        _run(times, "warm", command)
        times.imports = _imports(command)
    shutil.rmtree(folder)


def _sweep(work: Workspace, data: DataSet, times: Times, name: str, axes: Collection[str]) -> None:
    """A sweep with an empty store, and if it is the large one its further runs one by one."""
    folder = work.fresh()
    command = (*data.overrides, *ENCODERS, f"output_dir={folder}")
    _run(times, name, ("-m", *command, *axes))
    if name == "sweep":
        _further(times, command, folder)
    shutil.rmtree(folder)


def _run(times: Times, name: str, command: Collection[str]) -> None:
    times.commands[name].append(run_command(*command))
    tell(f"{name}: {times.commands[name][-1]:.2f} s")


def _two_seeds(work: Workspace, data: DataSet) -> list[float]:
    """What each of two runs of one process computes, in seconds."""
    folder = work.fresh()
    run_command("-m", *data.overrides, *CAPTIONS, "seed=0,1", f"output_dir={folder}")
    seconds = [run.metrics["time/cold_s"] for run in _runs(folder, 2)]
    shutil.rmtree(folder)
    return seconds


def _further(times: Times, command: Collection[str], folder: Path) -> None:
    """The time from each further run's start to the next one's, and of each fit by hand."""
    runs = _runs(folder, RUNS)
    fit_case([*command, *_settings(runs[0])]).by_hand()  # warm-up
    for run, following in itertools.pairwise(runs[1:]):
        took = (following.started_ms - run.started_ms) / 1000
        case = fit_case([*command, *_settings(run)])
        by_hand = case.by_hand()[0]
        tell(f"{' '.join(_settings(run))}: {took:.2f} s, by hand {by_hand:.2f} s")
        times.further.append(took)
        times.by_hand.append(by_hand)


def _runs(folder: Path, count: int) -> list[TrackedRun]:
    """The runs of the sweep in `folder`, in their order."""
    config = compose([f"output_dir={folder}"]).config
    tracker = Tracker(config.tracking.uri, config.tracking.experiment, folder, create=False)
    runs = [run for run in tracker.runs() if run.parent is not None]
    assert len(runs) == count, f"{len(runs)} runs"
    return sorted(runs, key=lambda run: run.started_ms)


def _settings(run: TrackedRun) -> list[str]:
    """The overrides that tell a run of the sweep from the others."""
    loss, seed = run.tags["mmclf.loss"], run.tags["mmclf.seed"]
    return [f"loss={loss}", f"head.dropout={run.params['head.dropout']}", f"seed={seed}"]


def _imports(command: Collection[str]) -> str:
    """What a warm run imports, in words."""
    lines = run_python(["-X", "importtime", "-m", "mmclf", *command]).err.splitlines()
    matches = [re.fullmatch(r"import time: +\d+ \| +\d+ \| +(\S+)", line) for line in lines]
    names = {name[1] for name in matches if name is not None}
    mention = "not among them" if "torch" not in names else "**among them**"
    return f"A warm run imports {len(names)} modules; torch is {mention}."


def _row(figure: str, data: DataSet, times: Times) -> Row:
    if figure in FURTHER:
        return _further_row(figure, data, times)
    if figure == "first_seed":
        first, following = (list(side) for side in zip(*times.seeds, strict=True))
        return row(
            figure,
            data.name,
            ratios(first, following),
            ours=in_seconds(first),
            theirs=in_seconds(following),
            note=f"{len(data.samples)} samples.",
        )
    cold = times.commands["cold"]
    ours, factor, note = {
        "warm_run": (times.commands["warm"], 1, times.imports),
        "sweep_24": (times.commands["sweep"], RUNS, f"One cold run: {in_seconds(cold)}."),
        "sweep_thresholds": (times.commands["thresholds"], 1, ""),
    }[figure]
    theirs = [factor * value for value in cold]
    return row(
        figure,
        data.name,
        ratios(ours, theirs),
        ours=in_seconds(ours),
        theirs=in_seconds(theirs),
        note=f"{len(data.samples)} samples. {note}".strip(),
    )


def _further_row(figure: str, data: DataSet, times: Times) -> Row:
    pairs = zip(times.further, times.by_hand, strict=True)
    differences = [took - by_hand for took, by_hand in pairs]
    quotients = ratios(times.further, times.by_hand)
    return row(
        figure,
        data.name,
        quotients if figure == "further_run" else differences,
        ours=in_seconds(times.further),
        theirs=in_seconds(times.by_hand),
        note=f"{len(data.samples)} samples.",
    )
