"""A config reads of the environment what it may, and calls few resolvers."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_lines import HERE, problems
from hydra.types import RunMode
from omegaconf import OmegaConf

from mmclf.cli.main import main
from mmclf.config.compose import compose
from mmclf.config.grants import Grants
from mmclf.config.loader import open_loader
from mmclf.config.resolvers import ENVIRONMENT, OVERRIDE_DIRNAME, RESOLVERS, check_interpolations
from mmclf.errors import InputError

SECRET = "swordfish7"
READING = [
    "${oc.env:SECRET_TOKEN}",
    "${oc.env:'SECRET_TOKEN'}",
    "${ oc.env : SECRET_TOKEN }",
    "x${oc.env:SECRET_TOKEN,none}y",
    "${oc.env:HOME,${oc.env:SECRET_TOKEN}}",
    "${oc.select:nothing,${oc.env:SECRET_TOKEN}}",
    "${oc.${word}:SECRET_TOKEN}",
    "${oc.env:${word}}",
    "${oc.env:${word},x}",
    "${oc.env:}",
    "${oc.decode:'\\${oc.env:SECRET_TOKEN}'}",
    "${oc.create:{x:'\\${oc.env:SECRET_TOKEN}'}}",
    "${oc.deprecated:seed}",
    "${${word}}",
]


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", SECRET)


@pytest.mark.parametrize("text", READING)
@pytest.mark.parametrize("place", ["loss.x", "hydra.job.x", "seed", "study.factors.loss.0"])
@pytest.mark.hostile("secrets")
def test_what_could_read_a_secret_is_refused(text: str, place: str) -> None:
    tree = OmegaConf.create({"word": "env", "loss": {}})
    OmegaConf.update(tree, place.removesuffix(".0"), [text] if place.endswith("0") else text)
    messages = check_interpolations(OmegaConf.to_container(tree), ())  # type: ignore[arg-type]
    assert messages
    assert all(problem.startswith(f"{place}: ") for problem in messages)


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_little_of_the_environment_is_open(name: str) -> None:
    for text in (f"${{oc.env:{name}}}", f"${{oc.env:{name},x}}"):
        assert check_interpolations({"a": text}, ()) == []


def test_the_command_line_opens_more() -> None:
    text = "${oc.env:SECRET_TOKEN}"
    assert check_interpolations({"a": text}, ["OTHER"]) != []
    assert check_interpolations({"a": text}, ["OTHER", "SECRET_TOKEN"]) == []


@pytest.mark.parametrize(
    "text",
    [
        *("${seed}", "${oc.select:seed,1}", "${now:%H}", "${python_version:major}"),
        *("${a.${seed}}", "${.b}", "${hydra:job.name}", "${oc.dict.keys:head}", "\\${oc.env:X}"),
    ],
)
def test_what_reads_no_more_than_the_config_passes(text: str) -> None:
    assert check_interpolations({"a": {"b": [text]}}, ()) == []


@pytest.mark.hostile("secrets")
def test_the_names_of_overrides_call_no_resolver_that_they_name() -> None:
    assert check_interpolations({"hydra": {"job": {"x": OVERRIDE_DIRNAME}}}, ()) == []
    naming = OVERRIDE_DIRNAME.replace(":}", ":{element_resolver: oc.env}}")
    (message,) = check_interpolations({"hydra": {"job": {"x": naming}}}, ())
    assert "hydra_override_dirname" in message


@pytest.mark.hostile("secrets")
def test_a_resolver_of_another_library_is_not_called(tmp_path: Path) -> None:
    called: list[str] = []
    OmegaConf.register_new_resolver("of_a_notebook", lambda: called.append("x"))
    try:
        (message,) = problems("seed=${of_a_notebook:}")
        assert message.startswith("seed: the resolver 'of_a_notebook' is not allowed")
    finally:
        OmegaConf.clear_resolver("of_a_notebook")
    assert called == []
    assert "of_a_notebook" not in RESOLVERS


@pytest.mark.parametrize("key", ["seed", "+loss.x", "hydra.job.env_set.HF_HOME", "tracking.arm"])
@pytest.mark.parametrize("multirun", [False, True])
@pytest.mark.hostile("secrets")
def test_nothing_that_is_said_holds_the_secret(key: str, multirun: bool) -> None:
    line = f"{key}=${{oc.env:SECRET_TOKEN}}"
    line = line if key != "hydra.job.env_set.HF_HOME" else f"+{line}"
    messages = problems(line, "head.hidden=${seed}", multirun=multirun)
    assert "'SECRET_TOKEN' is not allowed" in "\n".join(messages)
    assert SECRET not in "\n".join(messages)


def test_a_granted_variable_is_read() -> None:
    given = [*HERE, "tracking.arm=${oc.env:SECRET_TOKEN}"]
    assert compose([*given, "allow_env=[SECRET_TOKEN]"]).config.tracking.arm == SECRET
    with pytest.raises(InputError):
        compose(given)


@pytest.mark.hostile("secrets")
def test_a_sweeps_job_is_checked_too(tmp_path: Path) -> None:
    (tmp_path / "experiment").mkdir()
    text = "# @package _global_\ntracking:\n  arm: ${oc.env:SECRET_TOKEN}\n"
    (tmp_path / "experiment" / "nosy.yaml").write_text(text)
    for grants, allowed in ((Grants(), False), (Grants(env=("SECRET_TOKEN",)), True)):
        granted = [f"{key}=[{','.join(value)}]" for key, value in grants.settings.items()]
        with open_loader(tmp_path, grants) as loader:
            master = loader.load_configuration("config", granted, RunMode.MULTIRUN)
            lines = [*granted, "experiment=nosy"]
            if allowed:
                assert loader.load_sweep_config(master, lines).tracking.arm == SECRET
            else:
                with pytest.raises(InputError, match="SECRET_TOKEN"):
                    loader.load_sweep_config(master, lines)


@pytest.mark.hostile("secrets")
def test_no_run_is_begun(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = [f"output_dir={tmp_path}/out", "tracking.arm=${oc.env:SECRET_TOKEN}"]
    assert main(given) == 2
    assert main(["-m", *given]) == 2
    printed = capsys.readouterr()
    assert SECRET not in printed.out + printed.err
    assert not (tmp_path / "out").exists()
