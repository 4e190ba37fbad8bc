"""A small table of one's own, and what `mmclf doctor` says of it."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from PIL import Image

from mmclf.cli.main import main
from mmclf.config.compose import compose
from mmclf.data.checks.check import Check
from mmclf.data.checks.examine import Examination, examine


@dataclass(frozen=True)
class Row:
    image: str
    labels: str
    caption: str
    part: str = "train"


@dataclass
class Table:
    """24 samples of two labels, each with a picture and a caption of its own; nothing is odd."""

    folder: Path
    rows: list[Row] = field(default_factory=list)

    def __post_init__(self) -> None:
        parts = ["train"] * 20 + ["val"] * 2 + ["test"] * 2
        for i, part in enumerate(parts):
            label = ("t-shirt", "traffic light")[i % 2]
            self.rows.append(Row(f"{i}.png", label, f"caption {i}", part))
            self.draw(f"{i}.png", i)

    def draw(self, name: str, shade: int) -> None:
        (self.folder / "set").mkdir(exist_ok=True)
        Image.new("RGB", (20, 16), (10 * shade, 100, 7)).save(self.folder / "set" / name)

    def change(self, row: int, **values: str) -> None:
        self.rows[row] = replace(self.rows[row], **values)

    @property
    def overrides(self) -> list[str]:
        """What reads the table, which is written by asking for this."""
        with (self.folder / "set" / "t.csv").open("w", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(["image", "labels", "caption", "part"])
            writer.writerows([row.image, row.labels, row.caption, row.part] for row in self.rows)
        return [
            "data=table",
            f"data.root={self.folder / 'set'}",
            "data.file=t.csv",
            "data.separator='|'",
            "data.split_column=part",
            "image.size=16",
            f"output_dir={self.folder / 'outputs'}",
        ]

    def examined(self, *more: str) -> Examination:
        return examine(compose([*self.overrides, *more]).config, read_images=True)


def new_table(tmp_path: Path) -> Table:
    return Table(tmp_path)


def results(checks: Sequence[Check]) -> dict[str, tuple[str, str]]:
    return {check.name: (check.status, check.detail) for check in checks}


def doctor(capsys: pytest.CaptureFixture[str], status: int, *arguments: str) -> str:
    assert main(["doctor", *arguments]) == status
    printed = capsys.readouterr()
    assert printed.err == ""
    return printed.out
