"""What a run came to, for a person: scores in points, time, where it is, what comes next."""

from __future__ import annotations

import math
import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mmclf.config.schema import Config
from mmclf.config.shipped import conf_dir
from mmclf.pipeline.result import Result
from mmclf.plots.words import score
from mmclf.progress import duration
from mmclf.storage.tracking.database import shown_uri

SHOWN = 8  # digits of an id, which are enough to name it by
SCORES: Mapping[str, str] = {
    "samples F1": "f1_samples",
    "micro F1": "f1_micro",
    "macro F1": "f1_macro",
    "mAP": "map",
}
INDENT, SCORE = 12, 10  # characters of the first and of the other columns


def summary(result: Result, config: Config) -> list[str]:
    """The lines of a run's summary."""
    now, cold = (duration(result.metrics[f"time/{name}_s"]) for name in ("wall", "cold"))
    sizes = "  ".join(f"{part} {size:,}" for part, size in result.sizes.items())
    lines = [_row("samples", sizes), "".join([" " * INDENT, *(f"{n:>{SCORE}}" for n in SCORES)])]
    for part in ("val", "test"):
        values = [result.metrics.get(f"{part}/{key}", math.nan) for key in SCORES.values()]
        lines.append(f"{part:<{INDENT}}" + "".join(f"{score(v):>{SCORE}}" for v in values))
    lines += [
        _row("best epoch", f"{result.metrics['best_epoch']:.0f} of {len(result.history)}"),
        _row("time", f"{now} now; with an empty store, {cold} of computing"),
    ]
    if result.artifact_uri is not None:
        lines.append(_row("artifacts", _location(result.artifact_uri)))
    predict = " ".join(["mmclf predict", result.run_id[:SHOWN], *place_words(config)])
    return [*lines, *next_lines(predict, open_ui(config))]


def next_lines(*commands: str) -> list[str]:
    """What one types next, a line each."""
    return [_row("" if number else "next", command) for number, command in enumerate(commands)]


def place_words(config: Config) -> list[str]:
    """The overrides by which another command finds the runs of this one."""
    if config.tracking.uri != f"sqlite:///{config.output_dir}/mlflow.db":
        return [shlex.quote(f"tracking.uri={shown_uri(config.tracking.uri)}")]
    is_usual = config.output_dir == "outputs"
    return [] if is_usual else [shlex.quote(f"output_dir={config.output_dir}")]


def open_ui(config: Config) -> str:
    """The command that shows the runs in MLflow, or where its server does."""
    uri = config.tracking.uri
    if urlsplit(uri).scheme in ("http", "https"):
        return shown_uri(uri)
    in_checkout = Path("Makefile").is_file() and Path.cwd() == conf_dir().parent
    if in_checkout and uri == f"sqlite:///{config.output_dir}/mlflow.db":
        usual = config.output_dir == "outputs"
        return "make ui" if usual else f"make ui OUTPUTS={shlex.quote(config.output_dir)}"
    return f"mlflow ui --backend-store-uri {shlex.quote(shown_uri(uri))}"


def _row(name: str, words: str) -> str:
    return f"{name:<{INDENT}}{words}"


def _location(uri: str) -> str:
    """A folder of this machine as it is seen from here, or an address as it is."""
    parts = urlsplit(uri)
    if parts.scheme not in ("", "file"):
        return shown_uri(uri)
    folder = Path(unquote(parts.path))
    near = os.path.relpath(folder)
    return str(folder) if near.startswith("..") else near
