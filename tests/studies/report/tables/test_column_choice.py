"""Some columns of a table, by short names."""

from __future__ import annotations

import pandas as pd
import pytest
from made_up import CHANGES, result
from message_facts import Naming

from mmclf.errors import InputError
from mmclf.studies.report.tables.column_choice import (
    check_columns,
    chosen,
    chosen_by_heading,
    parse_columns,
)
from mmclf.studies.report.tables.study_tables import tables

TABLE = pd.DataFrame({"Model": ["a"], "Test F1": [0.5], "Running time (s)": [1.0]})


def test_names_are_divided_by_commas() -> None:
    assert parse_columns(" Arm, mean,,arm") == ("arm", "mean")
    assert parse_columns(None) is None
    with pytest.raises(InputError, match=Naming("--columns").pattern):
        parse_columns(" ,")


def test_an_unknown_name_leads_to_the_nearest() -> None:
    check_columns(("arm", "p"))
    check_columns(None)
    with pytest.raises(InputError) as caught:
        check_columns(("maen", "verdcit"))
    assert [Naming("--columns", "'mean'"), Naming("--columns", "'verdict'")] == [
        *caught.value.problems
    ]


def test_a_name_stands_for_all_its_columns() -> None:
    study = result("ladder", CHANGES)
    metric = study.definition.metric
    held = tables(study)
    assert list(chosen(held["results"], ("arm", "mean", "difference"), metric)) == [
        *("Arm", metric, "Difference", "Diff. low", "Diff. high")
    ]
    # Effects have no mean.
    assert list(chosen(held["effects"], ("mean", "arm"), metric)) == ["Effect"]
    assert chosen(held["results"], None, metric).equals(held["results"])


def test_runs_are_chosen_by_their_headings() -> None:
    assert list(chosen_by_heading(TABLE, ("test_f1", "model"))) == ["Test F1", "Model"]
    assert list(chosen_by_heading(TABLE, ("running_time_s",))) == ["Running time (s)"]
    with pytest.raises(InputError, match=Naming("--columns", "'test_f2'", "'test_f1'").pattern):
        chosen_by_heading(TABLE, ("test_f2",))
