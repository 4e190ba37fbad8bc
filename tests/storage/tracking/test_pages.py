from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from mmclf.storage.tracking import pages

SERVED = "https://mlflow.example.org/team"


def asked(page: str) -> dict[str, str]:
    """What stands behind the question mark of a page, which the UI keeps in the fragment."""
    return {key: value for key, (value,) in parse_qs(urlsplit(page[1:]).query).items()}


@pytest.mark.parametrize(
    "page",
    [
        pages.experiment_page("7"),
        pages.run_page("7", "abc"),
        pages.children_page("7", "abc", "test/f1_samples"),
        pages.comparison_page("7", ["abc", "def"]),
    ],
)
def test_every_page_opens_the_view_of_training(page: str) -> None:
    assert page.startswith("#/")
    assert asked(page)["workflowType"] == "machine_learning"


def test_children_are_found_by_their_parent_and_sorted_by_a_metric() -> None:
    words = asked(pages.children_page("7", "abc", "test/f1_samples"))
    assert words["searchFilter"] == "tags.`mlflow.parentRunId` = 'abc'"
    assert (words["orderByKey"], words["orderByAsc"]) == ("metrics.`test/f1_samples`", "false")
    assert asked(pages.children_page("7", "abc", "loss", ascending=True))["orderByAsc"] == "true"


def test_runs_are_compared_by_their_ids() -> None:
    words = asked(pages.comparison_page("7", ["abc", "def"]))
    assert json.loads(words["runs"]) == ["abc", "def"]
    assert json.loads(words["experiments"]) == ["7"]


@pytest.mark.parametrize(
    ("uri", "server"),
    [
        ("sqlite:////o/mlflow.db", pages.LOCAL_UI),
        (f"{SERVED}/", SERVED),
        ("postgresql://u@h/db", pages.LOCAL_UI),
    ],
)
def test_a_database_is_served_on_this_machine(uri: str, server: str) -> None:
    assert pages.server_of(uri) == server
