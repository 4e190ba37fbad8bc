"""What the metrics of several seeds on one set of test samples say about the parts of a model.

resamples          the test samples, or groups of them, drawn with replacement
bootstrap          a metric of label sets over resamples
average_precision  mAP over resamples
sample_variance    how much scores vary by the draw of the test samples
generalised        the p-value and the interval of a mean over seeds and samples
estimates          a mean over seeds, and its variances
seed_sums          contrasts of arms by what their resamples add up to over seeds
draws              what random draws add to them
shrinkage          what of the best arm's lead is no chance
verdicts           better, worse, equal or undecided
spending           the error that each look at a growing sample may spend
stopping           when a comparison is decided, and the interval after that
power              what a design would show, and what decides an open difference
ratios             of times, paired by seed
shapley            attribution of a difference to parts
interactions       main effects and interactions of a grid
label_tests        which labels gain or lose
"""
