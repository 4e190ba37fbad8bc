"""What the metrics of several seeds on one set of test samples say about the parts of a model.

bootstrap    a metric over resamples of the test samples
generalised  the p-value and the interval of a mean over seeds and samples
estimates    a mean over seeds, and its variances
draws        what random draws add to them
verdicts     better, worse, equal or undecided
spending     the error that each look at a growing sample may spend
stopping     when a comparison is decided, and the interval after that
shapley      attribution of a difference to parts
"""
