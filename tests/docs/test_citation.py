"""How mmclf is cited: one file, and the entry that the documentation makes of it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]


def test_the_entry_is_that_of_the_file() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    page = (ROOT / "docs" / "studies.md").read_text(encoding="utf-8")
    (entry,) = re.findall(r"^@software\{mmclf,\n(.*?)^\}", page, flags=re.MULTILINE | re.DOTALL)
    fields = dict(re.findall(r"^  (\w+) = \{+(.*?)\}+,?$", entry, flags=re.MULTILINE))
    assert fields == {
        "author": " and ".join(author["name"] for author in cited["authors"]),
        "title": cited["title"],
        "version": str(cited["version"]),
        "year": str(cited["date-released"].year),
        "license": cited["license"],
    }


def test_the_file_is_of_this_version_and_licence() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert (cited["version"], cited["license"]) == (project["version"], project["license"])
    assert cited["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= cited.keys()
