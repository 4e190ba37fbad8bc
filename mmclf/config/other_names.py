"""What other frameworks call the settings and levels of mmclf: advice by meaning, not spelling."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import PurePath

from mmclf.errors import folded

# By the last part of a key; only those that are settings of the configuration at hand are named.
_KEYS: Mapping[str, Sequence[str]] = {
    "optimizer.lr": ("learning_rate", "lr", "eta", "base_lr", "initial_lr", "step_size"),
    "optimizer.weight_decay": ("weight_decay", "wd", "l2", "weight_penalty"),
    "optimizer.momentum": ("momentum",),
    "trainer.epochs": (
        *("epochs", "epoch", "num_epochs", "n_epochs", "nb_epoch", "max_epochs"),
        *("num_train_epochs", "train_epochs"),
    ),
    "trainer.batch_size": (
        *("batch_size", "batch", "bs", "bsz", "train_batch_size", "mini_batch_size"),
        *("minibatch_size", "per_device_train_batch_size"),
    ),
    "trainer.accumulate": (
        "accumulation_steps",
        "gradient_accumulation_steps",
        "accumulate_grad_batches",
    ),
    "trainer.clip_norm": (
        *("max_grad_norm", "grad_clip", "gradient_clip", "clip_grad", "clip_grad_norm"),
        "gradient_clip_val",
    ),
    "trainer.patience": ("early_stopping", "early_stop", "early_stopping_patience"),
    "trainer.precision": ("amp", "mixed_precision", "fp16", "bf16", "half", "precision"),
    "trainer.monitor": ("monitor", "metric_for_best_model"),
    "encode.workers": ("num_workers", "workers", "n_workers", "dataloader_num_workers"),
    "head.hidden": ("hidden_size", "hidden_dim", "hidden_units", "num_hidden", "hidden"),
    "head.dropout": ("dropout", "dropout_rate", "drop_rate", "p_dropout", "dropout_p"),
    "image.size": (
        *("image_size", "img_size", "imgsz", "input_size", "resolution", "image_resolution"),
    ),
    "text.max_length": ("max_len", "max_seq_len", "max_seq_length", "max_length", "max_tokens"),
    "threshold.value": ("cutoff", "threshold_value", "decision_threshold"),
    "split.val": ("val_size", "val_split", "validation_split", "val_fraction", "validation_size"),
    "split.test": ("test_size", "test_split", "test_fraction"),
    "seed": ("random_seed", "random_state", "rng_seed", "manual_seed"),
    "device": ("gpu", "gpus", "cuda", "accelerator", "use_cuda", "no_cuda"),
    "output_dir": ("out", "output", "out_dir", "outdir", "save_dir", "log_dir", "results_dir"),
    "data.root": ("data_dir", "data_root", "data_path", "dataset_dir", "dataset_path", "root"),
    "tracking.experiment": ("experiment_name",),
    "tracking.uri": ("tracking_uri", "mlflow_uri", "mlflow_tracking_uri"),
    "store.dir": ("cache_dir",),
    "vision.trainable": ("freeze_vision", "finetune_vision", "unfreeze_vision"),
    "text.trainable": ("freeze_text", "finetune_text", "unfreeze_text"),
    # Groups, of which a level is chosen.
    "loss": ("criterion", "loss_fn", "loss_function", "objective"),
    "optimizer": ("optim", "opt", "optimiser", "solver"),
    "scheduler": ("lr_scheduler", "lr_schedule", "schedule", "sched"),
    "vision": ("image_encoder", "backbone", "image_model", "vision_model", "cnn", "img"),
    "text": ("text_encoder", "language_model", "caption_encoder", "text_model", "tokenizer"),
    "data": ("dataset", "datamodule", "ds"),
    "augment": ("augmentation", "augmentations", "aug"),
}
OTHER_KEYS: Mapping[str, str] = {
    folded(name): key for key, names in _KEYS.items() for name in names
}
_LEVELS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "loss": {
        "bce": (
            *("cross_entropy", "binary_cross_entropy", "bce_loss", "bce_with_logits"),
            *("bce_with_logits_loss", "logloss", "log_loss", "ce"),
        ),
        "weighted_bce": ("balanced", "weighted", "pos_weight", "class_weights"),
        "asymmetric": ("asl", "asymmetric_loss"),
        "focal": ("focal_loss", "fl"),
    },
    "data": {
        "table": ("csv", "tsv", "parquet", "jsonl", "json_lines", "pandas", "dataframe", "file"),
        "coco": ("mscoco", "ms_coco", "json"),
        "competition": ("comp5329", "comp", "kaggle"),
        "demo": ("toy", "example", "synthetic", "generated", "sample"),
    },
    "scheduler": {"constant": ("none", "null", "off", "fixed", "no")},
    "threshold": {
        "global_f1": ("fitted", "tuned", "auto", "best", "global"),
        "per_label_f1": ("per_label", "per_class", "label_wise", "labelwise"),
    },
    "vision": {"none": ("null", "off", "false", "no")},
    "text": {"none": ("null", "off", "false", "no"), "tfidf": ("bow", "bag_of_words", "tf_idf")},
    "augment": {"none": ("null", "off", "false", "no")},
    "fusion": {"concat": ("concatenate", "concatenation", "cat"), "sum": ("add", "addition")},
    "split": {"iterative": ("stratified", "stratify", "multilabel")},
    "optimizer": {"sgd": ("nesterov", "momentum")},
}
OTHER_LEVELS: Mapping[tuple[str, str], str] = {
    (group, folded(name)): level
    for group, levels in _LEVELS.items()
    for level, names in levels.items()
    for name in names
}
# What a number in the place of a level means.
NUMBERS: Mapping[str, str] = {
    "threshold": "threshold=fixed threshold.value={}",
    "image": "image.size={}",
    "augment": "augment=crop_flip augment.views={}",
    "trainer": "trainer.epochs={}",
    "optimizer": "optimizer.lr={}",
    "head": "head.hidden={}",
}
TABLES = (".csv", ".tsv", ".jsonl", ".parquet", ".csv.gz", ".tsv.gz", ".jsonl.gz")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)


def key_by_meaning(key: str, known: Collection[str]) -> str | None:
    """The known setting or group that other frameworks call `key`, or its last part."""
    meant = (OTHER_KEYS.get(folded(name)) for name in (key, key.rpartition(".")[2]))
    return next((name for name in meant if name in known and name != key), None)


def level_by_meaning(group: str, value: str, levels: Collection[str]) -> str | None:
    """The level of `group` that others call `value`."""
    level = OTHER_LEVELS.get((group, folded(value)))
    return level if level in levels else None


def instead_of_level(group: str, value: str) -> str | None:
    """What to type where `value` is no level of `group`, but a number or a file."""
    return next(_instead(group, value), None)


def _instead(group: str, value: str) -> Iterator[str]:
    if group in NUMBERS and _NUMBER.fullmatch(value):
        yield NUMBERS[group].format(value)
    if group == "data":
        path = PurePath(value)
        if path.name.lower().endswith(TABLES):
            yield f"data=table data.root={path.parent} data.file={path.name}"
        elif "/" in value:
            yield f"mmclf data init {value}"
