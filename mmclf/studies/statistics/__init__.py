"""What the metrics of many seeds on one set of test samples say about the parts of a model."""
