"""Runs that predict, and what they predict from; all tests share them, as they take a while."""

from __future__ import annotations

import pytest
from predicting_runs import BOTH, Data, Runs

from mmclf.data.sources.competition_csv import read_rows
from mmclf.pipeline.predict.predictor import Predictor


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return Runs(tmp_path_factory.mktemp("outputs"))


@pytest.fixture(scope="session")
def data(runs: Runs) -> Data:
    runs.id("tfidf")
    (root,) = (path.parent for path in runs.folder.glob("store/demo/*/test.csv"))
    rows = [row for name in ("train", "test") for row in read_rows(root / f"{name}.csv")]
    return Data(root, {row.id: row for row in rows})


@pytest.fixture(scope="session")
def both(runs: Runs) -> Predictor:
    """A predictor of images and captions."""
    return runs.load(BOTH)


@pytest.fixture
def ids(data: Data) -> list[str]:
    return [*data.rows][:6]
