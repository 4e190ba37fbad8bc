"""One run, from its configuration to its tracked results."""
