"""The resolvers that a config may call, and the environment variables that it may read.

What a setting is resolved to ends in a run's parameters and artifacts, so a config that could read
any variable of the environment would publish tokens and passwords.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mmclf.config.interpolations import Interpolation, has_interpolation, interpolations
from mmclf.config.output_locations import BY_ENVIRONMENT
from mmclf.config.walk import COPIES, nodes
from mmclf.errors import suggestion

# Those that make interpolations of texts are not among them: oc.create and oc.decode.
RESOLVERS = (
    *("hydra", "now", "oc.dict.keys", "oc.dict.values", "oc.env", "oc.select"),
    "python_version",
)
# Hydra 1.4's own, in its own place: with arguments it would call a resolver that they name.
OVERRIDE_DIRNAME = "${hydra_override_dirname:}"
ENVIRONMENT = ("HOME", "SLURM_ARRAY_TASK_ID", "SLURM_JOB_ID", "TMPDIR", "USER")


def check_interpolations(tree: Mapping[str, Any], allowed_env: Sequence[str]) -> list[str]:
    """What is wrong with the interpolations of an unresolved config; none of them is resolved.

    What is wrong with Hydra's copies of overrides is said only if nothing else is.

    Args:
        tree: the config, with the `hydra` node or without.
        allowed_env: the environment variables that the command line allows beside ENVIRONMENT.

    """
    settings: list[str] = []
    copies: list[str] = []
    for where, value in nodes(tree):
        ours = (BY_ENVIRONMENT.get(where), OVERRIDE_DIRNAME)
        if has_interpolation(value) and value not in ours:
            problems = copies if where.startswith(COPIES) else settings
            for interpolation in interpolations(str(value)):
                problems += _check(where, interpolation, allowed_env)
    return settings or copies


def _check(where: str, interpolation: Interpolation, allowed_env: Sequence[str]) -> Iterator[str]:
    if interpolation.resolver is None:
        if not interpolation.keys:
            yield (
                f"{where}: found {interpolation.text}, whose setting another interpolation names: "
                "expected its name, or at least the beginning"
            )
        return
    if not interpolation.is_plain:
        yield f"{where}: found {interpolation.text}, whose resolver another interpolation names"
    elif interpolation.resolver not in RESOLVERS:
        yield (
            f"{where}: the resolver {interpolation.resolver!r} is not allowed: "
            f"{suggestion(interpolation.resolver, RESOLVERS)}"
        )
    elif interpolation.resolver == "oc.env":
        yield from _check_variable(where, interpolation, allowed_env)


def _check_variable(
    where: str, interpolation: Interpolation, allowed_env: Sequence[str]
) -> Iterator[str]:
    name = interpolation.arguments[0] if interpolation.arguments else ""
    if not name.isidentifier():
        yield f"{where}: found {interpolation.text}, expected the name of an environment variable"
    elif name not in (*ENVIRONMENT, *allowed_env):
        yield (
            f"{where}: the environment variable {name!r} is not allowed, only "
            f"{', '.join(ENVIRONMENT)} are: leave it out, or give allow_env=[{name}] on the "
            "command line"
        )
