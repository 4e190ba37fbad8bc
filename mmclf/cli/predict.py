"""The subcommand `predict`: writes the predictions of a run for new samples."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mmclf.cli.command_parser import command_parser
from mmclf.config.compose import compose
from mmclf.config.grants import GRANTS
from mmclf.config.schema import Config
from mmclf.config.user_modules import make_importable
from mmclf.errors import InputError, say, suggestion, tell
from mmclf.pipeline.predict import table
from mmclf.pipeline.predict.predictor import Predictor, load_from
from mmclf.pipeline.predict.source import (
    COMPETITION,
    SamplesToPredict,
    competition_samples,
    data_node,
    read_to_predict,
)
from mmclf.pipeline.tracker_of import tracker_of
from mmclf.storage import environment
from mmclf.storage.tracking import Tracker
from mmclf.training.device import pick_device

DESCRIPTION = """\
Predict labels by a tracked run, in the form in which its source writes them.

mmclf predict RUN_ID [data.KEY=VALUE ...]
  reads what the run's own source reads, with these settings instead of the run's: another
  data.root, data.file, data.image_column, ...; labels there are not used. A run on a table writes
  the column of ids, or else of images, and the column of labels under the run's own names, a
  competition's run ImageID,Labels. data=table data.root=DIR data.file=FILE takes another source.
mmclf predict RUN_ID --root DIR
  reads the test set of a competition
  DIR/test.csv  with the columns ImageID,Caption, or ImageID,Labels,Caption, its labels not used
  DIR/data/     with the images that ImageID names, for a run that used images
An existing FILE is replaced, at once and whole. What the run did not use is not looked for."""
SETTINGS = ("output_dir", "tracking.uri", "tracking.experiment", "store.dir", "device")


@dataclass(frozen=True)
class RunWords:
    """The words of a command line.

    Args:
        run_id: of the run, or a prefix of it.
        config: of the settings that say where things are.
        data: overrides of the data's settings.
        source: whether one of them names another source.

    """

    run_id: str
    config: Config
    data: list[str]
    source: bool


def predict(arguments: Sequence[str]) -> int:
    """`mmclf predict RUN_ID`: write labels, or probabilities, for the samples of a source."""
    options = _parser().parse_intermixed_args(arguments)
    config_dir = Path(options.config_dir) if options.config_dir is not None else None
    words = parse_run_words("predict", options.words, config_dir)
    config = words.config
    if config_dir is not None:
        make_importable(config_dir, config.allow_targets)
    tracker = tracker_of(config)
    samples = samples_to_predict(options.root, words, tracker)
    out = _out(options, samples)
    if out.suffix.lower() in table.HOLDING_LISTS:
        samples = replace(samples, form=replace(samples.form, as_lists=True))
    for note in samples.notes:
        tell(note)
    environment.keep_freed_memory()
    device = pick_device(config.device)
    predictor = load_from(
        tracker,
        words.run_id,
        device,
        config.allow_targets,
        model_types=config.allow_model_types,
        notify=tell,
    )
    table.write_table(out, _predicted(predictor, samples, options))
    kind = "probabilities" if options.probabilities else "labels"
    count = len(samples.ids)
    say(f"{out}: the {kind} of {count} samples, by the run {predictor.run_id}")
    return 0


def samples_to_predict(root: str | None, words: RunWords, tracker: Tracker) -> SamplesToPredict:
    """The samples that the command line names; raises InputError if it names two sources."""
    if root is not None and words.data:
        raise InputError(
            f"--root {root} and {words.data[0]} both say where the samples are: give one"
        )
    if root is not None:
        return competition_samples(Path(root), setting="--root")
    allow = words.config.allow_targets
    if words.source:
        return read_to_predict(words.config.data.part, (), allow)
    return read_to_predict(data_node(tracker, words.run_id), words.data, allow)


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("predict", DESCRIPTION)
    parser.add_argument("words", nargs="+", metavar="RUN_ID or KEY=VALUE")
    parser.add_argument("--root", metavar="DIR", help="holds a competition's test.csv and data/")
    parser.add_argument(
        "--out",
        metavar="FILE",
        help=f"*{', *'.join(table.SUFFIXES)}; default: predictions.csv, of a competition "
        "submission.csv, with --probabilities probabilities.csv",
    )
    parser.add_argument(
        "--config-dir", metavar="DIR", help="the folder of modules named in allow_targets"
    )
    parser.add_argument(
        "--labels",
        choices=("ids", "names"),
        help="how labels are written; default: ids, as in the data, but names for --probabilities",
    )
    parser.add_argument(
        "--probabilities",
        action="store_true",
        help="a column for each label in the place of the labels",
    )
    parser.add_argument(
        "--top",
        type=positive,
        default=0,
        metavar="K",
        help="the K most probable labels, best first, whatever their thresholds; with "
        "--probabilities a column of their probabilities beside them",
    )
    return parser


def positive(text: str) -> int:
    """A number from 1 on, out of a command line."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"found {text}, expected 1 or more")
    return number


def parse_run_words(command: str, words: Sequence[str], config_dir: Path | None) -> RunWords:
    """The run's id, or a prefix of it, and the configuration with the overrides."""
    overrides = [word for word in words if "=" in word]
    run_ids = [word for word in words if "=" not in word]
    data, locations, problems = [], [], []
    for word in overrides:
        key = word.partition("=")[0].lstrip("+")
        if key == "data" or key.startswith("data."):
            data.append(word)
        elif key in (*SETTINGS, *GRANTS):
            locations.append(word)
        else:
            hint = suggestion(key, (*SETTINGS, *GRANTS, "data"))
            problems.append(f"{word}: the rest is as it was in the run: {hint}")
    if len(run_ids) != 1:
        listed = ", ".join(run_ids) if run_ids else "none"
        problems.append(
            f"mmclf {command}: found {listed}, expected one RUN_ID: `mmclf runs` lists them"
        )
    if problems:
        raise InputError(*problems)
    source = any(word.startswith("data=") for word in data)
    if source:
        return RunWords(run_ids[0], compose([*locations, *data], config_dir).config, data, source)
    return RunWords(run_ids[0], compose(locations).config, data, source)


def _out(options: argparse.Namespace, samples: SamplesToPredict) -> Path:
    is_competition = samples.form == COMPETITION
    default = "submission.csv" if is_competition else "predictions.csv"
    if options.probabilities:
        default = "probabilities.csv"
    out = Path(options.out if options.out is not None else default)
    table.check_out(out, any_suffix=is_competition)
    return out


def _predicted(
    predictor: Predictor, samples: SamplesToPredict, options: argparse.Namespace
) -> table.Columns:
    """The columns that the options ask for."""
    top, form, ids = options.top, samples.form, samples.ids
    by_name = options.labels == "names" or (
        options.labels is None and options.probabilities and top == 0
    )
    labels = predictor.label_names if by_name else predictor.label_ids
    is_joined = form.flag_prefix is None and not form.has_row_per_label
    if not form.as_lists and (top > 0 or (is_joined and not options.probabilities)):
        mark = form.separator_for(labels)
        if mark != form.separator:
            tell(f"{mark!r} stands between labels, as some hold the {form.separator!r} of the data")
    paths = samples.images() if "vision" in predictor.modalities else ()
    images = [*paths] if len(paths) > 0 else None
    probabilities = predictor.predict_proba(images, samples.captions, top=top)
    chosen = predictor.chosen_labels(probabilities, top=top)
    if top > 0:
        given = probabilities if options.probabilities else None
        return table.top_columns(form, ids, labels, chosen, given)
    if options.probabilities:
        return table.probability_columns(form, ids, labels, probabilities)
    return table.label_columns(form, ids, labels, chosen)
