"""A study's page, read as HTML."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib import resources

import pytest
from html_reader import Node, has, letters_of, part, read
from made_up import CHANGES, LOSSES, details, page_of, result

from mmclf.studies.report.page.document import POLICY
from mmclf.studies.report.result.study_result import StudyResult
from mmclf.studies.report.words.answer import answer

ODD = "<script>alert('&\"')</script> \\ $x$ 日本 ∑ " + "long " * 60


def of(study: StudyResult) -> Node:
    return read(page_of(study, details(study)))


DESIGNS = {
    "grid": {
        "vision": ["resnet18", "resnet50"],
        "text": ["minilm", "bert"],
        "loss": ["bce", "focal"],
    },
    "one_at_a_time": LOSSES,
    "leave_one_out": CHANGES,
    "add_one": CHANGES,
    "ladder": CHANGES,
    "attribution": CHANGES,
}


@pytest.mark.parametrize("design", DESIGNS)
def test_every_design_has_a_whole_page(design: str) -> None:
    study = result(design, DESIGNS[design], seeds=2)
    root = of(study)
    (html,) = root.all("html")
    assert html.attributes["lang"] == "en"
    ids = [node.attributes["id"] for node in root.walk() if "id" in node.attributes]
    assert len(set(ids)) == len(ids)
    assert len(root.all("h1")) == 1
    for key in (
        "answer",
        "arms",
        "beside",
        "time",
        "labels",
        "thresholds",
        "learning",
        "split",
        "runs",
        "method",
    ):
        assert has(root, key), key
    assert has(root, "waterfall") == (design in ("ladder", "attribution"))
    assert has(root, "effects") == (design in ("ladder", "attribution", "grid"))
    assert has(root, "effects-table") == has(root, "effects")
    assert len(part(root, "arms-table").all("tbody")[0].all("tr")) == len(study.arms)


def test_nothing_is_loaded_and_nothing_runs() -> None:
    study = result()
    text = page_of(study, details(study))
    root = read(text)
    assert f'content="{POLICY}"' in text
    assert "default-src 'none'" in POLICY
    assert not {"script", "link", "iframe", "object", "embed"} & {node.tag for node in root.walk()}
    sources = [node.attributes["src"] for node in root.walk() if "src" in node.attributes]
    assert sources
    assert all(source.startswith("data:image/svg+xml;base64,") for source in sources)
    assert not re.search(r"url\(|@import", text)
    for node in root.walk():
        assert not [name for name in node.attributes if name.startswith("on")]


def test_tables_and_figures_have_names() -> None:
    root = of(result("ladder", CHANGES))
    tables = root.all("table")
    assert len(tables) == 5
    for table in tables:
        assert table.children[0].tag == "caption"
        assert table.children[0].whole_text().strip()
        heads = table.all("th")
        assert heads
        assert {head.attributes["scope"] for head in heads} <= {"col", "colgroup", "row"}
        widths = {
            sum(int(c.attributes.get("colspan", 1)) for c in row.children)
            for row in table.all("tr")
        }
        assert len(widths) == 1
    images = root.all("img")
    assert len(images) == 7
    assert all(": " in image.attributes["alt"] for image in images)


def test_whatever_a_name_holds_it_is_text() -> None:
    study = result(
        factors={ODD: ["a", ODD]},
        failed={("a", 0): ODD},
        name=ODD,
        question=ODD,
        command=ODD,
        data=ODD,
        notes=[ODD],
    )
    named = replace(
        details(study),
        label_names=(ODD, *details(study).label_names[1:]),
        runs_url='https://x/"><script>',
    )
    text = page_of(study, named)
    root = read(text)
    assert "<script" not in text
    assert not root.all("script")
    for key in ("method", "arms-table", "runs-table", "overrides-table"):
        assert ODD in part(root, key).whole_text(), key
    assert root.all("h1")[0].text == ODD
    assert ODD in root.all("aside")[0].whole_text()
    assert root.all("title")[0].text.startswith("<script>")


def test_the_answer_is_a_list_with_an_item_for_each_arm() -> None:
    study = result()
    shown_part = part(read(page_of(study, None)), "answer")
    expected = answer(study)
    assert [one.text for one in shown_part.all("li")] == list(expected.bullets)
    assert [one.text for one in shown_part.all("p")] == [expected.headline]
    assert len(expected.bullets) == len(study.arms) - 1


def test_notes_stand_before_the_tables() -> None:
    study = result(notes=["the runs are of different hardware: a; b"])
    text = page_of(study, None)
    assert text.index("The runs are of different hardware: a; b.") < text.index("<table")
    assert "<aside" not in page_of(result(), None)


def test_how_it_was_made() -> None:
    study = result()
    arm = study.arms[1]
    other = replace(arm.runs[0], tags={**arm.runs[0].tags, "mmclf.cold_hardware": "NVIDIA H100"})
    arms = (study.arms[0], replace(arm, runs=(other, *arm.runs[1:])), *study.arms[2:])
    root = read(page_of(replace(study, arms=arms), None))
    shown_part = part(root, "method").whole_text()
    for words in (
        "mmclf study=loss data=demo",
        "b6b9f1c2d3e4",
        "8b2c51c0ffee",
        "python 3.11.2, mmclf 0.1.0",
        "2 x Intel(R) Xeon(R) Processor",
        "NVIDIA H100",
        "0, 1, 2, 3, 4",
        "2,000 bootstrap resamples",
        "Bonferroni",
        "one pool of training samples",
        "bce: data=demo vision=resnet18",
    ):
        assert words in shown_part
    assert "samples in the first run" not in shown_part
    assert "different hardware" in part(root, "cost").whole_text()


def test_how_many_samples_there_are_stands_with_the_data() -> None:
    study = result(seeds=1)
    shown_part = part(of(study), "method").whole_text()
    assert "6,403 train, 803 val and 794 test samples in the first run, digest b6b9" in shown_part
    unknown = replace(details(study), sizes={"val": 803, "test": 794})
    shown_part = part(read(page_of(study, unknown)), "method").whole_text()
    assert "Data803 val and 794 test samples in the first run, digest b6b9" in shown_part


def test_the_base_has_what_its_arm_sets_below_a_group() -> None:
    study = result(seeds=1)
    first = replace(study.definition.arms[0], overrides=("loss=bce", "loss.pos_weight=2"))
    changed = replace(study.definition, arms=(first, *study.definition.arms[1:]))
    shown_part = part(
        read(page_of(replace(study, definition=changed), None)), "method"
    ).whole_text()
    assert "bce: data=demo vision=resnet18 loss.pos_weight=2" in shown_part


def test_one_arm_with_one_seed() -> None:
    study = result(seeds=1)
    alone = replace(
        study,
        arms=study.arms[:1],
        effects=(),
        definition=replace(study.definition, arms=study.definition.arms[:1]),
    )
    root = of(alone)
    assert not has(root, "differences")
    assert not has(root, "time")
    assert has(root, "labels")
    assert not part(root, "answer").all("ul")


def test_no_run_at_all() -> None:
    study = result(seeds=1, missing=[(arm.name, 0) for arm in result().arms])
    root = read(page_of(study, None))
    assert "No run has finished yet" in part(root, "answer").whole_text()
    assert not root.all("img")
    assert not has(root, "runs")


def test_a_baseline_without_a_run() -> None:
    study = result(missing=[("bce", seed) for seed in range(5)])
    root = of(study)
    assert "no finished run to compare with" in part(root, "answer").whole_text()
    assert not has(root, "differences")
    assert has(root, "label-scores")


def test_a_ladder_with_a_step_that_has_not_run() -> None:
    study = result("ladder", CHANGES, seeds=1, missing=[("+ text", 0)])
    root = read(page_of(study, None))
    assert "“text” and “fusion” are not estimated" in part(root, "answer").whole_text()
    assert "not known" in letters_of(root, "waterfall")


def test_details_that_are_empty_leave_their_sections_out() -> None:
    study = result()
    nothing = replace(details(study), arms={}, label_names=(), label_keys=(), label_shares={})
    root = read(page_of(study, nothing))
    for key in ("labels", "thresholds", "learning", "split"):
        assert not has(root, key)


def test_the_page_of_320_runs_is_small() -> None:
    study = result("attribution", CHANGES, seeds=5)
    assert sum(len(arm.runs) for arm in study.arms) == 320
    text = page_of(study, details(study, epochs=50, thresholds=199))
    assert len(text.encode()) <= 2_000_000


def test_the_same_study_gives_the_same_page() -> None:
    study = result(seeds=1)
    assert page_of(study, details(study)) == page_of(study, details(study))


def test_the_style_is_part_of_the_package() -> None:
    style = (
        resources.files("mmclf.studies.report.page")
        .joinpath("page.css")
        .read_text(encoding="utf-8")
    )
    assert style in page_of(result(seeds=1), None)
    defined = set(re.findall(r"^\s*(--[\w-]+):", style, re.MULTILINE))
    assert set(re.findall(r"var\((--[\w-]+)\)", style)) <= defined
