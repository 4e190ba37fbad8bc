"""Overrides composed and checked, all errors at once, before Hydra runs anything."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from command_lines import HERE, LEVELS, problems
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.singleton import Singleton
from hydra.core.utils import JobRuntime
from hydra.version import VersionBase
from message_facts import Naming
from omegaconf import OmegaConf

from mmclf.config.compose import compose
from mmclf.config.composed import ConfigChecker
from mmclf.config.composer import open_composer
from mmclf.config.loader import HYDRA_STATE
from mmclf.errors import InputError

NEEDS = {
    "vision=timm": "vision.name=resnet18",
    "text=huggingface": "text.name=roberta-base",
    "data=table": "data.file=samples.csv",
}


@pytest.mark.parametrize("level", LEVELS)
def test_every_shipped_level_composes(level: str) -> None:
    needs = ["vision=timm", NEEDS["vision=timm"]] if level == "text=none" else []
    needs += [NEEDS[level]] if level in NEEDS else []
    here = [] if level == "data=demo" else ["data.root=here"] if "data=" in level else HERE
    composed = compose([*here, level, *needs])
    group, _, name = level.partition("=")
    assert composed.choices[group] == name
    assert composed.overrides == [*here, level, *needs]


def test_bare_is_the_demo_on_captions_alone() -> None:
    composed = compose()
    assert (composed.choices["vision"], composed.choices["text"]) == ("none", "tfidf")
    assert "experiment" not in composed.choices
    assert composed.config.data.part["root"] == "outputs/store/demo/v2-0-1200-400"
    assert composed.tree["tracking"]["uri"] == "sqlite:///outputs/mlflow.db"
    assert "hydra" not in composed.tree


def test_a_group_still_overrides_a_preset() -> None:
    composed = compose([*HERE, "experiment=improved", "text=tfidf", "trainer.epochs=2"])
    assert composed.choices["text"] == "tfidf"
    assert (composed.config.trainer.epochs, composed.config.trainer.batch_size) == (2, 256)
    assert composed.config.threshold["value"] == 0.45


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("visoin=none", Naming("'visoin'", "'vision'")),
        (
            "vision=efficientnet_lite",
            Naming("'efficientnet_lite'", "'efficientnet_lite0'"),
        ),
        ("trainer.epoch=3", Naming("'trainer.epoch'", "'trainer.epochs'")),
        ("trainr.epochs=3", Naming("'trainer.epochs'")),
        ("epochs=3", Naming("'trainer.epochs'")),
        ("sed=3", Naming("'seed'")),
        ("vision.weights=random", Naming("vision", "no settings")),
        ("text.min_fd=3", Naming("'text.min_df'")),
        ("optimizer.eps=1e-9", Naming("+optimizer.eps=1e-9")),
        ("hydra.job.nmae=x", Naming("'hydra.job.name'")),
        ("hydra/lancher=basic", Naming("'hydra/launcher'")),
        ("hydra/launcher=basik", Naming("'basic'")),
        ("threshold=0.4", Naming("threshold", "threshold.value=0.4")),
        ("vision=[none,timm]", Naming("vision", "one level")),
        ("experiment=null", Naming("experiment", "one level")),
        ("++text=tfidf", Naming("text=tfidf")),
        ("~trainer.epoch", Naming("'trainer.epochs'")),
        ("~seed", Naming("seed", "missing", "seed=VALUE")),
        ("~text", Naming("text", "missing", "text=LEVEL")),
        ("+sede=1", Naming("sede", "'seed'")),
        ("++head.x=1", Naming("head.x", "not a setting")),
        ("+optimizer.wight_decay=1", Naming("'weight_decay'")),
        ("seed", Naming("no =")),
        ("=3", Naming("no key")),
        ("a b=3", Naming("character")),
        ("seed=[1", Naming("no viable alternative")),
        ("seed=1,2", Naming("-m")),
        ("seed=range(3)", Naming("-m")),
        ("output_dir=${nothing}", Naming("'nothing'")),
        ("seed=${hydra.job.num}", Naming("seed")),
        ("text._target_=os.system", Naming("text._target_", "'os.system'", "not allowed")),
        (
            "+hydra.callbacks.x._target_=hydra.experimental.callbacks.PickleJobInfoCallback",
            Naming("callback"),
        ),
        ("+hydra.job_logging.handlers.console.()=subprocess.Popen", Naming("character")),
        ("hydra.job_logging.handlers.console.class=antigravity.Handler", Naming("not allowed")),
        (
            "+hydra.job.env_set.LD_PRELOAD=x.so",
            Naming("hydra.job.env_set.LD_PRELOAD", "not allowed"),
        ),
        ("hydra.job.chdir=true", Naming("hydra.job.chdir", "not allowed")),
        ("hydra.job.env_copy=[NO_SUCH_VARIABLE]", Naming("NO_SUCH_VARIABLE")),
        ("hydra.searchpath=[pkg://antigravity]", Naming("'pkg://antigravity'", "not allowed")),
        ("hydra.mode=SIDEWAYS", Naming("SIDEWAYS")),
        ("hydra.mode=MULTIRUN", Naming("one run")),
        ("allow_targets=os", Naming("allow_targets", "'os'", "list")),
        ("allow_targets=[os]", Naming("allow_targets", "'os'")),
    ],
)
def test_a_bad_override_is_answered(override: str, message: Naming) -> None:
    with pytest.raises(InputError) as caught:
        compose([*HERE, override])
    assert str(caught.value) == message
    assert all("\n" not in problem for problem in caught.value.problems)
    assert "antigravity" not in sys.modules


def test_all_errors_come_at_once() -> None:
    bad = ("visoin=timm", "text=tfdif", "trainer.epoch=3", "seed=-1", "head.dropout=2", "loss.x=1")
    messages = problems(*bad, "b d=1")
    for part in (
        *bad[:3],
        "seed: ",
        "head.dropout: ",
        "loss.x=1",
        "b d=1",
        "vision.name is missing",
    ):
        assert any(problem.startswith(part) for problem in messages), part
    assert len(messages) == 8


STATE = {GlobalHydra, JobRuntime, VersionBase, *HYDRA_STATE}


def test_nothing_of_hydras_state_is_left_behind() -> None:
    before = {key: Singleton._instances.get(key) for key in STATE}
    compose(HERE)
    with pytest.raises(InputError):
        compose(["seed=-1"])
    with pytest.raises(RuntimeError, match="boom"), open_composer([]):
        raise RuntimeError("boom")
    assert {key: Singleton._instances.get(key) for key in STATE} == before


def test_it_works_where_hydra_is_already_initialised(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text("x: 1\n")
    with initialize_config_dir(str(tmp_path), job_name="other", version_base="1.3"):
        outer, version = GlobalHydra.instance(), VersionBase.instance()
        compose(HERE)
        assert GlobalHydra.instance() is outer
        assert JobRuntime.instance().get("name") == "other"
        assert VersionBase.instance() is version


def test_a_job_is_checked_like_the_command_line() -> None:
    given = [*HERE, "seed=3", "output_dir=x"]
    with open_composer(given) as composer:
        cfg = composer.compose(given)
    task = OmegaConf.masked_copy(cfg, [str(key) for key in cfg if key != "hydra"])
    composed = ConfigChecker().check_job(task, cfg.hydra)
    alone = compose([*HERE, "seed=3", "output_dir=x"])
    assert (composed.config, composed.tree) == (alone.config, alone.tree)
    assert (composed.choices, composed.overrides) == (alone.choices, alone.overrides)
    task.seed = -3
    with pytest.raises(InputError, match="seed: found -3"):
        ConfigChecker().check_job(task, cfg.hydra)
    assert HydraConfig.instance().cfg is None


def test_a_compose_error_needs_no_torch() -> None:
    code = (
        "import sys\nfrom mmclf.config.compose import compose\n"
        "from mmclf.errors import InputError\n"
        "try: compose(['a b=1', 'hydra.searchpath=[pkg://x]'])\n"
        "except InputError: sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
