"""A Ray of a test's own: two nodes on this machine's loopback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

INSTALL = "pip install 'mmclf[ray]'"
LOOPBACK = "127.0.0.1"
# Without the second, Ray takes this machine's outer address for 127.0.0.1.
ENVIRONMENT = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
# With the least object store that there may be, in bytes.
NODE = {"num_cpus": 1, "node_ip_address": LOOPBACK, "object_store_memory": 80 * 2**20}


@contextmanager
def ray_cluster() -> Iterator[Any]:
    """A cluster that RAY_ADDRESS names, for as long as the block goes on; skips without Ray.

    Its head has one core; a second node, of one core and what counts as two GPUs, is
    `cluster.second`.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        pytest.importorskip("ray", reason=INSTALL)
        from ray.cluster_utils import Cluster

        head = NODE | {"include_dashboard": False}
        cluster = Cluster(initialize_head=True, head_node_args=head)
        try:
            patch.setenv("RAY_ADDRESS", cluster.address)
            add_second(cluster)
            yield cluster
        finally:
            cluster.shutdown()


def add_second(cluster: Any) -> None:
    """Add the second node, anew where it has been killed."""
    cluster.second = cluster.add_node(num_gpus=2, **NODE)
