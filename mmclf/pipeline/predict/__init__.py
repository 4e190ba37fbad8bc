"""Prediction from a tracked run: its model restored, and what it says of new samples."""
