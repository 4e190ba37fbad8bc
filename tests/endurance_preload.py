"""What the runs of the endurance tests import, before their processes are forked.

Nothing is computed here: a process that is forked from one whose torch has threads would hang.
"""

from __future__ import annotations

from endurance_runs import SMALL, STUDY

import mmclf.computation
import mmclf.conduct
import mmclf.pipeline
import mmclf.report.figures
import mmclf.scores  # noqa: F401
from mmclf.config.composition import compose
from mmclf.study.arms import compose_study

# What the parts are made of is imported by the check.
compose(SMALL)
compose_study(STUDY)
