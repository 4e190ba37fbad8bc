"""Run `notebook.ipynb` anew, and keep what it shows without notices and times.

python experiments/run_notebook.py
"""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbconvert.preprocessors import ExecutePreprocessor

NOTEBOOK = Path(__file__).parent / "notebook.ipynb"


def executed(notebook: nbformat.NotebookNode, folder: Path, seconds: int) -> nbformat.NotebookNode:
    """The notebook with its outputs, run in a folder, each cell for so many seconds at most."""
    runner = ExecutePreprocessor(timeout=seconds, kernel_name="python3", record_timing=False)
    runner.preprocess(notebook, {"metadata": {"path": str(folder)}})
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [out for out in cell.outputs if out.get("name") != "stderr"]
    notebook.metadata = {"kernelspec": notebook.metadata["kernelspec"]}
    return notebook


if __name__ == "__main__":
    done = executed(nbformat.read(NOTEBOOK, as_version=4), NOTEBOOK.parent, 3600)
    nbformat.write(done, NOTEBOOK)
