"""What the metrics of several seeds on one set of test samples say about the parts of a model.

bootstrap   a metric over resamples of the test samples
estimates   intervals and p-values
shapley     attribution of a difference to parts
"""
