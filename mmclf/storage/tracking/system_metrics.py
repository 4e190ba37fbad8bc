"""MLflow's system metrics: how busy processor, memory, disk, network and GPU are during a run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

EVERY_S = 2.0  # a run may be short; MLflow itself measures every 10 s


@contextmanager
def system_metrics(uri: str, run: str, wanted: bool) -> Iterator[None]:
    """Log them to a run every few seconds in the block, if `wanted`."""
    if not wanted:
        yield
        return
    monitor = SystemMetricsMonitor(run, sampling_interval=EVERY_S, tracking_uri=uri)
    monitor.start()
    try:
        yield
    finally:
        monitor.finish()
