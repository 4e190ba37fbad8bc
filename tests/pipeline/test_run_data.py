"""What a run tells of its data before it trains, and what it keeps of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from message_facts import Naming

import mmclf
from mmclf.config.compose import compose
from mmclf.data.samples import Samples
from mmclf.data.split import Parts
from mmclf.errors import InputError
from mmclf.pipeline.narration import Narrator
from mmclf.pipeline.run_data import load_run_data, open_store, tell
from mmclf.storage.tracking import Tracker


def overrides(folder: Path, *more: str) -> list[str]:
    """Of 40 samples of two to a group, of which the last group's second is in the test set."""
    lines = [
        f"{i},{i // 2}.png,caption {i},{'red' if i // 2 % 2 else 'blue'},"
        f"{'test' if i > 30 else 'train'}"
        for i in range(40)
    ]
    text = "\n".join(["id,image,caption,labels,part", *lines]) + "\n"
    (folder / "t.csv").write_text(text, encoding="utf-8")
    return [
        *("data=table", f"data.root={folder}", "data.file=t.csv", "data.id_column=id"),
        *("vision=none", "text=tfidf", f"output_dir={folder / 'outputs'}", "trainer.epochs=1"),
        *more,
    ]


def test_five_rows_of_an_image_stay_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = compose(overrides(tmp_path)).config
    with open_store(config, "here") as store:
        data = load_run_data(config, store)
    groups = data.samples.group_numbers
    members = [set(groups[rows].tolist()) for _, rows in data.parts.items()]
    assert sum(map(len, members)) == 20
    assert data.shared_groups == 0
    assert capsys.readouterr().err.splitlines() == [
        Naming("reading", "40 samples", "2 labels"),
        Naming("splitting", "train 32", "val 4", "test 4"),
    ]


def test_parts_of_the_source_that_divide_a_group(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = overrides(tmp_path, "data.split_column=part")
    with pytest.raises(InputError, match=r"'15\.png' .*'30'.*'31' in test"):
        mmclf.run(mmclf.compose(given))
    result = mmclf.run(mmclf.compose([*given, "split.on_shared_group=warn"]))
    lines = capsys.readouterr().err.splitlines()
    assert lines.count(Naming("groups in several parts", "1 group")) == 1
    outputs = tmp_path / "outputs"
    tracker = Tracker(f"sqlite:///{outputs / 'mlflow.db'}", "mmclf", outputs)
    (run,) = tracker.runs()
    assert run.id == result.run_id
    assert run.tags["mmclf.shared_groups"] == "1"


def test_what_a_source_left_out_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    nobody = np.zeros(10, dtype=bool)
    ids = tuple(map(str, range(10)))
    labels = np.ones((10, 1), dtype=np.uint8)
    notes = ("3 rows are left out", "background stands in no annotation")
    samples = Samples(ids, (), ids, labels, ("1",), ("a",), nobody, nobody, notes=notes)
    config = compose([]).config
    parts = Parts(np.arange(8), np.array([8]), np.array([9]))
    tell(samples, parts, config.split, Narrator())
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == [f"mmclf: {note}" for note in notes]
    assert len(lines) == 3
