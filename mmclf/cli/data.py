"""The subcommand `data init`: a data level guessed from a file or folder, written as YAML."""

from __future__ import annotations

import argparse
import math
import re
import shlex
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from mmclf.cli.columns import WIDTH, narrow_yaml, two_columns
from mmclf.cli.command_parser import command_parser
from mmclf.config.compose import compose
from mmclf.config.shipped import conf_dir
from mmclf.data.guess.guess import guess
from mmclf.data.guess.preview import form
from mmclf.data.guess.settings import Guess
from mmclf.data.problems import shown
from mmclf.data.samples import Samples
from mmclf.errors import InputError, printable, printable_lines, say
from mmclf.pipeline.run_data import load_samples
from mmclf.storage.store.atomic_write import write_atomic

DESCRIPTION = """\
Look at a table (CSV, TSV, JSON lines, Parquet), at MS COCO's JSON or at a folder of them, guess how
it is read, and write that as a level of data. Nothing is trained. Exit status: 0 if the level can
be read, 2 if it must be corrected first."""
CONFIG_DIR = Path("my_conf")
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
NUMBERS = tuple("+-.0123456789")  # what begins so
WORDS_OF_YAML = frozenset(["null", "true", "false", "yes", "no", "on", "off"])


def data(arguments: Sequence[str]) -> int:
    """`mmclf data init FILE_OR_FOLDER [--name NAME] [--config-dir DIR]`."""
    options = _parser().parse_args(arguments)
    name = options.name if options.name is not None else _name(options.path)
    file = _new_file(options.config_dir, name)
    guessed = guess(options.path)
    text = level_text(guessed, options.path.absolute().name)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(file, text.encode())
    except OSError as error:
        raise InputError(
            f"{file} cannot be written ({error.strerror or error}): give --config-dir of a folder "
            "that you may write to"
        ) from error
    rows = {setting.key: f"{_yaml(setting.value)} ({setting.why})" for setting in guessed.settings}
    command = f"mmclf --config-dir {shlex.quote(str(options.config_dir))}"
    listing = f"{_wrapped(printable(f'{options.path}: {guessed.summary}'))}\n{two_columns(rows)}"
    sys.stdout.write(f"{printable_lines(listing)}\n\n")
    say(f"written to {file}; its settings: mmclf show data {guessed.source}")
    try:
        samples = _load(options.config_dir, name)
    except InputError as error:
        raise InputError(
            *error.problems, f"{file} was written, but cannot be used before that is corrected"
        ) from error
    sys.stdout.write(f"{_wrapped(printable(_summary(samples)))}\n\n")
    say(f"{command} doctor data={name}")
    say(f"{command} data={name}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("data", DESCRIPTION)
    parser.add_argument("action", choices=["init"])
    parser.add_argument("path", type=Path, metavar="FILE_OR_FOLDER")
    parser.add_argument("--name", help="of the level; default: the file's or the folder's")
    parser.add_argument(
        "--config-dir",
        type=Path,
        default=CONFIG_DIR,
        metavar="DIR",
        help=f"the folder of config groups that it is written into; default: {CONFIG_DIR}",
    )
    return parser


def _name(path: Path) -> str:
    """A level's name by that of a file or folder."""
    own = path.absolute().name
    stem = own if path.is_dir() else own[: own.lower().rfind(form(path) or ".")]
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", stem).strip("_-")
    is_word = NAME.fullmatch(name) is not None and name.casefold() not in WORDS_OF_YAML
    return name if is_word else f"data_{name}"


def _new_file(config_dir: Path, name: str) -> Path:
    """The file of the new level; raises InputError if its name cannot be used or is taken."""
    if NAME.fullmatch(name) is None or name.casefold() in WORDS_OF_YAML:
        raise InputError(
            f"--name {shown(name)}: expected a letter, then letters, digits, _ and -, as my_data"
        )
    if (conf_dir() / "data" / f"{name}.yaml").exists():
        raise InputError(
            f"data={name} is a level of mmclf's own: give the new one another name by --name"
        )
    file = config_dir / "data" / f"{name}.yaml"
    if file.exists():
        raise InputError(
            f"{file} exists, and is not overwritten: remove it, or give another name by --name"
        )
    return file


def level_text(guessed: Guess, name: str) -> str:
    """The YAML of a level: what it starts from, and each setting with what speaks for it."""
    lines = [
        f"# {shown(name)}, guessed by mmclf data init.",
        f"# {guessed.summary[0].upper()}{guessed.summary[1:]}.",
        f"defaults: [{guessed.source}]",
        f"root: {_yaml(str(guessed.root))}",
        *(f"{setting.key}: {_yaml(setting.value)} # {setting.why}" for setting in guessed.settings),
    ]
    return f"{narrow_yaml(chr(10).join(lines))}\n"


class _Dumper(yaml.SafeDumper):
    """Quotes what OmegaConf takes for a number, beyond what YAML does, as 1e5."""

    def represent_scalar(self, tag: str, value: Any, style: str | None = None) -> yaml.ScalarNode:
        """As PyYAML calls it."""
        is_like_number = tag.endswith(":str") and value[:1] in NUMBERS
        return super().represent_scalar(tag, value, '"' if is_like_number else style)


def _yaml(value: object) -> str:
    """A value in one line of YAML, which OmegaConf reads as it stands."""
    line: str = yaml.dump(
        _literal(value), Dumper=_Dumper, default_flow_style=True, allow_unicode=True, width=math.inf
    )
    return line.removesuffix("\n").removesuffix("\n...")


def _literal(value: object) -> object:
    """The value without interpolations: a column may be called ${oc.env:HOME}."""
    if isinstance(value, str):
        return re.sub(r"(\\*)\$\{", lambda match: match[1] * 2 + r"\${", value)
    if isinstance(value, list):
        return [_literal(item) for item in value]
    if isinstance(value, dict):
        return {key: _literal(item) for key, item in value.items()}
    return value


def _load(config_dir: Path, name: str) -> Samples:
    return load_samples(compose([f"data={name}"], config_dir).config)


def _summary(samples: Samples) -> str:
    """What the level reads."""
    own = {"validation": samples.own_val.sum(), "test": samples.own_test.sum()}
    parts = [f"{count} of its own {part} set" for part, count in own.items() if count]
    counted = [f"{len(samples)} samples, {len(samples.label_ids)} labels", *parts]
    return "\n".join([f"it reads {', '.join(counted)}", *samples.notes])


def _wrapped(text: str) -> str:
    lines = [
        line
        for paragraph in text.splitlines()
        for line in textwrap.wrap(
            paragraph,
            WIDTH,
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
    ]
    return "\n".join(lines)
