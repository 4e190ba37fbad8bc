"""Which `_target_` a config may name, and that nothing else is imported or called."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from message_facts import Naming

from mmclf.config.components import COMPONENTS, INNER
from mmclf.config.targets import build, refusal, resolve
from mmclf.errors import InputError

OWN = """
import functools, os, subprocess
from collections import OrderedDict
from torch import nn

def load(root): return root
def outside(): pass
outside.__module__ = "os"
def liar(): pass
liar.__module__ = __name__
liar.__qualname__ = "load"

class Gate(nn.Module):
    def __init__(self, dims, inner=None, **more):
        super().__init__()
        self.dims, self.inner, self.more = dims, inner, more
    @classmethod
    def make(cls): pass
    class Nested(nn.Module): pass

class Strict(nn.Module):
    def __init__(self, size):
        super().__init__()
        if size < 0: raise ValueError("size must not be negative")

class Fit:
    def fit(self): pass

class Odd(type):
    @property
    def __module__(cls): return "torch.nn"
    @property
    def __mro__(cls): return (nn.Module, object)
    @property
    def __dict__(cls): return {"__module__": "torch.nn", "fit": None}
    def __subclasscheck__(cls, other): return True
    def __instancecheck__(cls, other): return True

class Masked(metaclass=Odd):
    pass

gate = nn.Linear(1, 1)
bound = gate.forward
bent = functools.partial(load, "x")
cached = functools.lru_cache(load)

def __getattr__(name):
    open("SENTINEL", "w").close()
    return os.system
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a user's own modules; each name is new, and forgotten after the test."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own_parts.py").write_text(OWN)
    (tmp_path / "own_sentinel.py").write_text("open('SENTINEL', 'w').close()\ndef load(): pass")
    (tmp_path / "own_broken.py").write_text("raise RuntimeError('no such luck')")
    (tmp_path / "own_quitter.py").write_text("raise SystemExit(3)")
    (tmp_path / "own_needy.py").write_text("import no_such_package")
    package = tmp_path / "own_package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "losses.py").write_text("from torch import nn\nclass Loss(nn.Module): pass")
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("own_"):
            del sys.modules[name]


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("torch.nn.BCEWithLogitsLoss", "loss"),
        ("torch.nn.modules.loss.BCEWithLogitsLoss", "loss"),
        ("timm.loss.AsymmetricLossMultiLabel", "loss"),
        ("torch.optim.AdamW", "optimizer"),
        ("torch.optim.adamw.AdamW", "optimizer"),
        ("timm.optim.Lamb", "optimizer"),
        ("mmclf.models.vision.TimmEncoder", "vision"),
        ("mmclf.models.text.HuggingFaceEncoder", "text"),
        ("mmclf.models.tfidf.Tfidf", "text"),
        ("mmclf.models.fusion.Concat", "fusion"),
        ("mmclf.models.losses.WeightedBCE", "loss"),
        ("mmclf.evaluation.thresholds.Fixed", "threshold"),
        ("mmclf.data.sources.competition.load", "data"),
    ],
)
def test_what_a_role_expects_is_resolved(name: str, role: str) -> None:
    assert resolve(name, role, []).__name__ == name.rpartition(".")[2]


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("own_parts.load", "data"),
        ("own_parts.Gate", "fusion"),
        ("own_parts.Fit", "threshold"),
        ("own_package.losses.Loss", "loss"),
    ],
)
def test_a_granted_module_counts(own: Path, name: str, role: str) -> None:
    assert resolve(name, role, [name.partition(".")[0]]).__name__ == name.rpartition(".")[2]
    with pytest.raises(InputError, match="allow_targets"):
        resolve(name, role, [])


HOSTILE = [
    ("os.system", "is not allowed"),
    ("builtins.eval", "is not allowed"),
    ("eval", "is not allowed"),
    ("pickle.load", "is not allowed"),
    ("torch.hub.load", "is not allowed"),
    ("torch.load", "is not allowed"),
    ("torch.nnx.Linear", "is not allowed"),
    ("timmy.Model", "is not allowed"),
    ("mmclf_evil.load", "is not allowed"),
    ("hydra.utils.get_method", "is not allowed"),
    ("torch.nn.functional.torch.hub.load", "torch.nn.functional.torch is the module torch"),
    ("torch.nn.modules.module.torch.load", "module.torch is the module torch"),
    (
        "mmclf.config.targets.importlib.import_module",
        "mmclf.config.targets.importlib is the module importlib",
    ),
    ("timm.models._builder.os.system", "no dotted public name"),
    ("torch.nn.Module.__init__.__globals__", "no dotted public name"),
    ("torch.nn.Module.load_state_dict", "torch.nn.Module is another class"),
    ("torch.nn.functional.relu", "function"),
    ("torch.nn.functional.conv2d", "is a builtin_function_or_method"),
    ("torch.nn.init.torch", "is the module torch"),
    ("torch.nn.functional.boolean_dispatch", "is defined in 'torch._jit_internal'"),
    ("torch.optim.Adam", ""),
    ("torch.nn.Parameter", "another class"),
    ("torch.nn", "is the module torch.nn"),
    ("mmclf.errors.InputError", "another class"),
    ("torch..nn.Linear", "no dotted public name"),
    (".torch.nn.Linear", "no dotted public name"),
    ("torch.nn.Linear.", "no dotted public name"),
    ("torch.nn.Linear()", "no dotted public name"),
    ("", "no dotted public name"),
    (None, "no dotted public name"),
    (3, "no dotted public name"),
    ({"_target_": "os.system"}, "no dotted public name"),
    ("torch.nn.Linaer", "did you mean torch.nn.Linear?"),
    ("torch.nn.nothing.at.all", "torch.nn has no 'nothing'"),
]


@pytest.mark.parametrize(("name", "message"), HOSTILE)
@pytest.mark.hostile("configuration: code")
def test_everything_else_is_refused(name: object, message: str) -> None:
    before = set(sys.modules)
    with pytest.raises(InputError) as caught:
        resolve(name, "fusion", [])
    (problem,) = caught.value.problems
    assert problem.startswith("_target_")
    assert message in problem
    assert "did you mean torch.nn." in problem or problem == Naming("torch.nn.Module")
    roots = {module.partition(".")[0] for module in set(sys.modules) - before}
    assert not roots & {"pickle", "timmy", "mmclf_evil", "antigravity"}


@pytest.mark.parametrize("role", [*COMPONENTS, INNER])
@pytest.mark.parametrize("name", ["os.system", "torch.hub.load", "builtins.exec", "subprocess.run"])
@pytest.mark.hostile("configuration: code")
def test_no_role_lets_a_hostile_name_through(name: str, role: str) -> None:
    with pytest.raises(InputError, match="is not allowed"):
        resolve(name, role, [])


@pytest.mark.parametrize(
    ("name", "role", "message"),
    [
        ("own_parts.os.system", "data", "is the module os"),
        ("own_parts.subprocess.Popen", "data", "is the module subprocess"),
        ("own_parts.OrderedDict", "data", "is defined in 'collections'"),
        ("own_parts.outside", "data", "is defined in 'os'"),
        ("own_parts.liar", "data", "is another function"),
        ("own_parts.bent", "data", "is a partial"),
        ("own_parts.cached", "data", "is a _lru_cache_wrapper"),
        ("own_parts.bound", "data", "is a method"),
        ("own_parts.gate", "fusion", "is a Linear"),
        ("own_parts.Masked", "fusion", "is another class"),
        ("own_parts.Gate.make", "fusion", "own_parts.Gate is another class"),
        ("own_parts.Gate.Nested", "fusion", "own_parts.Gate is another class"),
        ("own_parts.Fit", "text", "is another class"),
        ("own_parts.load", "fusion", "is another function"),
        ("own_parts.system", "data", "own_parts has no 'system'"),
    ],
)
@pytest.mark.hostile("configuration: code")
def test_a_granted_module_opens_no_other(own: Path, name: str, role: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        resolve(name, role, ["own_parts"])
    assert message in str(caught.value)
    assert not (own / "SENTINEL").exists()


@pytest.mark.hostile("configuration: code")
def test_a_module_that_is_not_granted_is_not_imported(own: Path) -> None:
    for name in ("own_sentinel.load", "own_sentinel"):
        with pytest.raises(InputError, match="is not allowed"):
            resolve(name, "data", ["own_parts"])
    assert not (own / "SENTINEL").exists()
    assert "own_sentinel" not in sys.modules
    resolve("own_sentinel.load", "data", ["own_sentinel"])
    assert (own / "SENTINEL").exists(), "the sentinel proves nothing if an import leaves no trace"


@pytest.mark.parametrize(
    ("module", "message"),
    [
        ("own_broken", "RuntimeError: no such luck"),
        ("own_quitter", "SystemExit: 3"),
        ("own_needy", "no module 'no_such_package'"),
        ("own_absent", "no module 'own_absent'"),
    ],
)
def test_a_module_that_cannot_be_imported_is_named(own: Path, module: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        resolve(f"{module}.load", "data", [module])
    assert module in str(caught.value)


@pytest.mark.parametrize(
    "module",
    [
        *("os", "subprocess", "builtins", "torch", "torch.hub", "timm", "mmclf", "joblib", "hydra"),
        *("os.path", "importlib", "_pickle", "own.", "", "own parts", "own._hidden", "numpy"),
    ],
)
@pytest.mark.hostile("configuration: code")
def test_only_modules_of_ones_own_can_be_granted(module: str) -> None:
    assert "allow_targets" in str(refusal(module))
    with pytest.raises(InputError, match="allow_targets"):
        resolve("torch.nn.Linear", "fusion", [module])


def test_a_loader_of_mmclf_says_that_it_returns_samples() -> None:
    with pytest.raises(InputError, match=r"another function: .*returns"):
        resolve("mmclf.data.sources.demo.generate", "data", [])


def test_build_passes_what_the_signature_names(own: Path) -> None:
    node = {
        "_target_": "own_parts.Gate",
        "inner": {"_target_": "torch.nn.Linear", "in_features": 2, "out_features": 3},
        "width": 4,
    }
    gate = build(node, "fusion", ["own_parts"], dims=(1, 2), labels="not named")
    assert (gate.dims, gate.inner.out_features, gate.more) == ((1, 2), 3, {"width": 4})


@pytest.mark.hostile("configuration: code")
def test_build_refuses_a_hostile_inner_part(own: Path) -> None:
    inner = {"_target_": "own_parts.load", "root": "x"}
    with pytest.raises(InputError, match="another function"):
        build({"_target_": "own_parts.Gate", "inner": inner}, "fusion", ["own_parts"], dims=())


def test_build_names_values_that_the_target_refuses(own: Path) -> None:
    with pytest.raises(InputError, match=r"^fusion: own_parts\.Strict .*negative"):
        build({"_target_": "own_parts.Strict", "size": -1}, "fusion", ["own_parts"])


def test_provided_arguments_exist_where_mmclf_itself_takes_them() -> None:
    assert (
        "dims" in inspect.signature(resolve("mmclf.models.fusion.Concat", "fusion", [])).parameters
    )
    weighted = resolve("mmclf.models.losses.WeightedBCE", "loss", [])
    assert "train_labels" in inspect.signature(weighted).parameters


def test_importing_it_does_not_import_torch() -> None:
    modules = "mmclf.config.targets, mmclf.config.compose"
    code = f"import sys, {modules}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
