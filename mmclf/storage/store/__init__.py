"""The content-addressed store of what the stages of runs came to."""
