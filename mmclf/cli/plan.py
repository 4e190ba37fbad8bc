"""The subcommand `plan`: the study is checked before anything slow is imported, then its plan."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path

from mmclf.pipeline.preflight import Preflight
from mmclf.pipeline.remote_store import open_remote
from mmclf.studies.arms import compose_study

# A study's name alone: overrides have an equals sign, or begin with a tilde.
NAME = re.compile(r"\w[\w.-]*")


def plan(arguments: Sequence[str]) -> int:
    """`mmclf plan NAME [OVERRIDE ...]`: print the arms, the remaining time, what would be shown."""
    parser = argparse.ArgumentParser(prog="mmclf plan", description="What a study still needs.")
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="NAME is study=NAME")
    parser.add_argument("--config-dir", type=Path, help="a folder of config groups of your own")
    options = parser.parse_intermixed_args(arguments)
    lines = [f"study={line}" if NAME.fullmatch(line) else line for line in options.overrides]
    planned = compose_study(lines, options.config_dir, also=Preflight().problems)
    # Late: docs/architecture.md#late-imports
    from mmclf.cli.plan_study import print_plan

    with open_remote(planned.base.config) as remote:
        print_plan(planned, remote)
    return 0
