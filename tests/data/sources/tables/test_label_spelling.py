from __future__ import annotations

from pathlib import Path

import pytest
from table_folders import loaded

from mmclf.data.sources.tables.label_spelling import spelling_notes


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["red", "blue"], []),
        (["nan", "red"], ["'nan'"]),
        (["None", "NA"], ["'None', 'NA'"]),
        (["Red", "red"], ["'Red' and 'red'"]),
        (["1", "01", "001", "10"], ["'001' and '01' and '1'"]),
        (["0", "00"], ["'0' and '00'"]),
        (["a b", "a  b", "a\N{NO-BREAK SPACE}b"], ["'a  b' and 'a b'"]),
        (["nan", "Red", "red"], ["'nan'", "'Red' and 'red'"]),
    ],
)
def test_labels_that_may_not_be_meant(labels: list[str], expected: list[str]) -> None:
    notes = spelling_notes(labels, "t.csv")
    assert len(notes) == len(expected)
    assert all(words in note for note, words in zip(notes, expected, strict=True))


def test_labels_in_lower_case(tmp_path: Path) -> None:
    content = "caption,labels\nx,Red| red\ny,BLUE\n"
    samples = loaded(tmp_path, content, separator="|")
    assert samples.label_ids == ("BLUE", "Red", "red")
    assert any("data.label_case=lower" in note for note in samples.notes)
    lower = loaded(tmp_path, content, separator="|", label_case="lower", labels=["Blue", "red"])
    assert lower.label_ids == ("blue", "red")
    assert lower.labels.tolist() == [[0, 1], [1, 0]]
    assert lower.notes == ()
