"""Overrides composed and checked, all errors at once, before Hydra runs anything."""

from __future__ import annotations

import functools
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.singleton import Singleton
from hydra.core.utils import JobRuntime
from hydra.version import VersionBase
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from mmclf.config.compose import check_command, compose
from mmclf.config.composed import ConfigChecker, dotted_keys
from mmclf.config.composer import open_composer
from mmclf.config.loader import HYDRA_STATE
from mmclf.config.overrides import Groups, allowed_by, check_level, read, unknown_key
from mmclf.config.shipped import conf_dir
from mmclf.errors import InputError

CONF = conf_dir()
HERE = ("data=competition", "data.root=here")
LEVELS = sorted(
    f"{path.parent.name}={path.stem}"
    for path in CONF.glob("*/*.yaml")
    # A study is no run: tests/study composes them.
    if path.parent.name not in ("hydra", "study")
)
NEEDS = {
    "vision=timm": "vision.name=resnet18",
    "text=huggingface": "text.name=roberta-base",
    "data=table": "data.file=samples.csv",
}


def problems(*overrides: str, **options: object) -> list[str]:
    with pytest.raises(InputError) as caught:
        check_command([*HERE, *overrides], **options)  # type: ignore[arg-type]
    return list(caught.value.problems)


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


def _edits(word: str) -> st.SearchStrategy[str]:
    letters = st.sampled_from("abcdefghijklmnopqrstuvwxyz_")
    place = st.integers(0, len(word) - 1)
    return st.one_of(
        st.builds(lambda i, c: word[:i] + c + word[i + 1 :], place, letters),
        st.builds(lambda i: word[:i] + word[i + 1 :], place),
        st.builds(lambda i, c: word[:i] + c + word[i:], place, letters),
    )


GROUPS = sorted({level.partition("=")[0] for level in LEVELS})
KEYS = ("trainer.epochs", "trainer.batch_size", "head.hidden", "encode.workers", "text.min_df")


@functools.cache
def at_hand() -> tuple[Groups, list[str]]:
    """The groups, and every key of the bare config."""
    with open_composer([]) as composer:
        cfg = OmegaConf.to_container(composer.compose([]), resolve=False)
        return composer.groups, list(dotted_keys(cfg))


def answer(line: str) -> str | None:
    """What is found about one override, beside the bare config; None if it is fine."""
    override, unreadable = read(line)
    if override is None:
        return unreadable
    problem, _ = check_level(override, at_hand()[0])
    return problem or unknown_key(override, at_hand()[1], lambda _part: [])


def edits_of(words: Sequence[str]) -> st.SearchStrategy[tuple[str, str]]:
    return st.sampled_from(words).flatmap(lambda word: st.tuples(st.just(word), _edits(word)))


@settings(max_examples=60, deadline=None)
@given(edits_of(GROUPS))
def test_a_letter_wrong_in_a_group_names_the_group(pair: tuple[str, str]) -> None:
    word, typed = pair
    assume(typed not in GROUPS)
    assert word in str(answer(f"{typed}=none"))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(LEVELS).flatmap(lambda line: st.tuples(st.just(line), _edits(line[-5:]))))
def test_a_letter_wrong_in_a_level_names_the_level(pair: tuple[str, str]) -> None:
    line, end = pair
    group, _, level = line.partition("=")
    typed = f"{line[:-5]}{end}"
    assume(typed not in LEVELS and typed.startswith(f"{group}="))
    assert level in str(answer(typed))


@settings(max_examples=60, deadline=None)
@given(edits_of(KEYS))
def test_a_letter_wrong_in_a_key_names_the_key(pair: tuple[str, str]) -> None:
    word, typed = pair
    assume(typed not in at_hand()[1] and "." in typed.strip("."))
    assume(not typed.startswith(".") and not typed.endswith("."))
    assert word in str(answer(f"{typed}=1"))


def test_a_sweep_checks_every_value() -> None:
    command = check_command([*HERE, "seed=range(3)", "text=tfidf,bert"], multirun=True)
    assert command.kind == "sweep"
    assert (command.first.config.seed, command.first.choices["text"]) == (0, "tfidf")
    found = problems("seed=1,-2,x", "text=tfidf,brt", "head.hidden=8,0", multirun=True)
    assert len(found) == 4
    for line in ("seed=-2: seed:", "seed=x: seed:", "text=brt: ", "head.hidden=0: head.hidden"):
        assert any(problem.startswith(line) for problem in found), line


def test_every_value_of_a_sweep_over_an_unknown_key_is_answered_once() -> None:
    found = problems("trainer.epoch=1,2", multirun=True)
    assert [message.partition("? ")[0] for message in found] == [
        f"trainer.epoch={n}: there is no setting 'trainer.epoch': did you mean 'trainer.epochs'"
        for n in (1, 2)
    ]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("seed=interval(0,1)", "an interval has no list of values"),
        ("text=glob(x*)", "the sweep names no value"),
        ("hydra.job.name=a,b", "cannot be swept"),
        ("hydra/launcher=basic,basic", "cannot be swept"),
        ("allow_targets=[a],[b]", "cannot be swept"),
    ],
)
def test_a_bad_sweep_is_answered(override: str, message: str) -> None:
    assert message in "\n".join(problems(override, multirun=True))


def test_a_sweep_may_be_asked_for_by_the_config() -> None:
    command = check_command([*HERE, "hydra.mode=MULTIRUN", "text=glob(*,exclude=[none,hugg*])"])
    assert command.kind == "sweep"


def test_a_long_sweep_is_not_unrolled() -> None:
    assert check_command([*HERE, "seed=range(1000000000)"], multirun=True).kind == "sweep"


def test_a_key_that_only_a_swept_level_has_is_explained() -> None:
    sweep = ("vision=efficientnet_lite0,efficientnet_v2_s",)
    assert "++KEY=VALUE" in problems(*sweep, "vision.weights=random", multirun=True)[0]
    assert check_command([*HERE, *sweep, "++vision.weights=random"], multirun=True).kind == "sweep"


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A config directory of the user's, with a module beside it."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "mine_parts", raising=False)
    (tmp_path / "mine_parts.py").write_text(
        "from torch import nn\nopen(__file__ + '.ran', 'w').close()\nclass Loss(nn.Module): pass\n"
    )
    folder = tmp_path / "my conf"
    (folder / "loss").mkdir(parents=True)
    (folder / "loss" / "mine.yaml").write_text("_target_: mine_parts.Loss\n")
    return folder


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ("{hydra.job.name: x}", "hydra.sweeper.params.hydra.job.name is not allowed"),
        ("{+hydra/callbacks: x}", "hydra.sweeper.params.+hydra/callbacks is not allowed"),
        ("{allow_targets: '[os]'}", "hydra.sweeper.params.allow_targets is not allowed"),
        ("{seed: '1,-2'}", "seed=-2: seed: found -2"),
        ("{text: 'tfidf,brt'}", "text=brt: text has no level 'brt'"),
    ],
)
def test_what_a_file_sweeps_is_checked(params: str, message: str, mine: Path) -> None:
    (mine / "experiment").mkdir()
    text = f"# @package _global_\nhydra:\n  sweeper:\n    params: {params}\n"
    (mine / "experiment" / "sweep.yaml").write_text(text)
    assert message in "\n".join(problems("experiment=sweep", config_dir=mine, multirun=True))


def test_a_part_of_ones_own_is_one_yaml_file(mine: Path) -> None:
    composed = compose([*HERE, "loss=mine", "allow_targets=[mine_parts]"], mine)
    assert composed.config.loss == {"_target_": "mine_parts.Loss"}
    assert composed.choices["loss"] == "mine"
    assert (
        check_command(
            [*HERE, "loss=mine", f"hydra.searchpath=['{mine}']", "allow_targets=[mine_parts]"]
        ).first.choices["loss"]
        == "mine"
    )


def test_without_the_grant_nothing_is_imported(mine: Path) -> None:
    grant = "# @package _global_\nallow_targets: [mine_parts]\nloss:\n  _target_: mine_parts.Loss\n"
    (mine / "experiment").mkdir()
    (mine / "experiment" / "greedy.yaml").write_text(grant)
    for override in ("loss=mine", "experiment=greedy"):
        with pytest.raises(InputError, match="mine_parts"):
            compose([*HERE, override], mine)
    assert not (mine.parent / "mine_parts.py.ran").exists()
    compose([*HERE, "loss=mine", "allow_targets=[mine_parts]"], mine)
    assert (mine.parent / "mine_parts.py.ran").exists(), "else the first half proves nothing"


HOSTILE = {
    "callback": "hydra:\n  callbacks: {x: {_target_: subprocess.run, args: touch RAN}}\n",
    "logging": "hydra:\n  job_logging: {handlers: {console: {(): subprocess.Popen}}}\n",
    "pickle": "hydra:\n  callbacks:\n    x:\n      _target_: "
    "hydra.experimental.callbacks.PickleJobInfoCallback\n",
    "launcher": "hydra:\n  launcher:\n    _target_: os.system\n",
    "environment": "hydra:\n  job:\n    env_set:\n      LD_PRELOAD: evil.so\n",
    "part": "loss:\n  _target_: os.system\n  command: touch RAN\n",
    "loader": "data:\n  _target_: pickle.load\n  file: x\n",
    "stray": "head:\n  _target_: os.system\n  command: touch RAN\n",
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_a_hostile_file_runs_nothing(
    name: str, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(mine)

    def called(*args: object, **kwargs: object) -> None:
        (mine / "RAN").touch()

    for target in ("os.system", "subprocess.run", "subprocess.Popen", "pickle.load"):
        monkeypatch.setattr(target, called)
    (mine / "experiment").mkdir()
    text = f"# @package _global_\n{HOSTILE[name]}"
    (mine / "experiment" / "evil.yaml").write_text(text)
    for multirun in (False, True):
        with pytest.raises(InputError, match=r"not allowed|not a setting|no callback"):
            check_command([*HERE, "experiment=evil"], mine, multirun=multirun)
    assert not (mine / "RAN").exists()


def test_a_file_that_one_combination_alone_loads_is_checked(mine: Path) -> None:
    for folder, names in (("a", "xy"), ("b", "xy"), ("extra", ("x_x", "x_y", "y_x"))):
        (mine / folder).mkdir()
        for name in names:
            (mine / folder / f"{name}.yaml").write_text("# @package _global_\n")
    (mine / "extra" / "y_y.yaml").write_text(f"# @package _global_\n{HOSTILE['callback']}")
    (mine / "mine.yaml").write_text(
        "defaults:\n  - config\n  - a: x\n  - b: x\n  - extra: ${a}_${b}\n  - _self_\n"
    )
    with pytest.raises(InputError, match="no callback is allowed"):
        check_command([*HERE, "a=x,y", "b=x,y"], mine, "mine", multirun=True)
    check_command([*HERE, "a=x,y", "b=x"], mine, "mine", multirun=True)


@pytest.mark.parametrize(
    "level", ["${now:%S}", "${oc.env:HOME}", "x_${oc.select:${a}}", "${${a}:X}"]
)
def test_a_defaults_list_cannot_change_its_mind(level: str, mine: Path) -> None:
    (mine / "loss" / "moody.yaml").write_text(f"defaults:\n  - /extra: {level}\n")
    for folder, search in ((mine, []), (None, [f"hydra.searchpath=['{mine}']"])):
        with pytest.raises(InputError, match=r"moody\.yaml: its defaults list calls a resolver"):
            check_command([*HERE, *search, "loss=moody"], folder)


def test_a_broken_file_is_named_with_its_line(mine: Path) -> None:
    (mine / "loss" / "broken.yaml").write_text("a: 1\nb: c: d\n")
    with pytest.raises(InputError, match=r"broken\.yaml, line 2: mapping values are not allowed"):
        compose([*HERE, "loss=broken"], mine)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"config_name": "absent"}, "Cannot find primary config 'absent'"),
        (
            {"config_dir": Path("/no/such/folder")},
            "config directory /no/such/folder does not exist",
        ),
    ],
)
def test_a_missing_source_is_named(options: dict[str, object], message: str) -> None:
    assert message in problems(**options)[0]


def test_a_primary_config_of_ones_own_imports_no_package(mine: Path) -> None:
    (mine / "evil.yaml").write_text("hydra:\n  searchpath: [pkg://mine_parts]\n")
    with pytest.raises(InputError, match="'pkg://mine_parts' is not allowed"):
        check_command([], mine, "evil")
    assert not (mine.parent / "mine_parts.py.ran").exists()


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
    composed = ConfigChecker([]).check_job(task, cfg.hydra)
    assert composed == compose([*HERE, "seed=3", "output_dir=x"])
    task.seed = -3
    with pytest.raises(InputError, match="seed: found -3"):
        ConfigChecker([]).check_job(task, cfg.hydra)
    assert HydraConfig.instance().cfg is None


@pytest.mark.parametrize(
    ("lines", "allowed"),
    [
        (["seed=1"], []),
        (["allow_targets=[a,b.c]"], ["a", "b.c"]),
        (["allow_targets=[a]", "++allow_targets=[b]"], ["b"]),
        (["allow_targets=a", "allow_targets=[", "x.allow_targets=[c]"], []),
    ],
)
def test_allowed_modules_come_from_the_command_line(lines: list[str], allowed: list[str]) -> None:
    assert allowed_by(lines) == allowed


def test_a_compose_error_needs_no_torch() -> None:
    code = (
        "import sys\nfrom mmclf.config.compose import compose\n"
        "from mmclf.errors import InputError\n"
        "try: compose(['a b=1', 'hydra.searchpath=[pkg://x]'])\n"
        "except InputError: sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
