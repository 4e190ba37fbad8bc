"""The subcommand `predict`: a file of labels for the test set of a competition, from a run."""

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
from mmclf.data.sources.competition_csv import Row, read_rows
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
GRANT = "allow_targets"


def predict(arguments: Sequence[str]) -> int:
    """`mmclf predict RUN_ID --root DIR`: labels, or with --probabilities a column per label."""
    given = _parser().parse_intermixed_args(arguments)
    run_id, config = _sorted_out(given.words)
    if given.config_dir is not None:
        make_importable(Path(given.config_dir), config.allow_targets)
    root = Path(given.root)
    default = "probabilities.csv" if given.probabilities else "submission.csv"
    out = Path(given.out if given.out is not None else default)
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
        store=Path(config.store.dir),
        tell=_say,
    )
    paths = _paths(root, rows) if "vision" in predictor.modalities else None
    probabilities = predictor.predict_proba(paths, [row.caption for row in rows])
    ids = [row.id for row in rows]
    if given.probabilities:
        _write(out, _probability_lines(predictor, ids, probabilities))
    else:
        _write(out, _label_lines(predictor, ids, probabilities))
    what = "probabilities" if given.probabilities else "labels"
    sys.stdout.write(f"{out}: the {what} of {len(rows)} samples, by the run {predictor.run_id}\n")
    return 0


def _say(text: str) -> None:
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


def _sorted_out(words: Sequence[str]) -> tuple[str, Config]:
    """The run's id, or its beginning, and the settings by the overrides."""
    overrides = [word for word in words if "=" in word]
    others = [word for word in words if "=" not in word]
    problems = []
    for word in overrides:
        key = word.partition("=")[0]
        if key not in (*SETTINGS, GRANT):
            hint = suggestion(key, (*SETTINGS, GRANT))
            problems.append(f"{word}: the rest is as it was in the run: {hint}")
    if len(others) != 1:
        found = ", ".join(others) if others else "none"
        problems.append(
            f"mmclf predict: found {found}, expected one RUN_ID: `mmclf runs` lists them"
        )
    if problems:
        raise InputError(*problems)
    return others[0], compose(overrides).config


def _read(root: Path) -> list[Row]:
    if not root.is_dir():
        raise InputError(f"--root: there is no folder {root}; {LAYOUT}")
    path = root / TEST_CSV
    if not path.is_file():
        raise InputError(f"--root: {root} has no {TEST_CSV}; {LAYOUT}")
    rows = read_rows(path)
    if not rows:
        raise InputError(f"{path} has no rows; expected at least one sample to predict")
    return rows


def _paths(root: Path, rows: Sequence[Row]) -> tuple[Path, ...]:
    folder = root / IMAGES
    if not folder.is_dir():
        raise InputError(
            f"--root: {root} has no folder {IMAGES}, and the run used images; {LAYOUT}"
        )
    places = [f"{root / TEST_CSV}, line {row.line}" for row in rows]
    return image_paths(folder, [row.id for row in rows], places)


def _check_out(out: Path) -> None:
    if out.is_dir():
        raise InputError(f"--out: {out} is a folder, expected a file: give {out / 'FILE'}")
    if not out.parent.is_dir():
        raise InputError(f"--out: there is no folder {out.parent}: make it, or choose another FILE")


def _label_lines(
    predictor: Predictor, ids: Sequence[str], probabilities: Floats
) -> Iterable[Sequence[str]]:
    yield "ImageID", "Labels"
    for one, chosen in zip(ids, predictor.label_sets(probabilities), strict=True):
        yield (
            one,
            " ".join(label for label, on in zip(predictor.label_ids, chosen, strict=True) if on),
        )


def _probability_lines(
    predictor: Predictor, ids: Sequence[str], probabilities: Floats
) -> Iterable[Sequence[str]]:
    yield "ImageID", *predictor.label_names
    for one, row in zip(ids, probabilities, strict=True):
        # The logits behind them have seven digits.
        yield one, *(f"{value:.7g}" for value in row)


def _write(out: Path, lines: Iterable[Sequence[str]]) -> None:
    """Write the file under another name, then rename it: nobody sees a part of it."""
    unfinished = out.with_name(f"{out.name}.partial")
    try:
        with unfinished.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream, lineterminator="\n").writerows(lines)
        unfinished.replace(out)
    except OSError as error:
        raise InputError(
            f"--out: {out} cannot be written ({error}): choose another FILE"
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)
