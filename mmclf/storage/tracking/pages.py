"""Addresses of pages of the MLflow UI, all of them in its view of training."""

from __future__ import annotations

import json
from collections.abc import Sequence
from urllib.parse import quote, urlsplit

# Without it MLflow 3 opens an experiment as one of GenAI, whatever the experiment's tags say.
TRAINING = "workflowType=machine_learning"
LOCAL_UI = "http://127.0.0.1:5000"  # where `make ui` serves a database


def server_of(uri: str) -> str:
    """The address of the UI of what is tracked at `uri`."""
    is_server = urlsplit(uri).scheme in ("http", "https")
    return uri.rstrip("/") if is_server else LOCAL_UI


def experiment_page(experiment: str) -> str:
    """The runs of an experiment, after the server's address; parents hold their children."""
    return f"#/experiments/{experiment}/runs?{TRAINING}"


def run_page(experiment: str, run: str) -> str:
    """A run, after the server's address."""
    return f"#/experiments/{experiment}/runs/{run}?{TRAINING}"


def children_page(experiment: str, parent: str, metric: str, *, ascending: bool = False) -> str:
    """The charts of the child runs of `parent`, those with the most of a metric first.

    Sorted by anything but the time, MLflow lists children without their parent.
    """
    condition = quote(f"tags.`mlflow.parentRunId` = '{parent}'", safe="")
    order = (
        f"orderByKey={quote(f'metrics.`{metric}`', safe='')}&orderByAsc={str(ascending).lower()}"
    )
    return f"{experiment_page(experiment)}&compareRunsMode=CHART&{order}&searchFilter={condition}"


def comparison_page(experiment: str, runs: Sequence[str]) -> str:
    """Runs beside each other, with what differs in settings and scores."""
    listed = quote(json.dumps([*runs], separators=(",", ":")), safe="")
    experiments = quote(json.dumps([experiment]), safe="")
    return f"#/compare-runs?runs={listed}&experiments={experiments}&{TRAINING}"
