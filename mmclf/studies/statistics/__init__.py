"""What the metrics of several seeds on one set of test samples say about the parts of a model.

bootstrap    a metric over resamples of the test samples
generalised  the p-value and the interval of a mean over seeds and samples
estimates    a mean over seeds, and its variances
draws        what random draws add to them
verdicts     better, worse, equal or undecided
power        what a design would show, and what decides an open difference
ratios       of times, paired by seed
shapley      attribution of a difference to parts
"""
