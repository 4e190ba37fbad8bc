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
        ("visoin=none", "there is no group 'visoin': did you mean 'vision'?"),
        (
            "vision=efficientnet_lite",
            "no level 'efficientnet_lite': did you mean 'efficientnet_lite0'?",
        ),
        ("trainer.epoch=3", "no setting 'trainer.epoch': did you mean 'trainer.epochs'?"),
        ("trainr.epochs=3", "did you mean 'trainer.epochs'?"),
        ("epochs=3", "did you mean 'trainer.epochs'?"),
        ("sed=3", "did you mean 'seed'?"),
        ("vision.weights=random", "the level of vision has no settings: choose another"),
        ("text.min_fd=3", "did you mean 'text.min_df'?"),
        ("optimizer.eps=1e-9", "its target takes it: give +optimizer.eps=1e-9"),
        ("hydra.job.nmae=x", "did you mean 'hydra.job.name'?"),
        ("hydra/lancher=basic", "did you mean 'hydra/launcher'?"),
        ("hydra/launcher=basik", "did you mean 'basic'?"),
        ("threshold=0.4", "threshold takes one level by its name"),
        ("vision=[none,timm]", "vision takes one level by its name"),
        ("experiment=null", "experiment takes one level by its name"),
        ("++text=tfidf", "give text=tfidf"),
        ("~trainer.epoch", "did you mean 'trainer.epochs'?"),
        ("~seed", "seed is missing: give seed=VALUE"),
        ("~text", "text is missing: give text=LEVEL"),
        ("+sede=1", "sede is not a setting: did you mean 'seed'?"),
        ("++head.x=1", "head.x is not a setting"),
        ("+optimizer.wight_decay=1", "did you mean 'weight_decay'?"),
        ("seed", "there is no ="),
        ("=3", "there is no key"),
        ("a b=3", "a character that no key can have"),
        ("seed=[1", "no viable alternative"),
        ("seed=1,2", "add -m to sweep"),
        ("seed=range(3)", "add -m to sweep"),
        ("output_dir=${nothing}", "Interpolation key 'nothing' not found"),
        ("seed=${hydra.job.num}", "seed: "),
        ("text._target_=os.system", "text._target_ 'os.system' is not allowed"),
        (
            "+hydra.callbacks.x._target_=hydra.experimental.callbacks.PickleJobInfoCallback",
            "callback",
        ),
        ("+hydra.job_logging.handlers.console.()=subprocess.Popen", "character that no key"),
        ("hydra.job_logging.handlers.console.class=antigravity.Handler", "which is not allowed"),
        ("+hydra.job.env_set.LD_PRELOAD=x.so", "hydra.job.env_set.LD_PRELOAD is not allowed"),
        ("hydra.job.chdir=true", "hydra.job.chdir is not allowed"),
        ("hydra.job.env_copy=[NO_SUCH_VARIABLE]", "NO_SUCH_VARIABLE"),
        ("hydra.searchpath=[pkg://antigravity]", "'pkg://antigravity' is not allowed"),
        ("hydra.mode=SIDEWAYS", "SIDEWAYS"),
        ("hydra.mode=MULTIRUN", "expected one run"),
        ("allow_targets=os", "allow_targets: found 'os', expected a list"),
        ("allow_targets=[os]", "allow_targets: 'os' is not a module of your own"),
    ],
)
def test_a_bad_override_is_answered(override: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        compose([*HERE, override])
    assert message in str(caught.value)
    assert all("\n" not in problem for problem in caught.value.problems)
    assert "antigravity" not in sys.modules


def test_all_errors_come_at_once() -> None:
    bad = ("visoin=timm", "text=tfdif", "trainer.epoch=3", "seed=-1", "head.dropout=2", "loss.x=1")
    found = problems(*bad, "b d=1")
    for part in (
        *bad[:3],
        "seed: ",
        "head.dropout: ",
        "loss.x=1",
        "b d=1",
        "vision.name is missing",
    ):
        assert any(problem.startswith(part) for problem in found), part
    assert len(found) == 8


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
    assert composed == compose([*HERE, "seed=3", "output_dir=x"])
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
