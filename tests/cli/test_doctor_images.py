"""What `mmclf doctor` says of images: bad ones, none, and ones that it need not read."""

from __future__ import annotations

import numpy as np
import pytest
from examined_table import Table, doctor, new_table, results
from message_facts import Naming
from PIL import Image

from mmclf.cli.main import main
from mmclf.config.compose import compose
from mmclf.data import decoded_images as decoded
from mmclf.pipeline.run_data import load_run_data, open_store

table = pytest.fixture(new_table)


def damage(table: Table) -> None:
    (table.folder / "set" / "2.png").unlink()
    (table.folder / "set" / "9.png").write_bytes(b"")
    (table.folder / "set" / "11.png").write_bytes(b"")


def test_bad_images_would_stop_a_run(table: Table, capsys: pytest.CaptureFixture[str]) -> None:
    damage(table)
    out = doctor(capsys, 1, *table.overrides)
    checks = results(table.examined().checks)
    assert checks["images"] == ("ok", Naming("21 of 24", "16"))
    advice = "data.on_bad_image=skip"
    assert checks["missing images"] == ("bad", Naming("1 of 24", "2.png", advice))
    assert checks["unreadable images"] == (
        "bad",
        Naming("2 of 24", "9.png", "empty", "11.png", "empty", advice),
    )
    # They hold no picture that could be alike.
    assert checks["same images"] == ("ok", "none")
    assert checks["samples"] == ("ok", Naming("24", "train 20", "val 2", "test 2"))
    assert checks["missing images"][1] in out
    assert out.splitlines()[-1] == Naming("2 bad")


def test_bad_images_that_a_run_leaves_out_are_in_no_part(
    table: Table, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(table)
    table.change(22, caption="caption 9")
    examination = table.examined("data.on_bad_image=skip")
    checks = results(examination.checks)
    assert checks["samples"] == ("ok", Naming("24", "train 17", "val 2", "test 2"))
    status, detail = checks["missing images"]
    assert (status, detail) == ("note", Naming("1 of 24", "2.png"))
    assert "data.on_bad_image" not in detail
    # The caption's twin is left out, so training does not hold it.
    assert checks["test captions in training"] == ("ok", "none")
    assert [row.total for row in examination.labels] == [12, 12]
    assert [row.counts["train"] for row in examination.labels] == [9, 8]
    out = doctor(capsys, 0, *table.overrides, "data.on_bad_image=skip")
    assert "nothing is bad" in out


def test_images_are_not_looked_at_on_request(
    table: Table, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(table)
    out = doctor(capsys, 0, *table.overrides, "--no-images")
    (line,) = [line for line in out.splitlines() if " images " in line]
    assert line.startswith("note     images ")
    assert line == Naming("--no-images", "vision=none")
    assert not (table.folder / "outputs").exists()


def test_data_without_images(table: Table) -> None:
    checks = table.examined("data.image_column=null").checks
    assert results(checks)["images"] == ("note", Naming("vision=none"))


def test_grey_of_fewer_bits_than_its_files_is_noted_by_doctor_and_run(
    table: Table, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "grey of fewer bits" not in results(table.examined().checks)
    grey = np.full((16, 20), 0xFFF, dtype=np.uint16)
    Image.fromarray(grey).save(table.folder / "set" / "3.png")
    status, note = results(table.examined().checks)["grey of fewer bits"]
    assert status == "note"
    assert "1 of 12 bits" in note
    config = compose([*table.overrides, "vision=resnet18"]).config
    with open_store(config, "cpu") as store:
        load_run_data(config, store)
    assert note in capsys.readouterr().err


def test_an_image_size_of_auto_is_that_of_the_encoder(
    table: Table, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [*table.overrides, "image.size=auto"]
    out = doctor(capsys, 0, *lines, "vision=timm", "vision.name=test_resnet")
    assert out == Naming("24 of 24", "160")
    assert main(["doctor", *lines]) == 2
    assert "image.size=auto" in capsys.readouterr().err


def test_a_second_time_no_image_is_decoded(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    first = table.examined()

    def refuse(*_: object) -> None:
        pytest.fail("an image was read again")

    monkeypatch.setattr(decoded, "decode_image", refuse)
    assert table.examined().checks == first.checks
