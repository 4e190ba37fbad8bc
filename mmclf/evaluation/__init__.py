"""From logits to thresholds and metrics: pure functions.

outputs           what a model gives for a part of the data
thresholds        probabilities to label sets
threshold_search  the thresholds of the highest F1
threshold_candidates, coordinate_ascent   what the search consists of
metrics           one table of metrics
scores            the metrics of one part, under the names that they are tracked by
errors            which errors cost most, and which labels look wrong
evaluate          all of these for the outputs of a fit
"""
