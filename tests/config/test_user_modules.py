"""Parts of a user's own: a Python file and YAML files in one folder, as in docs/extending.md."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest
from message_facts import Naming

from mmclf.cli.main import main
from mmclf.config.compose import compose
from mmclf.config.targets import build
from mmclf.config.user_modules import UserModules, make_importable
from mmclf.errors import InputError
from mmclf.storage.tracking import Tracker

PARTS = '''
from torch import nn
import torch


class Colours(nn.Module):
    """The mean of each channel, and a layer on it."""

    def __init__(self, width: int = 4) -> None:
        super().__init__()
        self.layer = nn.Linear(3, width)
        self.out_dim = width

    def forward(self, pictures):
        return self.layer(pictures.mean(dim=(2, 3)))


class Lengths(nn.Module):
    """How long a caption is."""

    out_dim = 1

    def tokenize(self, captions):
        return {"length": torch.tensor([[float(len(text))] for text in captions])}

    def forward(self, tokens):
        return tokens["length"]


class Maximum(nn.Module):
    def __init__(self, dims, dim: int = 8) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(width, dim) for width in dims)
        self.out_dim = dim

    def forward(self, parts):
        return torch.stack([f(x) for f, x in zip(self.layers, parts)]).amax(dim=0)


class Vote(nn.Module):
    """Makes the logits itself."""

    out_dim = None

    def __init__(self, dims, make_head) -> None:
        super().__init__()
        self.heads = nn.ModuleList(make_head(width) for width in dims)

    def forward(self, parts):
        return sum(head(x) for head, x in zip(self.heads, parts))


class Brier(nn.Module):
    def forward(self, logits, labels):
        return ((logits.sigmoid() - labels) ** 2).mean()


class Shapeless(nn.Module):
    def __init__(self, dims) -> None:
        super().__init__()
'''
LEVELS = {
    "vision/colours": "_target_: my_parts.Colours\nwidth: 5\n",
    "text/lengths": "_target_: my_parts.Lengths\n",
    "fusion/maximum": "_target_: my_parts.Maximum\n",
    "fusion/vote": "_target_: my_parts.Vote\n",
    "fusion/shapeless": "_target_: my_parts.Shapeless\n",
    "loss/brier": "_target_: my_parts.Brier\n",
}
QUICK = ("data.train=80", "data.test=20", "trainer.epochs=1", "image.size=32")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own") / "my_conf"
    for name, text in LEVELS.items():
        path = folder / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "my_parts.py").write_text(PARTS)
    return folder


@pytest.fixture
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """The finders without those of other tests, and the module unknown before and afterwards."""
    others = [finder for finder in sys.meta_path if not isinstance(finder, UserModules)]
    monkeypatch.setattr(sys, "meta_path", others)
    monkeypatch.delitem(sys.modules, "my_parts", raising=False)


@pytest.mark.usefixtures("forgotten")
@pytest.mark.parametrize(
    "levels",
    [
        ("vision=colours", "text=lengths", "fusion=maximum", "loss=brier"),
        ("vision=colours", "text=tfidf", "fusion=vote"),
        ("vision=colours", "vision.trainable=true", "text=lengths"),
    ],
    ids=["all", "vote", "trained"],
)
def test_ones_own_parts_run(own: Path, tmp_path: Path, levels: tuple[str, ...]) -> None:
    given = ["--config-dir", str(own), "allow_targets=[my_parts]", f"output_dir={tmp_path}"]
    assert main([*given, *QUICK, *levels]) == 0
    (run,) = Tracker(f"sqlite:///{tmp_path}/mlflow.db", "mmclf", tmp_path).runs()
    assert run.tags["mmclf.vision"] == "colours"


@pytest.mark.usefixtures("forgotten")
def test_without_the_grant_nothing_of_it_is_imported(
    own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--config-dir", str(own), f"output_dir={tmp_path}", "loss=brier"]
    assert main(given) == 2
    assert capsys.readouterr().err == Naming("allow_targets=[MODULE]")
    assert "my_parts" not in sys.modules
    assert not any(isinstance(finder, UserModules) for finder in sys.meta_path)


@pytest.mark.usefixtures("forgotten")
def test_a_module_that_is_not_there_is_named(
    own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    level = tmp_path / "conf" / "loss" / "mine.yaml"
    level.parent.mkdir(parents=True)
    level.write_text("_target_: my_losses.Mine\n")
    given = ["--config-dir", str(tmp_path / "conf"), "allow_targets=[my_losses]", "loss=mine"]
    assert main(given) == 2
    message = capsys.readouterr().err
    assert message == Naming("'my_losses'", "--config-dir", "allow_targets")


@pytest.mark.usefixtures("forgotten")
def test_a_fusion_without_out_dim_is_refused(
    own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--config-dir", str(own), "allow_targets=[my_parts]", f"output_dir={tmp_path}"]
    assert main([*given, *QUICK, "fusion=shapeless"]) == 2
    assert capsys.readouterr().err == Naming("fusion: Shapeless", "out_dim")


@pytest.mark.usefixtures("forgotten")
def test_what_is_not_granted_is_not_found_in_ones_folder(own: Path, tmp_path: Path) -> None:
    (own / "not_granted.py").write_text("")
    for _ in range(2):
        compose(["loss=brier", "allow_targets=[my_parts]"], config_dir=own)
    assert sum(isinstance(finder, UserModules) for finder in sys.meta_path) == 1
    assert isinstance(sys.meta_path[-1], UserModules)  # an installed module goes first
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("not_granted")


@pytest.mark.usefixtures("forgotten")
def test_two_modules_of_one_name_are_refused(own: Path, tmp_path: Path) -> None:
    compose(["loss=brier", "allow_targets=[my_parts]"], config_dir=own)
    other = tmp_path / "other"
    (other / "loss").mkdir(parents=True)
    (other / "loss" / "brier.yaml").write_text("_target_: my_parts.Brier\n")
    (other / "my_parts.py").write_text("")
    with pytest.raises(InputError, match=r"'my_parts' of .*other/my_parts\.py "):
        compose(["loss=brier", "allow_targets=[my_parts]"], config_dir=other)


@pytest.mark.usefixtures("forgotten")
def test_a_module_that_another_would_hide_is_refused_before_it_is_imported(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_parts.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InputError, match=r"'my_parts' .*in use, .*/my_parts\.py"):
        compose(["loss=brier", "allow_targets=[my_parts]"], config_dir=own)
    assert "my_parts" not in sys.modules


@pytest.mark.usefixtures("forgotten")
def test_one_file_by_two_paths_is_one_module(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link").symlink_to(own)
    monkeypatch.syspath_prepend(tmp_path / "link")
    for folder in (tmp_path / "link", own):
        composed = compose(["loss=brier", "allow_targets=[my_parts]"], config_dir=folder)
        assert composed.config.loss == {"_target_": "my_parts.Brier"}


@pytest.mark.usefixtures("forgotten")
def test_a_folder_without_init_is_no_module(tmp_path: Path) -> None:
    (tmp_path / "loss").mkdir()
    (tmp_path / "loss" / "mine.yaml").write_text("_target_: own_plain.inner.Loss\n")
    (tmp_path / "own_plain").mkdir()
    (tmp_path / "own_plain" / "inner.py").write_text(
        "from torch import nn\nclass Loss(nn.Module): pass"
    )
    given = ["loss=mine", "allow_targets=[own_plain]"]
    with pytest.raises(InputError, match="no module 'own_plain'"):
        compose(given, config_dir=tmp_path)


@pytest.mark.usefixtures("forgotten")
def test_want_of_memory_is_no_fault_of_the_settings(tmp_path: Path) -> None:
    (tmp_path / "my_parts.py").write_text(
        "from torch import nn\n\n\nclass Greedy(nn.Module):\n"
        "    def __init__(self):\n        raise MemoryError\n"
    )
    make_importable(tmp_path, ["my_parts"])
    with pytest.raises(MemoryError):
        build({"_target_": "my_parts.Greedy"}, "loss", ["my_parts"])


@pytest.mark.usefixtures("forgotten")
@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("open('/nowhere/weights')", "(FileNotFoundError): [Errno 2]"),
        ("self.load_state_dict({f'layer{i}': 0 for i in range(999)})", "(RuntimeError): Error(s)"),
        ("{}['key']", "(KeyError): 'key'"),
    ],
)
def test_whatever_a_part_raises_is_printed_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str, message: str
) -> None:
    (tmp_path / "loss").mkdir()
    (tmp_path / "loss" / "odd.yaml").write_text("_target_: my_parts.Odd\n")
    (tmp_path / "my_parts.py").write_text(
        "from torch import nn\n\n\nclass Odd(nn.Module):\n"
        f"    def __init__(self):\n        super().__init__()\n        {line}\n"
    )
    given = ["--config-dir", str(tmp_path), "allow_targets=[my_parts]", f"output_dir={tmp_path}/o"]
    assert main([*given, *QUICK, "loss=odd"]) == 2
    lines = capsys.readouterr().err.splitlines()
    (line_of_loss,) = [
        line for line in lines if line.startswith("mmclf: loss: my_parts.Odd refuses")
    ]
    assert f"its settings {message}" in line_of_loss
    assert len(line_of_loss) < 400


@pytest.mark.slow
def test_from_the_command_line_in_any_folder(own: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mmclf", "--config-dir", str(own), "allow_targets=[my_parts]"]
    swept = ["-m", "loss=bce,brier", "trainer.epochs=1", "data.train=80", "data.test=20"]
    done = subprocess.run(
        [*command, *swept], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert "runs: 2 finished" in done.stdout
