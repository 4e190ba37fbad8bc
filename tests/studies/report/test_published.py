"""What `experiments/publish.py` writes of a study."""

from __future__ import annotations

import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest
from tracked_runs import start, track, tracker_in

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).parents[3] / "experiments" / "publish.py"


def script() -> ModuleType:
    spec = spec_from_file_location("publish_experiments", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published study of two arms."""
    output, here = tmp_path_factory.mktemp("output"), tmp_path_factory.mktemp("here")
    tracker = tracker_in(output)
    parent = start(tracker, output, (0, 1, 2))
    for seed in (0, 1, 2):
        track(tracker, output, parent.id, ("plain", seed), wrong=0.4)
        track(tracker, output, parent.id, ("better", seed), wrong=0.0)
    module = script()
    vars(module)["HERE"] = here
    module.main(output, ["mine=made_up"])
    return here / "mine"


def readme(folder: Path) -> str:
    return (folder / "README.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_figure_says_what_it_shows_to_whoever_cannot_see_it(folder: Path) -> None:
    figures = dict(re.findall(r"!\[(.*)\]\(figures/([\w-]+)\.svg\)", readme(folder)))
    by_name = {name: words for words, name in figures.items()}
    assert set(by_name) == {"differences", "cost", "label-scores", "threshold-curves"}
    assert by_name["cost"].startswith("F1 and running time: 2 arms, from 3.0 to 3.0 s and from ")
    for name, words in by_name.items():
        root = ElementTree.parse(folder / "figures" / f"{name}.svg").getroot()
        title = root.findtext("{*}title")
        assert title is not None
        assert words.startswith(f"{title}: ")


def test_the_data_the_base_and_what_the_time_leaves_out_are_said(folder: Path) -> None:
    text = readme(folder)
    assert "Data: 50 train, 30 val and 40 test samples in the first run, digest d1675700ffee." in (
        text
    )
    assert "Base: `vision=resnet18`." in text
    assert "6 runs, 12 s of wall time together: what is shared is computed once, and what was " in (
        text
    )
    assert "stored already is not in it" in text


def test_the_answer_is_a_list_and_the_method_a_paragraph(folder: Path) -> None:
    lines = readme(folder).splitlines()
    assert next(line for line in lines if line.startswith("- ")).startswith("- “better” gains ")
    assert "one pool of training samples" in lines[lines.index("## Method") + 2]


def test_a_p_is_never_0(folder: Path) -> None:
    (row,) = [line for line in readme(folder).splitlines() if line.startswith("| better |")]
    assert "< 0.001" in row.split(" | ")


def test_no_place_of_this_machine_is_published(folder: Path) -> None:
    text = readme(folder)
    assert "/home/me" not in text
    assert "data.root=DIR" in text
