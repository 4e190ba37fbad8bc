"""Figures of runs and studies, from plain arrays and tables."""
