"""The subcommand `export`: a run's model as a file for other runtimes."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch

from mmclf.cli.command_parser import command_parser
from mmclf.cli.tracked_runs import open_tracker, sorted_words
from mmclf.config.user_modules import make_importable
from mmclf.errors import InputError, say
from mmclf.pipeline.predict.onnx_export import check_installed, export_onnx
from mmclf.pipeline.predict.restore import restore

DESCRIPTION = """\
Write the model of a tracked run for other runtimes, checked against torch to 1e-4.

head.onnx    fusion and head: vision_features and text_features (B, D) to logits and
             probabilities (B, L)
model.onnx   the whole: image (B, H, W, 3) of uint8 at the run's size, the tokenizer's input_ids
             and attention_mask (B, T); of TF-IDF text_features (B, D)
B and T are free. Labels, thresholds and sizes are in the files' metadata, as mmclf.*."""


def export(arguments: Sequence[str]) -> int:
    """`mmclf export RUN_ID --format onnx`."""
    parser = command_parser("export", DESCRIPTION)
    parser.add_argument("words", nargs="+", metavar="RUN_ID or KEY=VALUE")
    parser.add_argument("--format", choices=("onnx",), required=True)
    parser.add_argument("--out", metavar="DIR", help="default: export")
    parser.add_argument(
        "--config-dir",
        type=Path,
        metavar="DIR",
        help="the folder of modules named in allow_targets",
    )
    options = parser.parse_intermixed_args(arguments)
    overrides, run_ids = sorted_words(options.words)
    if len(run_ids) != 1:
        listed = ", ".join(run_ids) if run_ids else "none"
        raise InputError(f"mmclf export: found {listed}, expected one RUN_ID: see `mmclf runs`")
    check_installed()
    tracker, config = open_tracker(overrides, options.config_dir)
    if options.config_dir is not None:
        make_importable(options.config_dir, config.allow_targets)
    run = tracker.find(run_ids[0])
    with tempfile.TemporaryDirectory() as name, torch.random.fork_rng(devices=[]):
        folder = tracker.fetch(run, "model", Path(name))
        restored = restore(folder, config.allow_targets, config.allow_model_types)
    out = Path(options.out if options.out is not None else "export")
    for path, distance in export_onnx(restored, out, run.id).items():
        say(f"{path}: at most {distance:.1e} from torch")
    return 0
