"""The subcommand `explain`: pictures of what speaks for the labels of single samples."""

from __future__ import annotations

import argparse
import re
import string
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from mmclf.cli.command_parser import command_parser
from mmclf.cli.predict import RunWords, parse_run_words, positive, samples_to_predict
from mmclf.config.user_modules import make_importable
from mmclf.data.image_locations import ImageLocation
from mmclf.errors import InputError, printable, say, tell
from mmclf.pipeline.explain.explainer import Explainer
from mmclf.pipeline.explain.explanation import Explanation
from mmclf.pipeline.explain.picture import explanation_png
from mmclf.pipeline.predict.predictor import load_from
from mmclf.pipeline.predict.source import data_node, read_samples
from mmclf.pipeline.tracker_of import tracker_of
from mmclf.plots.attributions import change
from mmclf.storage.store.atomic_write import write_atomic
from mmclf.storage.store.hashing import digest
from mmclf.storage.tracking import Tracker
from mmclf.training.device import pick_device

DESCRIPTION = """\
Draw what speaks for the labels of samples, by a tracked run: which part of the picture, and which
words. Each is taken away, and what the logits lose is shown.

mmclf explain RUN_ID ID ...
  samples of the run's own source by their ids, as the study's page and predictions/test.npz have
  them; DIR/ID.png of each, the labels on standard output
mmclf explain RUN_ID ID ... data.KEY=VALUE, or --root DIR
  samples that `mmclf predict` would read with these"""
LONGEST_NAME = 80  # of a file, in letters
EXAMPLES = 3  # of ids, in a message
NAMED = 3  # words of a label, on standard output


@dataclass(frozen=True)
class _Chosen:
    """A sample by its id, with the names of its labels where they are known."""

    id: str
    image: ImageLocation | None
    captions: Sequence[str]
    labels: Sequence[str] | None


def explain(arguments: Sequence[str]) -> int:
    """`mmclf explain RUN_ID ID ...`: a PNG file for each sample."""
    options = _parser().parse_intermixed_args(arguments)
    config_dir = Path(options.config_dir) if options.config_dir is not None else None
    plain = [word for word in options.words if "=" not in word]
    if len(plain) < 2:
        raise InputError(
            f"mmclf explain: found {plain[0] if plain else 'no RUN_ID'} and no ID: give the ids of "
            "samples, as the study's page shows them"
        )
    run_id, *ids = plain
    overrides = [word for word in options.words if "=" in word]
    words = parse_run_words("explain", [run_id, *overrides], config_dir)
    config = words.config
    if config_dir is not None:
        make_importable(config_dir, config.allow_targets)
    tracker = tracker_of(config)
    samples = _samples(ids, options.root, words, tracker)
    out = _folder(Path(options.out))
    predictor = load_from(
        tracker,
        run_id,
        pick_device(config.device),
        config.allow_targets,
        model_types=config.allow_model_types,
        notify=tell,
    )
    explainer = Explainer(predictor)
    for sample in samples:
        explanation = explainer.explain(sample.image, sample.captions, top=options.top)
        names = [predictor.label_names[j] for j in explanation.labels]
        file = out / f"{file_name(sample.id)}.png"
        write_atomic(file, explanation_png(_title(sample), names, explanation))
        say(f"{file}")
        for line in _lines(names, explanation):
            say(line)
    return 0


def _samples(
    ids: Sequence[str], root: str | None, words: RunWords, tracker: Tracker
) -> list[_Chosen]:
    """The samples with these ids; raises InputError for an id that there is not."""
    if root is None and not words.data:
        node = data_node(tracker, words.run_id)
        source = read_samples(node, words.config.allow_targets)
        rows = _rows(ids, source.ids)
        return [
            _Chosen(
                source.ids[row],
                source.images[row] if source.images else None,
                source.captions_of(row),
                [source.label_names[j] for j in np.flatnonzero(source.labels[row])],
            )
            for row in rows
        ]
    given = samples_to_predict(root, words, tracker)
    rows = _rows(ids, given.ids)
    images = given.images()
    chosen = []
    for row in rows:
        caption = given.captions[row]
        captions = [caption] if isinstance(caption, str) else [*caption]
        chosen.append(_Chosen(given.ids[row], images[row] if images else None, captions, None))
    return chosen


def _rows(ids: Sequence[str], known: Sequence[str]) -> list[int]:
    rows = {id_: row for row, id_ in enumerate(known)}
    problems = [
        f"mmclf explain: of {len(known)} samples none is called {id_}: {_hint(id_, known)}"
        for id_ in ids
        if id_ not in rows
    ]
    if problems:
        raise InputError(*problems)
    return [rows[id_] for id_ in ids]


def _hint(id_: str, known: Sequence[str]) -> str:
    near = get_close_matches(id_, known, 1)
    if near:
        return f"did you mean {near[0]}?"
    return f"ids are as {', '.join(known[:EXAMPLES])}" if known else "the source is empty"


def _folder(out: Path) -> Path:
    """The folder of the pictures, made if it is missing."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"--out: {out} cannot be a folder ({error.strerror or error}): give another DIR"
        ) from error
    return out


def file_name(id_: str) -> str:
    """An id as the name of a file: without folders, and another one for another id."""
    name = re.sub(r"[^\w.-]+", "_", id_).strip(".")[:LONGEST_NAME]
    return name if name == id_ and name else f"{name or 'sample'}-{digest(id_)[:8]}"


def _title(sample: _Chosen) -> str:
    if sample.labels is None:
        return sample.id
    return f"{sample.id}: is {', '.join(sample.labels) or 'without labels'}"


def _lines(names: Sequence[str], explanation: Explanation) -> list[str]:
    """A line a label: its probability, what each modality does, and its strongest words."""
    lines = []
    for k, name in enumerate(names):
        whole = ", ".join(
            f"{modality} {change(of[k])}" for modality, of in explanation.whole.items()
        )
        words = [
            (float(weights[k]), words.caption[start:end])
            for words in explanation.captions
            for (start, end), weights in zip(words.spans, words.weights, strict=True)
        ]
        best = sorted(words, key=lambda pair: -abs(pair[0]))[:NAMED]
        said = ", ".join(f"{printable(_bare(word))} {change(value)}" for value, word in best)
        probability = f"{explanation.probabilities[k]:.2f}"
        lines.append(f"  {name} {probability}  {whole}{f'  words: {said}' if said else ''}")
    return lines


def _bare(word: str) -> str:
    """A word without the marks around it, unless it is nothing else."""
    return word.strip(string.punctuation) or word


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("explain", DESCRIPTION)
    parser.add_argument("words", nargs="+", metavar="RUN_ID, ID or KEY=VALUE")
    parser.add_argument("--root", metavar="DIR", help="holds a competition's test.csv and data/")
    parser.add_argument(
        "--out", metavar="DIR", default="explained", help="of the pictures; default: explained"
    )
    parser.add_argument(
        "--config-dir", metavar="DIR", help="the folder of modules named in allow_targets"
    )
    parser.add_argument(
        "--top",
        type=positive,
        default=0,
        metavar="K",
        help="the K most probable labels; default: those predicted, and the next one",
    )
    return parser
