"""Tracking: the only package that knows MLflow.

tracker        runs, logged while they go and read back
database       the sqlite file of runs
keys           names as MLflow admits them
uninterrupted  writes that an interruption waits for
"""

from __future__ import annotations

import os

# By default MLflow sends usage data, also from nodes without a network.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
# Its progress bar would clutter logs.
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
# It would write addresses among the results on standard output.
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")

from mmclf.storage.tracking.database import sqlite_file
from mmclf.storage.tracking.keys import key_of
from mmclf.storage.tracking.tracker import RunLog, TrackedRun, Tracker

__all__ = ["RunLog", "TrackedRun", "Tracker", "key_of", "sqlite_file"]
