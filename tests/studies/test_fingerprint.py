"""What makes a study another one though its settings are the same."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from mmclf.pipeline.stages import EVALUATION, VERSIONS
from mmclf.studies import fingerprint
from mmclf.studies.arms import compose_study
from mmclf.studies.fingerprint import StudyFingerprint, study_fingerprint

ROWS = [("0.jpg", "a dog", "1"), ("1.jpg", "a cat", "2"), ("2.jpg", "dog and cat", "1 2")]
STUDY = """\
# @package _global_
defaults:
  - override /data: table
  - override /hydra/sweeper: study
data:
  {root: ., file: 0.csv, image_column: path, caption_column: caption, label_column: labels}
study:
  question: Which?
  design: grid
  factors: {FACTORS}
  seeds: 2
"""
LOSS = """\
from torch import nn


class Own(nn.BCEWithLogitsLoss):
    pass
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for number in range(3):
        write(ROWS, f"{number}.csv")
    study("loss: [bce, focal]")
    return tmp_path


def write(rows: list[tuple[str, str, str]], name: str = "0.csv") -> None:
    lines = ["path,caption,labels", *(",".join(row) for row in rows)]
    Path(name).write_text("\n".join(lines) + "\n")


def study(factors: str) -> None:
    Path("conf/study").mkdir(parents=True, exist_ok=True)
    Path("conf/study/mine.yaml").write_text(STUDY.replace("FACTORS", factors))


def found(*overrides: str) -> StudyFingerprint:
    given = ("study=mine", "vision=none", "text=tfidf", *overrides)
    return study_fingerprint(compose_study(given, Path("conf")))


def test_it_is_the_same_for_the_same() -> None:
    assert found() == found()


def test_captions_of_other_samples_are_other_data() -> None:
    before = found()
    (one, a, x), (other, b, y), *rest = ROWS
    write([(one, b, x), (other, a, y), *rest])
    assert found().whole != before.whole


def test_what_belongs_together_counts() -> None:
    table = "id,path,caption,labels\n{},0.jpg,a dog,1\n{},{}.jpg,a cat,2\n"
    digests = []
    for image in ("0", "1"):
        Path("0.csv").write_text(table.format("a", "b", image))
        digests.append(found("data.id_column=id").whole)
    assert digests[0] != digests[1]


def test_every_source_that_an_arm_names_counts() -> None:
    study("data.file: [0.csv, 1.csv]")
    before = found()
    write(ROWS[:2], "2.csv")
    assert found() == before
    write(ROWS[:2], "1.csv")
    assert found().whole != before.whole


def test_own_code_counts_by_its_content() -> None:
    Path("conf/loss").mkdir()
    Path("conf/loss/own.yaml").write_text("_target_: own_loss.Own\n")
    Path("conf/own_loss.py").write_text(LOSS)
    study("loss: [bce, own]")
    allowed = "allow_targets=[own_loss]"
    before = found(allowed)
    Path("conf/own_loss.py").write_text(LOSS + "# changed\n")
    changed = found(allowed)
    assert changed.whole != before.whole
    assert changed.data == before.data


def test_studies_of_the_same_data_have_the_same_digest_of_them() -> None:
    before = found()
    study("optimizer.lr: [0.1, 0.2]")
    after = found()
    assert (after.data == before.data, after.whole == before.whole) == (True, False)


def test_a_raised_version_of_a_stage_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    before = found()
    monkeypatch.setattr(fingerprint, "VERSIONS", {**VERSIONS, "fit": 99})
    assert found().whole != before.whole


def test_the_code_of_the_metrics_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    before = found()
    monkeypatch.setattr(fingerprint, "code_digest", {EVALUATION: "edited"}.__getitem__)
    after = found()
    assert (after.data == before.data, after.whole == before.whole) == (True, False)


def test_images_count_by_content_if_an_arm_looks_at_them() -> None:
    for name, _, _ in ROWS:
        Path(name).write_bytes(b"a picture")
    looked = ("vision=resnet18", "vision.weights=random")
    blind, seeing = found(), found(*looked)
    assert seeing.data != blind.data
    Path("1.jpg").write_bytes(b"another picture")
    assert found() == blind
    assert found(*looked).data != seeing.data


def test_images_inside_a_table_count_if_an_arm_looks_at_them() -> None:
    def write_images(*contents: bytes) -> None:
        rows = {
            "path": [{"bytes": content, "path": f"{i}.png"} for i, content in enumerate(contents)],
            "caption": ["a dog", "a cat"],
            "labels": ["1", "2"],
        }
        pd.DataFrame(rows).to_parquet("t.parquet")

    inside = ("data.file=t.parquet",)
    looked = (*inside, "vision=resnet18", "vision.weights=random")
    write_images(b"a picture", b"b")
    blind, seeing = found(*inside), found(*looked)
    assert seeing.data != blind.data
    assert found(*looked) == seeing
    write_images(b"a picture", b"another")
    assert found(*inside) == blind
    assert found(*looked).data != seeing.data


def test_a_file_that_a_setting_names_counts_by_its_content() -> None:
    weights = Path("weights.safetensors")
    weights.write_bytes(b"some")
    named = ("vision=resnet18", f"vision.weights={weights.resolve()}")
    before = found(*named)
    assert found(*named) == before
    weights.write_bytes(b"others")
    assert found(*named).whole != before.whole
