#!/bin/bash
# One study on the nodes of a Slurm array, without Hydra's launchers: each task takes runs that no
# other is at. On the login node:
#   export MLFLOW_TRACKING_URI=http://HOST:5000
#   export MLFLOW_TRACKING_USERNAME=... MLFLOW_TRACKING_PASSWORD=...
#   sbatch --array=1-8 deploy/slurm-array.sh study=threshold study.seeds=5
#SBATCH --job-name=mmclf
#SBATCH --array=1-4
#SBATCH --cpus-per-task=4
#SBATCH --output=mmclf-%A_%a.log
#SBATCH --open-mode=append
#SBATCH --requeue
# Its end is told a minute ahead, so that its run ends as killed and another task takes it up.
#SBATCH --signal=B:TERM@60
set -euo pipefail
: "${MLFLOW_TRACKING_URI:?the address of the tracking server}"
export OMP_NUM_THREADS="${SLURM_CPUS_PER_TASK:-1}"
# A folder of each task's own: on the node's disk if MMCLF_SCRATCH names one.
output="${MMCLF_SCRATCH:-$SLURM_SUBMIT_DIR/outputs}/$SLURM_ARRAY_JOB_ID-$SLURM_ARRAY_TASK_ID"
exec mmclf "$@" "output_dir=$output"
