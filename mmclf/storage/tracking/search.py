"""Runs of an experiment, searched for page by page."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from mlflow.entities import ViewType
from mlflow.tracking import MlflowClient

from mmclf.storage.tracking.database import ask
from mmclf.storage.tracking.tracked_run import TrackedRun, tracked_run

RUNS_A_PAGE = 250  # MLflow takes about half a MB for each meanwhile
YOUNG = 0  # the generation of what was made since the last collection


def search_runs(
    client: MlflowClient, uri: str, experiment_id: str, condition: str
) -> list[TrackedRun]:
    """The runs that a filter of MLflow's admits, the most recent first; all if it is empty."""
    runs: list[TrackedRun] = []
    token: str | None = None
    while True:
        page, token = _page(client, uri, experiment_id, condition, token)
        runs += page
        if not token:
            return runs


def _page(
    client: MlflowClient, uri: str, experiment_id: str, condition: str, token: str | None
) -> tuple[list[TrackedRun], str | None]:
    """The runs of one page, and the token of the next."""
    search = partial(
        client.search_runs,
        [experiment_id],
        filter_string=condition,
        run_view_type=ViewType.ACTIVE_ONLY,
        max_results=RUNS_A_PAGE,
        order_by=["attributes.start_time DESC"],
        page_token=token,
    )
    with _without_collection():
        page = ask(uri, search)
        runs, token = [tracked_run(run) for run in page], page.token
        del page
        gc.collect(YOUNG)  # MLflow's rows, which refer to each other
    return runs, token


@contextmanager
def _without_collection() -> Iterator[None]:
    """Let Python look for no garbage meanwhile.

    A search makes an object of each row, which sets it off again and again, in vain, for two thirds
    of the time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
