"""Studies: questions over config groups, answered by tracked runs."""
