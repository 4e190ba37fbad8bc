"""The subcommand `predict`: writes the predictions of a run for the test set of a competition."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from mmclf.config.compose import compose
from mmclf.config.schema import Config
from mmclf.config.user_modules import make_importable
from mmclf.data.image_paths import image_paths
from mmclf.data.sources.competition_csv import CompetitionRow, read_rows
from mmclf.errors import InputError, suggestion
from mmclf.evaluation.thresholds import Floats
from mmclf.pipeline.predict.predictor import Predictor, load_from
from mmclf.storage import environment
from mmclf.storage.tracking import Tracker
from mmclf.training.device import pick_device

TEST_CSV, IMAGES = "test.csv", "data"
FILES = f"""\
  DIR/{TEST_CSV}  with the columns ImageID,Caption, or ImageID,Labels,Caption, its labels not used
  DIR/{IMAGES}/     with the images that ImageID names, for a run that used images"""
LAYOUT = f"expected\n{FILES}"
DESCRIPTION = f"""\
Predict the labels of the test set in DIR by a tracked run, as the competition wants them: a file
ImageID,Labels with the ids of the labels, separated by spaces. It reads
{FILES}
An existing FILE is replaced, at once and whole. What the run did not use is not looked for."""
SETTINGS = ("output_dir", "tracking.uri", "tracking.experiment", "store.dir", "device")
ALLOW_TARGETS = "allow_targets"


def predict(arguments: Sequence[str]) -> int:
    """`mmclf predict RUN_ID --root DIR`: write labels, or a column for each label."""
    options = _parser().parse_intermixed_args(arguments)
    run_id, config = _parse_words(options.words)
    if options.config_dir is not None:
        make_importable(Path(options.config_dir), config.allow_targets)
    root = Path(options.root)
    default = "probabilities.csv" if options.probabilities else "submission.csv"
    out = Path(options.out if options.out is not None else default)
    rows = _read(root)
    _check_out(out)
    environment.keep_freed_memory()
    tracking = config.tracking
    tracker = Tracker(tracking.uri, tracking.experiment, Path(config.output_dir), create=False)
    predictor = load_from(
        tracker,
        run_id,
        pick_device(config.device),
        config.allow_targets,
        notify=_log,
    )
    paths = _paths(root, rows) if "vision" in predictor.modalities else None
    probabilities = predictor.predict_proba(paths, [row.caption for row in rows])
    ids = [row.id for row in rows]
    if options.probabilities:
        _write(out, _probability_lines(predictor, ids, probabilities))
    else:
        _write(out, _label_lines(predictor, ids, probabilities))
    kind = "probabilities" if options.probabilities else "labels"
    sys.stdout.write(f"{out}: the {kind} of {len(rows)} samples, by the run {predictor.run_id}\n")
    return 0


def _log(text: str) -> None:
    sys.stderr.write(f"mmclf: {text}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mmclf predict",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("words", nargs="+", metavar="RUN_ID or KEY=VALUE")
    parser.add_argument("--root", required=True, metavar="DIR", help=f"holds {TEST_CSV}")
    parser.add_argument(
        "--out", metavar="FILE", help="default: submission.csv, or probabilities.csv"
    )
    parser.add_argument(
        "--config-dir", metavar="DIR", help="the folder of modules named in allow_targets"
    )
    parser.add_argument(
        "--probabilities",
        action="store_true",
        help="a column for each label, by its name, in the place of Labels",
    )
    return parser


def _parse_words(words: Sequence[str]) -> tuple[str, Config]:
    """The run's id, or a prefix of it, and the configuration with the overrides."""
    overrides = [word for word in words if "=" in word]
    run_ids = [word for word in words if "=" not in word]
    problems = []
    for word in overrides:
        key = word.partition("=")[0]
        if key not in (*SETTINGS, ALLOW_TARGETS):
            hint = suggestion(key, (*SETTINGS, ALLOW_TARGETS))
            problems.append(f"{word}: the rest is as it was in the run: {hint}")
    if len(run_ids) != 1:
        listed = ", ".join(run_ids) if run_ids else "none"
        problems.append(
            f"mmclf predict: found {listed}, expected one RUN_ID: `mmclf runs` lists them"
        )
    if problems:
        raise InputError(*problems)
    return run_ids[0], compose(overrides).config


def _read(root: Path) -> list[CompetitionRow]:
    if not root.is_dir():
        raise InputError(f"--root: there is no folder {root}; {LAYOUT}")
    path = root / TEST_CSV
    if not path.is_file():
        raise InputError(f"--root: {root} has no {TEST_CSV}; {LAYOUT}")
    rows = read_rows(path)
    if not rows:
        raise InputError(f"{path} has no rows; expected at least one sample to predict")
    return rows


def _paths(root: Path, rows: Sequence[CompetitionRow]) -> tuple[Path, ...]:
    folder = root / IMAGES
    if not folder.is_dir():
        raise InputError(
            f"--root: {root} has no folder {IMAGES}, and the run used images; {LAYOUT}"
        )
    locations = [f"{root / TEST_CSV}, line {row.line}" for row in rows]
    return image_paths(folder, [row.id for row in rows], locations)


def _check_out(out: Path) -> None:
    if out.is_dir():
        raise InputError(f"--out: {out} is a folder, expected a file: give {out / 'FILE'}")
    if not out.parent.is_dir():
        raise InputError(f"--out: there is no folder {out.parent}: make it, or choose another FILE")


def _label_lines(
    predictor: Predictor, ids: Sequence[str], probabilities: Floats
) -> Iterable[Sequence[str]]:
    yield "ImageID", "Labels"
    for sample_id, label_set in zip(ids, predictor.label_sets(probabilities), strict=True):
        yield (
            sample_id,
            " ".join(
                label
                for label, has_label in zip(predictor.label_ids, label_set, strict=True)
                if has_label
            ),
        )


def _probability_lines(
    predictor: Predictor, ids: Sequence[str], probabilities: Floats
) -> Iterable[Sequence[str]]:
    yield "ImageID", *predictor.label_names
    for sample_id, row in zip(ids, probabilities, strict=True):
        # Logits have seven significant digits.
        yield sample_id, *(f"{value:.7g}" for value in row)


def _write(out: Path, lines: Iterable[Sequence[str]]) -> None:
    """Write the file under a temporary name, then rename it, so that it is never incomplete."""
    partial = out.with_name(f"{out.name}.partial")
    try:
        with partial.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream, lineterminator="\n").writerows(lines)
        partial.replace(out)
    except OSError as error:
        raise InputError(
            f"--out: {out} cannot be written ({error}): choose another FILE"
        ) from error
    finally:
        partial.unlink(missing_ok=True)
