"""Who says where outputs go: the command line, a primary config of its choice, mmclf's own files.

A group file of anyone's could otherwise send runs to a server of theirs, or fill another folder, or
send along what lies in the working tree of whoever uses it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mmclf.config.overrides import read
from mmclf.config.walk import select

# As they stand in conf/.
SHIPPED: Mapping[str, str | bool] = {
    "output_dir": "outputs",
    "store.dir": "${output_dir}/store",
    "store.remote": "${oc.env:MMCLF_STORE_REMOTE,null}",
    "tracking.uri": "${oc.env:MLFLOW_TRACKING_URI,'sqlite:///${output_dir}/mlflow.db'}",
    "tracking.patch": False,
}
LOCATIONS = tuple(SHIPPED)
OF_LATER = ("store.remote", "tracking.patch")  # a file of before them does without
# Settings that follow a variable of MLflow's, or of ours, unless they are given, as in conf/.
BY_ENVIRONMENT: Mapping[str, str | bool] = {
    "tracking.uri": SHIPPED["tracking.uri"],
    "tracking.experiment": "${oc.env:MLFLOW_EXPERIMENT_NAME,mmclf}",
    "store.remote": SHIPPED["store.remote"],
}
VARIABLES: Mapping[str, str] = {
    "tracking.uri": "MLFLOW_TRACKING_URI",
    "tracking.experiment": "MLFLOW_EXPERIMENT_NAME",
    "store.remote": "MMCLF_STORE_REMOTE",
}


def check_locations(
    tree: Mapping[str, Any], lines: Sequence[str], primary: Mapping[str, Any]
) -> Iterator[str]:
    """What an unresolved config says about where outputs go without the right to.

    Args:
        tree: the config.
        lines: the overrides of the command line.
        primary: the content of the primary config that the command line names; empty without.

    """
    for key in LOCATIONS:
        value = select(tree, key)
        by_primary = select(primary, key)
        is_unset = key in OF_LATER and value is None
        if is_unset or value == SHIPPED[key] or (by_primary is not None and value == by_primary):
            continue
        if any(_sets(line, key) for line in lines):
            continue
        yield (
            f"{key}: found {value!r} in a config file, where it does not count: give {key}=VALUE "
            "on the command line, or in a primary config of yours that --config-name names"
        )


def environment_notices(tree: Mapping[str, Any], resolved: Mapping[str, Any]) -> dict[str, str]:
    """A line for each setting that follows a variable of the environment, by that variable."""
    return {
        variable: f"mmclf: {key} is {select(resolved, key)}, as {variable} says\n"
        for key, variable in VARIABLES.items()
        if variable in os.environ and select(tree, key) == BY_ENVIRONMENT[key]
    }


def is_location(key: str) -> bool:
    """Whether an override of `key` says where outputs go."""
    name = key.lstrip("+~").partition("@")[0]
    return any(location == name or location.startswith(f"{name}.") for location in LOCATIONS)


def _sets(line: str, key: str) -> bool:
    """Whether an override sets `key`, by its name or in a mapping above it."""
    override, _ = read(line)
    if override is None:
        return False
    name, value = override.key_or_group, override.value()
    above = key.removeprefix(f"{name}.")
    return name == key or (above != key and isinstance(value, dict) and above in value)
