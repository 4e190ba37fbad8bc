"""The notebook runs from top to bottom, and what is kept of it names no machine."""

from __future__ import annotations

import json
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
SMALL = "vision=none text=tfidf data.train=80 data.test=30 trainer.epochs=1 output_dir=outputs"


def notebook() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((EXPERIMENTS / "notebook.ipynb").read_text("utf-8"))
    return content


def outputs(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    return [out for cell in notebook["cells"] for out in cell.get("outputs", ())]


def test_what_is_kept_is_whole_and_names_no_machine() -> None:
    kept = outputs(notebook())
    assert sum("image/png" in out.get("data", {}) for out in kept) == 4
    assert not [out for out in kept if out["output_type"] == "error" or out.get("name") == "stderr"]
    texts = json.dumps(
        [{k: v for k, v in out.get("data", {}).items() if k != "image/png"} for out in kept]
    )
    texts += json.dumps([out.get("text", "") for out in kept])
    assert not [part for part in ("/home", "/tmp", "/root", "/work", "file:", "@") if part in texts]


@pytest.mark.slow
def test_it_runs_from_top_to_bottom(tmp_path: Path) -> None:
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("nbconvert")
    pytest.importorskip("ipykernel")
    spec = spec_from_file_location("run_notebook", EXPERIMENTS / "run_notebook.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    content = nbformat.read(EXPERIMENTS / "notebook.ipynb", as_version=4)
    (settings,) = [cell for cell in content.cells if "parameters" in cell.metadata.get("tags", ())]
    settings.source += f"\nBASE, SEEDS = {SMALL!r}, 2\n"
    # An error in a cell is raised here.
    done = module.executed(content, tmp_path, 600)
    shown = {cell.id: cell.outputs for cell in done.cells if cell.cell_type == "code"}
    assert [name for name, of in shown.items() if not of] == ["settings"]
    for name in ("curves", "differences", "cost", "wrong"):
        assert any("image/png" in out.get("data", {}) for out in shown[name]), name
    for name in ("sweep", "study"):
        assert any("text/html" in out.get("data", {}) for out in shown[name]), name
