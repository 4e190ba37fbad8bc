"""`mmclf show`: groups, levels and settings, as the config files and the targets have them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from mmclf.cli.columns import WIDTH, narrow_yaml, two_columns
from mmclf.cli.main import main
from mmclf.config.shipped import conf_dir

CONF = conf_dir()
LEVELS = sorted(CONF.glob("[!h]*/*.yaml"))  # Hydra's own folder is no group


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert main(["show", *arguments]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    return printed.out.splitlines()


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["show", *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    return printed.err


def test_every_group_is_listed_with_its_levels(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys)
    listed = " ".join(lines).split()
    assert {file.parent.name for file in LEVELS} <= set(listed)
    assert {file.stem for file in LEVELS} <= {word.removesuffix("*") for word in listed}
    # A level that is taken without an override is marked.
    assert {"tfidf*", "none*", "demo*", "adam*"} <= set(listed)
    assert not {"resnet18*", "hydra"} & set(listed)
    assert max(map(len, lines)) <= WIDTH


def test_a_groups_levels_have_their_files_first_comments(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = " ".join(" ".join(shown(capsys, "study")).split())
    comment, *_ = (CONF / "study" / "results_table.yaml").read_text().split("\n# ")[1:]
    assert f"results_table {comment.partition(',')[0]}" in words
    assert "@package" not in words
    lines = shown(capsys, "loss")
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == [
        "asymmetric",
        "bce",
        "focal",
        "weighted_bce",
    ]


@pytest.mark.parametrize("file", LEVELS, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_a_level_is_shown_as_its_file_stands(file: Path) -> None:
    text = file.read_text()
    narrow = narrow_yaml(text)
    assert yaml.safe_load(narrow) == yaml.safe_load(text)
    assert "".join(sorted(narrow.replace("#", "").split())) == "".join(
        sorted(text.replace("#", "").split())
    )
    too_long = [line for line in narrow.splitlines() if len(line) > WIDTH]
    assert all(len(line.split(" # ")[0]) > WIDTH for line in too_long)


def test_what_a_target_takes_beyond_its_file_is_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = shown(capsys, "optimizer", "adam")
    assert lines[:3] == (CONF / "optimizer" / "adam.yaml").read_text().splitlines()
    assert "# +optimizer.betas=[0.9, 0.999]" in lines
    assert "# +optimizer.fused=null" in lines
    # What the file sets and what mmclf passes is not beyond it.
    assert not any("optimizer.lr" in line or "optimizer.params" in line for line in lines)


def test_what_mmclf_takes_beside_an_encoder_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, "vision", "efficientnet_lite0")
    assert lines[-1].split(": ")[1] == "vision.trainable, vision.lr"


def test_a_group_without_targets_shows_its_file_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert "\n".join(shown(capsys, "split", "random")) == narrow_yaml(
        (CONF / "split" / "random.yaml").read_text()
    )


@pytest.mark.parametrize(
    ("arguments", "nearest"),
    [
        (("los",), "did you mean 'loss'?"),
        (("loss", "focl"), "did you mean 'focal'?"),
        (("hydra",), "valid: augment, data"),
        (("loss=focal",), "mmclf show vision resnet18"),
        (("loss", "focal", "bce"), "mmclf show vision resnet18"),
        (("--config-dir", "/no/such/folder"), "does not exist"),
    ],
)
def test_wrong_names_are_answered(
    arguments: tuple[str, ...], nearest: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert nearest in refused(capsys, *arguments)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder of the user's own, with a module that says so when it is imported."""
    folder = tmp_path / "conf"
    for name, text in {
        "loss/mine.yaml": "# @package loss\n# My loss.\n_target_: shown_parts.Loss\nwidth: 3\n",
        "loss/bare.yaml": "_target_: torch.nn.BCEWithLogitsLoss\n",
        "extra/nested/level.yaml": "# Deep.\na: 1\n",
        "shown_parts.py": "from torch import nn\nopen(__file__ + '.ran', 'w').close()\n"
        "class Loss(nn.Module):\n    def __init__(self, width, beta, gamma=()): pass\n",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize("before", [True, False])
def test_a_folder_of_ones_own_may_be_named_before_or_after(
    own: Path, before: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    for option in (["--config-dir", str(own)], [f"--config-dir={own}"]):
        arguments = [*option, "show", "loss"] if before else ["show", "loss", *option]
        assert main(arguments) == 0
        words = capsys.readouterr().out.split()
        assert words.index("mine") + 1 == words.index("My")
        assert "bare" in words
    assert main(["show", f"--config-dir={own}"]) == 0
    assert "extra/nested" in capsys.readouterr().out


def test_a_module_of_ones_own_is_imported_only_if_it_is_allowed(
    own: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("loss", "mine", "--config-dir", str(own))
    lines = shown(capsys, *arguments)
    assert any("'shown_parts.Loss' is not allowed" in line for line in lines)
    assert not (own / "shown_parts.py.ran").exists()
    lines = shown(capsys, *arguments, "allow_targets=[shown_parts]")
    assert {"# +loss.beta=???", "# +loss.gamma=[]"} <= set(lines)


def test_rows_are_wrapped_beside_their_names() -> None:
    text = two_columns({"a": "word " * 30, "longer": "short", "bare": ""})
    lines = text.splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert lines[0].startswith("a       word word")
    assert lines[1].startswith("        word")
    assert lines[-2:] == ["longer  short", "bare"]
    assert two_columns({}) == ""


def test_a_long_comment_goes_above_its_value_and_quotes_hold_none() -> None:
    comment = "word " * 20
    narrow = narrow_yaml(f"a:\n  b: 1 # {comment}\n  c: '{comment} # {comment}'\n")
    assert yaml.safe_load(narrow) == {"a": {"b": 1, "c": f"{comment} # {comment}"}}
    assert narrow.splitlines()[1].startswith("  # word")
    assert narrow.splitlines()[3] == "  b: 1"
