"""Tracking: the only package that knows MLflow.

answers        how long a server is waited for, and what its errors mean
logged         what is logged, as plain values
logged_model   a run's model as one of MLflow's
model_files    the files by which MLflow loads it
outbox         sends it, or keeps it while nobody answers
unsent         files of what nobody took
run_log        the log of one run
leases         which process runs which cell of a study
tracker        runs, started and read
experiment     the experiment that they are in
search         runs, searched for page by page
artifacts      a run's files, fetched
dead_runs      runs whose process is gone
tracked_run    a run as it is read back
local_files    its files where they lie, if in this file system
sending        what nobody took, sent later
where          conditions on runs, as a command line has them
system_metrics how busy the machine is during a run
database       the sqlite file of runs
keys           names as MLflow admits them
pages          addresses in MLflow's UI
session        where the runs of this process are tracked
uninterrupted  writes that an interruption waits for
"""

from __future__ import annotations

import logging
import os

# By default MLflow sends usage data, also from nodes without a network.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
# Its progress bar would clutter logs.
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
# Its own lines say little that a user asked for: MLFLOW_LOGGING_LEVEL=INFO shows them.
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
# It would write addresses among the results on standard output.
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
# Whether to wait for a server that is gone is decided in `outbox`: MLflow would try for minutes.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")

from mmclf.storage.tracking.database import sqlite_file
from mmclf.storage.tracking.keys import key_of
from mmclf.storage.tracking.logged import Data
from mmclf.storage.tracking.model_files import write_model_files
from mmclf.storage.tracking.run_log import RunLog
from mmclf.storage.tracking.sending import send_unsent
from mmclf.storage.tracking.tracked_run import TrackedRun
from mmclf.storage.tracking.tracker import NOTE, Tracker

__all__ = [
    "NOTE",
    "Data",
    "RunLog",
    "TrackedRun",
    "Tracker",
    "key_of",
    "send_unsent",
    "sqlite_file",
    "write_model_files",
]

# It would print the traceback of a database that is locked, which is waited for.
logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
