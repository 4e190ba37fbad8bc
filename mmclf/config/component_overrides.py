"""The settings of a component that was composed before, with overrides of the command line."""

from __future__ import annotations

from collections.abc import Sequence

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from mmclf.config.overrides import read
from mmclf.config.schema import Node
from mmclf.config.signature_check import check_component
from mmclf.errors import InputError, first_line


def with_overrides(node: Node, role: str, lines: Sequence[str], allow: Sequence[str]) -> Node:
    """The node of `role` with the overrides `ROLE.KEY=VALUE`, checked against its target.

    Raises InputError with a problem for each override that cannot be read, and for each setting
    that the target does not take.
    """
    tree = OmegaConf.create({role: node})
    problems = []
    for line in lines:
        override, problem = read(line)
        if override is None:
            problems.append(problem or line)
        elif override.is_delete() or override.is_sweep_override():
            problems.append(f"{line}: expected one value, {override.key_or_group}=VALUE")
        else:
            try:
                key = override.key_or_group
                OmegaConf.update(tree, key, override.value(), merge=False, force_add=True)
            except OmegaConfBaseException as error:
                problems.append(f"{line}: {first_line(error)}")
    if problems:
        raise InputError(*problems)
    plain = OmegaConf.to_container(tree, resolve=False)
    assert isinstance(plain, dict)
    changed: Node = plain[role]
    problems = check_component(changed, role, role, allow)
    if problems:
        raise InputError(*problems)
    return changed
