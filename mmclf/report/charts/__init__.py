"""The charts of a study's page, each from plain arguments."""
