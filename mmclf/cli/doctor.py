"""The subcommand `doctor`: a report on a data set before anything is trained on it."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from mmclf.cli.command_parser import command_parser
from mmclf.cli.doctor_report import FORMS, labels_csv, print_rich, render
from mmclf.config.compose import compose
from mmclf.config.schema import Composed
from mmclf.data.checks.examine import Examination, examine
from mmclf.data.split import label_shares
from mmclf.pipeline.image_size import sized
from mmclf.plots.label_shares import label_shares_figure
from mmclf.storage import environment

DESCRIPTION = """\
Examine the data that the overrides describe, as data=competition data.root=DIR, and train nothing.
What is bad stops a run or spoils its results; what is a note may be meant so. Exit status: 0 if
nothing is bad, 1 if something is, 2 for a wrong configuration."""
TAGGED_GROUPS = ("data", "split", "image")
EXIT_BAD = 1


def doctor(arguments: Sequence[str]) -> int:
    """`mmclf doctor [overrides]`: checks of a data set, and a table of its labels."""
    options = _parser().parse_intermixed_args(arguments)
    config_dir = Path(options.config_dir) if options.config_dir is not None else None
    composed = compose(options.words, config_dir)
    config = composed.config if options.no_images else sized(composed.config)
    examination = examine(config, read_images=not options.no_images)
    console = Console()
    if options.format is None and console.is_terminal:
        print_rich(examination, console)
    else:
        sys.stdout.write(render(examination, options.format or "text"))
    if options.track:
        sys.stdout.write(f"run_id: {track(composed, examination)}\n")
    return EXIT_BAD if examination.count("bad") > 0 else 0


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("doctor", DESCRIPTION)
    parser.add_argument("words", nargs="*", metavar="OVERRIDE")
    parser.add_argument("--no-images", action="store_true", help="do not look at the images")
    parser.add_argument("--format", choices=FORMS, help="default: text, rich on a terminal")
    parser.add_argument("--track", action="store_true", help="keep the report in MLflow, too")
    parser.add_argument("--config-dir", metavar="DIR", help="config groups of your own")
    return parser


def track(composed: Composed, examination: Examination) -> str:
    """Log the report as the artifacts of a run of its own; returns the run's id.

    `doctor.md`, and where the data could be loaded and split `labels.csv` and
    `figures/label_shares.png`.
    """
    # Late: docs/architecture.md#late-imports
    from mmclf.pipeline.tracker_of import tracker_of

    config, choices = composed.config, composed.choices
    tracker = tracker_of(config, create=True)
    tags = {f"mmclf.{group}": choices[group] for group in TAGGED_GROUPS}
    tags |= {"mmclf.kind": "doctor", "mmclf.seed": str(config.seed)}
    tags |= {"mmclf.versions": environment.versions()}
    with (
        tracker.run(f"doctor: {choices['data']}", tags, None) as log,
        tempfile.TemporaryDirectory() as folder,
    ):
        _write(Path(folder), examination)
        log.artifacts(Path(folder))
    return log.id


def _write(folder: Path, examination: Examination) -> None:
    (folder / "doctor.md").write_text(render(examination, "md"), encoding="utf-8")
    samples, parts = examination.samples, examination.parts
    if samples is None:
        return
    (folder / "labels.csv").write_text(labels_csv(examination.labels), encoding="utf-8")
    if parts is None:
        return
    (folder / "figures").mkdir()
    figure = label_shares_figure(samples.label_names, label_shares(samples.labels, parts))
    figure.savefig(folder / "figures" / "label_shares.png", dpi=120)
