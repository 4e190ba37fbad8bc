"""A study's report as one HTML page."""
