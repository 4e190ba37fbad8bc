"""What the runs of the endurance tests import, before their processes are forked.

Nothing is computed here: a process that is forked from one whose torch has threads would hang.
"""

from __future__ import annotations

from endurance_runs import SMALL, STUDY, TRAINED

from mmclf.config.compose import compose
from mmclf.studies.arms import compose_study

# What the parts are made of is imported by the check.
compose(SMALL)
compose(TRAINED)
compose_study(STUDY)
