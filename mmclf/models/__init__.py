"""The parts of a classifier: encoders, fusion, head."""
