"""The composed config is checked whole: every setting, every part, the `hydra` node."""

from __future__ import annotations

import copy
import sys
from typing import Any

import pytest

from mmclf.config.hydra_policy import check_hydra, check_searchpath
from mmclf.config.schema import Config
from mmclf.config.validate import check
from mmclf.errors import InputError

VISION = {
    "_target_": "mmclf.models.vision.TimmEncoder",
    "name": "resnet18",
    "trainable": False,
    "lr": 1e-4,
}


def tree() -> dict[str, Any]:
    return {
        "data": {
            "_target_": "mmclf.data.sources.competition.load",
            "root": "here",
            "on_bad_image": "error",
            "caption_order": "own",
        },
        "split": {"method": "iterative", "val": 0.1, "test": 0.1, "test_seed": 0},
        "image": {"size": 224, "crop": None},
        "augment": {
            "views": 1,
            "padding": 0,
            "horizontal_flip": 0.0,
            "vertical_flip": 0,
            "seed": 0,
        },
        "vision": {"_target_": None, "trainable": False, "lr": 1e-4},
        "text": {
            "_target_": "mmclf.models.tfidf.Tfidf",
            "min_df": 1,
            "trainable": False,
            "lr": 1e-4,
        },
        "fusion": {"_target_": "mmclf.models.fusion.Concat"},
        "loss": {"_target_": "torch.nn.BCEWithLogitsLoss"},
        "threshold": {"_target_": "mmclf.evaluation.thresholds.Fixed", "value": 0.5},
        "optimizer": {"_target_": "torch.optim.Adam", "lr": 0.001},
        "scheduler": {"_target_": "torch.optim.lr_scheduler.CosineAnnealingLR"},
        "trainer": {
            "epochs": 10,
            "batch_size": 64,
            "accumulate": 1,
            "clip_norm": None,
            "patience": None,
            "precision": "fp32",
            "refit": False,
            "monitor": "val/loss",
        },
        "tracking": {"uri": "sqlite:///x.db", "experiment": "mmclf", "parent": None},
        "seed": 0,
        "device": "auto",
        "output_dir": "outputs",
        "allow_targets": [],
        "head": {"hidden": 512, "dropout": 0.0, "input_dropout": 0.0},
        "at_test": {"vision": "as_is", "text": "as_is"},
        "encode": {"batch_size": 64, "precision": "auto", "workers": None},
        "cache": "on",
        "store": {"dir": "outputs/store"},
    }


def changed(**settings: object) -> dict[str, Any]:
    """The tree with other settings, `__` for a dot; a value of `...` removes the key."""
    result = tree()
    for path, value in settings.items():
        *parents, key = path.replace("__", ".").split(".")
        node = result
        for parent in parents:
            node = node[parent]
        if value is ...:
            del node[key]
        else:
            node[key] = value
    return result


def problems(config: dict[str, Any], granted: list[str] | None = None) -> list[str]:
    before = copy.deepcopy(config)
    with pytest.raises(InputError) as caught:
        check(config, granted or [])
    assert config == before
    return list(caught.value.problems)


def test_a_good_tree_becomes_the_config() -> None:
    config = check(tree())
    assert isinstance(config, Config)
    assert (config.trainer.epochs, config.head.hidden, config.optimizer["lr"]) == (10, 512, 0.001)


@pytest.mark.parametrize(
    "settings",
    [
        {"head__hidden": None},
        {"head__dropout": 0},
        {"seed": 2**32 - 1},
        {"encode__workers": 4},
        {"optimizer__betas": [0.9, 0.99]},
        {"optimizer__foreach": None},
        {"text__max_features": None},
        {
            "loss": {
                "_target_": "mmclf.models.losses.WeightedBCE",
                "form": "log",
                "max_weight": None,
            }
        },
        {"loss": {"_target_": "timm.loss.AsymmetricLossMultiLabel", "gamma_neg": 2}},
        {
            "data": {
                "_target_": "mmclf.data.sources.competition.load",
                "root": "x",
                "label_names": {"1": "a"},
                "on_bad_image": "skip",
                "caption_order": "shuffled",
            }
        },
        {"fusion": {"_target_": "torch.nn.Sequential"}},
        {"image__crop": 1.0},
        {"text__trainable": True, "text__lr": 3},
        {"at_test__text": "shuffled"},
        {"at_test__text": "dropped", "vision": VISION},
        {"at_test": {"vision": "dropped", "text": "shuffled"}, "vision": VISION},
        {"trainer__clip_norm": 1, "trainer__patience": 2, "trainer__precision": "fp16"},
        {"scheduler": {"_target_": "torch.optim.lr_scheduler.StepLR", "step_size": 10}},
    ],
)
def test_what_is_allowed_passes(settings: dict[str, object]) -> None:
    check(changed(**settings))


BAD_SETTINGS: list[tuple[dict[str, object], str]] = [
    ({"seed": -1}, "seed: found -1, expected at least 0"),
    ({"seed": 2**32}, "seed: found 4294967296, expected a number below 4294967296"),
    ({"seed": 1.5}, "seed: found 1.5, expected a whole number"),
    ({"seed": True}, "seed: found True, expected a whole number"),
    ({"seed": "3"}, "seed: found '3', expected a whole number"),
    ({"seed": ...}, "seed is missing: give seed=VALUE"),
    ({"vision": ...}, "vision is missing: give vision=LEVEL"),
    ({"vision__trainable": True}, "vision.trainable is true, but vision is none: choose a level"),
    ({"text__trainable": "yes"}, "text.trainable: found 'yes', expected true or false"),
    ({"text__lr": 0.0}, "text.lr: found 0.0, expected a number above 0"),
    ({"text__lr": float("inf")}, "text.lr: found inf, expected a finite number"),
    ({"text__lr": ...}, "text.lr is missing: give text.lr=VALUE"),
    ({"text": {"trainable": False, "lr": 1.0}}, "text is missing: give text=LEVEL"),
    (
        {"data__on_bad_image": "skp"},
        "data.on_bad_image: found 'skp' (did you mean 'skip'?), expected 'error' or 'skip'",
    ),
    (
        {"data__caption_order": "shufled"},
        "data.caption_order: found 'shufled' (did you mean 'shuffled'?), expected 'own' or 'shuf",
    ),
    (
        {"at_test__vision": "droped"},
        "at_test.vision: found 'droped' (did you mean 'dropped'?), expected 'as_is', 'dropped' or",
    ),
    (
        {"at_test__vision": "shuffled"},
        "at_test.vision is 'shuffled', but vision is none: give at_test.vision=as_is, or choose a",
    ),
    (
        {"at_test__text": "dropped"},
        "at_test drops text, which leaves nothing to tell test samples apart by: give at_test.text",
    ),
    (
        {"at_test": {"vision": "dropped", "text": "dropped"}, "vision": VISION},
        "at_test drops vision and text, which leaves nothing",
    ),
    ({"at_test__words": "as_is"}, "at_test.words is not a setting: valid: text, vision"),
    ({"at_test": ...}, "at_test is missing: give at_test=VALUE"),
    ({"head__input_dropout": 1.0}, "head.input_dropout: found 1.0, expected a number below 1"),
    ({"image__crop": 0.0}, "image.crop: found 0.0, expected a number above 0.0 or null"),
    ({"image__crop": 1.01}, "image.crop: found 1.01, expected at most 1.0 or null"),
    ({"split__method": "randm"}, "split.method: found 'randm' (did you mean 'random'?)"),
    ({"trainer__accumulate": 0}, "trainer.accumulate: found 0, expected at least 1"),
    (
        {"trainer__clip_norm": 0.0},
        "trainer.clip_norm: found 0.0, expected a number above 0.0 or null",
    ),
    ({"trainer__patience": 0}, "trainer.patience: found 0, expected at least 1 or null"),
    ({"trainer__precision": "fp8"}, "trainer.precision: found 'fp8'"),
    ({"trainer__refit": 1}, "trainer.refit: found 1, expected true or false"),
    (
        {"scheduler": {"_target_": "torch.optim.lr_scheduler.ReduceLROnPlateau"}},
        "scheduler._target_ 'torch.optim.lr_scheduler.ReduceLROnPlateau' is another class",
    ),
    (
        {"scheduler__T_max": 5},
        "scheduler.T_max is given by mmclf itself: leave it out",
    ),
    (
        {"scheduler": {"_target_": "torch.optim.lr_scheduler.StepLR"}},
        "scheduler.step_size is missing",
    ),
    ({"scheduler": {"_target_": "torch.optim.Adam"}}, "scheduler._target_ 'torch.optim.Adam'"),
    ({"output_dir": ""}, "output_dir: found '', expected a text that is not empty"),
    ({"store__dir": 3}, "store.dir: found 3, expected a text"),
    ({"head": 3}, "head: found 3, expected a mapping"),
    ({"head__hidden": 0}, "head.hidden: found 0, expected at least 1 or null"),
    ({"head__dropout": 1.0}, "head.dropout: found 1.0, expected a number below 1.0"),
    ({"head__dropout": float("nan")}, "head.dropout: found nan, expected a number below 1.0"),
    ({"augment__vertical_flip": 2}, "augment.vertical_flip: found 2, expected at most 1.0"),
    ({"image__size": None}, "image.size: found null, expected a whole number"),
    (
        {"encode__precision": "fp23"},
        "encode.precision: found 'fp23' (did you mean 'fp32'?), expected 'auto', 'fp32' or 'bf16'",
    ),
    ({"head__droput": 0.1}, "head.droput is not a setting: did you mean 'dropout'? valid: "),
    ({"sead": 3}, "sead is not a setting: did you mean 'seed'? valid: "),
    ({"trainer__epochs": "???"}, "trainer.epochs is missing: give trainer.epochs=EPOCHS"),
    ({"data__root": "???"}, "data.root is missing: give data.root=DIR"),
    ({"split__val": 0.6, "split__test": 0.5}, "split.val and split.test: found 0.6 and 0.5"),
    ({"augment__views": 2, "augment__padding": 224}, "augment.padding: found 224, expected less"),
    (
        {"text": {"_target_": None, "trainable": False, "lr": 1.0}},
        "vision and text are both none",
    ),
    ({"vision__name": "resnet18"}, "vision.name is set, but vision is none"),
    ({"fusion__dims": [1]}, "fusion.dims is given by mmclf itself: leave it out"),
    ({"optimizer__params": []}, "optimizer.params is given by mmclf itself: leave it out"),
    ({"optimizer__lr": "abc"}, "optimizer.lr: found 'abc', expected a number"),
    (
        {"optimizer__beta": 1},
        "optimizer.beta is not a setting of torch.optim.adam.Adam: did you mean 'betas'?",
    ),
    ({"text__max_features": "many"}, "text.max_features: found 'many', expected a whole number or"),
    ({"text__sublinear_tf": 1}, "text.sublinear_tf: found 1, expected true or false"),
    ({"data__root": ...}, "data.root is missing: mmclf.data."),
    ({"data__label_names": ["a"]}, "data.label_names: found ['a'], expected a mapping or null"),
    ({"loss__train_labels": 1}, "loss.train_labels is not a setting of torch.nn.modules.loss."),
    ({"fusion": {}}, "fusion._target_ is missing"),
    (
        {"fusion__dim": 1},
        "fusion.dim is not a setting of mmclf.models.fusion.Concat: valid: normalise",
    ),
]


@pytest.mark.parametrize(("settings", "message"), BAD_SETTINGS)
def test_a_bad_setting_is_named(settings: dict[str, object], message: str) -> None:
    (problem,) = problems(changed(**settings))
    assert problem.startswith(message)
    assert "\n" not in problem


@pytest.mark.parametrize("key", ["_partial_", "_args_", "_recursive_", "_convert_", "_mode_"])
def test_hydras_own_keys_are_refused_in_a_part(key: str) -> None:
    assert (
        f"optimizer.{key} is not supported" in problems(changed(**{f"optimizer__{key}": True}))[0]
    )


@pytest.mark.parametrize(
    "settings",
    [
        {"loss___target_": "os.system"},
        {"loss___target_": "torch.hub.load"},
        {"loss___target_": "timm.models._builder.os.system"},
        {"loss___target_": "torch.nn.functional.torch.hub.load"},
        {"loss___target_": None},
        {"loss__weight": {"_target_": "antigravity.fly"}},
        {"loss__weight": [{"_target_": "torch.nn.Linear"}]},
        {"loss__weight": {"deep": {"_target_": "torch.nn.Linear"}}},
        {"head___target_": "antigravity.fly"},
        {"extra": {"deep": {"_target_": "antigravity.fly"}}},
        {"head__hidden": {"_target_": "antigravity.fly"}},
    ],
)
def test_a_target_in_the_wrong_place_is_refused(settings: dict[str, Any]) -> None:
    # `loss___target_` splits into loss and _target_ at the first two underscores.
    assert any("_target_" in problem for problem in problems(changed(**settings)))
    assert "antigravity" not in sys.modules


def test_a_config_file_grants_itself_nothing() -> None:
    config = changed(allow_targets=["antigravity"], loss={"_target_": "antigravity.fly"})
    grant, target = problems(config)
    assert "allow_targets: found ['antigravity'] in a config file" in grant
    assert "loss._target_ 'antigravity.fly' is not allowed" in target
    assert "antigravity" not in sys.modules


def test_a_grant_of_the_command_line_must_be_ones_own() -> None:
    config = changed(allow_targets=["os"], loss={"_target_": "os.system"})
    assert len(problems(config, ["os"])) == 2


def test_all_errors_come_at_once() -> None:
    one_each = {}
    for settings, message in BAD_SETTINGS:
        top = min(settings).partition("__")[0]
        if top not in one_each and ... not in settings.values() and top not in ("vision", "text"):
            one_each[top] = (settings, message)
    merged = {key: value for settings, _ in one_each.values() for key, value in settings.items()}
    found = problems(changed(**merged))
    assert len(found) == len(one_each) >= 10
    for _, message in one_each.values():
        assert any(text.startswith(message) for text in found), message


def hydra() -> dict[str, Any]:
    return {
        "sweeper": {"_target_": "hydra._internal.core_plugins.basic_sweeper.BasicSweeper"},
        "launcher": {"_target_": "hydra._internal.core_plugins.basic_launcher.BasicLauncher"},
        "callbacks": {},
        "searchpath": ["conf", "file:///conf"],
        "job": {"name": "mmclf", "env_set": {"OMP_NUM_THREADS": "1"}},
        "runtime": {"output_dir": "???", "choices": {"hydra/launcher": "basic"}},
        "job_logging": {
            "version": 1,
            "formatters": {
                "simple": {"format": "%(message)s"},
                "colour": {"()": "colorlog.ColoredFormatter", "log_colors": {"INFO": "green"}},
            },
            "handlers": {
                "console": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout"},
                "file": {
                    "class": "logging.FileHandler",
                    "filename": "${hydra.runtime.output_dir}/${hydra.job.name}.log",
                },
            },
            "root": {"level": "INFO", "handlers": ["console", "file"]},
        },
        "hydra_logging": {"version": 1, "root": None},
    }


def test_a_good_hydra_node_passes() -> None:
    assert check_hydra(hydra()) == []


SLURM: dict[str, Any] = {
    "_target_": "hydra_plugins.hydra_submitit_launcher.submitit_launcher.SlurmLauncher",
    "submitit_folder": "${hydra.sweep.dir}/.submitit/%j",
    "name": "${hydra.job.name}",
    "partition": "gpu",
    "additional_parameters": {},
    "setup": None,
}


@pytest.mark.parametrize(
    "launcher",
    [
        {
            "_target_": "hydra_plugins.hydra_joblib_launcher.joblib_launcher.JoblibLauncher",
            "n_jobs": 2,
        },
        SLURM,
        {"_target_": "hydra_plugins.hydra_submitit_launcher.submitit_launcher.LocalLauncher"},
        {"_target_": "hydra_plugins.hydra_ray_launcher.ray_launcher.RayLauncher", "ray": {}},
    ],
)
def test_the_launchers_of_hydra_are_allowed(launcher: dict[str, Any]) -> None:
    assert check_hydra(hydra() | {"launcher": launcher}) == []


@pytest.mark.parametrize(
    "setting",
    [
        {"setup": ["rm -r x"]},
        {"additional_parameters": {"wrap": "x"}},
        {"srun_args": ["x"]},
        {"python": "x"},
        {"submitit_folder": "${oc.env:HOME}"},
    ],
)
def test_a_launcher_runs_no_command_of_a_config_file(setting: dict[str, Any]) -> None:
    (found,) = check_hydra(hydra() | {"launcher": SLURM | setting})
    assert found.startswith(f"hydra.launcher.{next(iter(setting))}")


def test_the_sweeper_of_studies_is_allowed() -> None:
    sweeper = {"_target_": "hydra_plugins.mmclf.study_sweeper.StudySweeper"}
    assert check_hydra(hydra() | {"sweeper": sweeper}) == []


HANDLERS = "job_logging.handlers"
CALLBACK = {"_target_": "hydra.experimental.callbacks.PickleJobInfoCallback"}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("callbacks", {"pickle": CALLBACK}),
        ("callbacks", "${loss}"),
        ("sweeper", {"_target_": "os.system"}),
        ("sweeper", "${loss}"),
        ("sweeper", None),
        ("sweeper.args", CALLBACK),
        ("sweeper._args_", ["x"]),
        ("launcher", {"_target_": "hydra_plugins.evil.Launcher"}),
        ("launcher.backend", "${loss}"),
        ("launcher._partial_", True),
        ("job", "${loss}"),
        ("job.name", "ext:"),
        ("job.name", "${loss}"),
        ("job.chdir", True),
        ("job.env_set", {"LD_PRELOAD": "/tmp/evil.so"}),
        ("job.env_set", {"PYTHONPATH": "/tmp"}),
        ("job.env_set", "${loss}"),
        ("runtime.output_dir", "ext://antigravity."),
        ("searchpath", ["pkg://antigravity"]),
        ("searchpath", ["${oc.env:HOME}"]),
        ("searchpath", "conf"),
        ("help", {"deep": CALLBACK}),
        ("job_logging", "${loss}"),
        ("hydra_logging", {"version": 1, "handlers": "${loss}"}),
        ("hydra_logging.filters", {"f": {"()": "subprocess.Popen", "args": "true"}}),
        ("job_logging.formatters.simple.()", "subprocess.Popen"),
        ("job_logging.formatters.simple.class", "antigravity.Formatter"),
        ("job_logging.formatters.simple", "${loss}"),
        ("job_logging.formatters.simple.datefmt", "ext://antigravity.fly"),
        (f"{HANDLERS}.console.()", "subprocess.Popen"),
        (f"{HANDLERS}.console.class", "logging.handlers.SocketHandler"),
        (f"{HANDLERS}.console.class", "${loss._target_}"),
        (f"{HANDLERS}.console.class", ["logging.StreamHandler"]),
        (f"{HANDLERS}.console.stream", "ext://antigravity.fly"),
        (f"{HANDLERS}.console.stream", "cfg://root"),
        (f"{HANDLERS}.console.filters", ["f"]),
        (f"{HANDLERS}.console..", {"level": 1}),
        (f"{HANDLERS}.file.filename", "/etc/cron.d/evil.log"),
        (f"{HANDLERS}.file.filename", "../evil.log"),
        (f"{HANDLERS}.file.filename", "setup.py"),
        (f"{HANDLERS}.file.filename", "${loss}.log"),
        (f"{HANDLERS}.file.filename", "ext://antigravity.log"),
        (f"{HANDLERS}.odd", "${loss}"),
        ("job_logging.loggers", {"x": {"handlers": "ext://antigravity.fly"}}),
        ("job_logging.root.level", "ext://antigravity.fly"),
    ],
)
def test_a_hostile_hydra_node_is_refused(path: str, value: object) -> None:
    node = hydra()
    keys = [*path[:-2].split("."), "."] if path.endswith("..") else path.split(".")
    here = node
    for key in keys[:-1]:
        here = here[key]
    here[keys[-1]] = value
    found = check_hydra(node)
    assert found
    assert all(problem.startswith(f"hydra.{keys[0]}") for problem in found)
    assert "antigravity" not in sys.modules


def test_the_dotted_name_of_a_handler_hides_nothing() -> None:
    node = hydra()
    node["job_logging"]["handlers"]["x.filename"] = "${loss}"
    assert check_hydra(node)


def test_what_is_no_mapping_is_refused() -> None:
    assert check_hydra("${loss}")
    assert check_searchpath(None) == []
