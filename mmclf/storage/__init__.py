"""What outlives a process: stage results, tracked runs, and what a run ran on."""
